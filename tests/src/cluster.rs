//! One bank with the four compiled programs, a clock that the test sets, and transactions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anchor_lang::{AccountDeserialize, prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::token::spl_token;
use imo_protocol::Now;
use solana_account::Account;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signer::Signer;
use solana_sysvar::{clock::Clock, last_restart_slot::LastRestartSlot, rent::Rent, slot_hashes::SlotHashes};
use solana_transaction::versioned::VersionedTransaction;

use crate::{
    bank::{Bank, Executed},
    landed::{Landed, Refused},
    probe::Probe,
};

/// Most bytes that a transaction may have on the wire.
pub const MAX_TRANSACTION_BYTES: usize = 1_232;

/// What one signature costs whoever pays the fee, in lamports.
pub const LAMPORTS_PER_SIGNATURE: u64 = 5_000;

/// What every actor starts with, in lamports.
pub const ACTOR_LAMPORTS: u64 = 100_000_000_000;

/// When every test begins. The slot leaves room for a restart before it.
const BEGINNING: Now = Now {
    slot: 100_000,
    unix: 1_800_000_000,
    last_restart_slot: 0,
};

/// A bank and the time that its programs see.
pub struct Cluster {
    bank: Bank,
    now: Now,
    signatures: BTreeSet<[u8; 64]>,
    touched: BTreeSet<Pubkey>,
    units: BTreeMap<(&'static str, String), u64>,
    prefund: bool,
    probe: Option<Probe>,
    /// Keypairs made so far.
    keys: u64,
    /// Fees of all transactions so far.
    fees_lamports: u64,
}

impl Cluster {
    /// Starts a whole bank with the programs under `upgrade_authority`. Panics with what to do when they are not compiled.
    pub fn start(upgrade_authority: &Pubkey) -> Self {
        Self::on(Bank::whole(upgrade_authority))
    }

    /// Starts the virtual machine alone: nothing but a transaction's execution, so that histories of many transactions are affordable. Can be forked.
    pub fn start_light(upgrade_authority: &Pubkey) -> Self {
        Self::on(Bank::light(upgrade_authority))
    }

    fn on(bank: Bank) -> Self {
        let mut cluster = Self {
            bank,
            now: BEGINNING,
            signatures: BTreeSet::new(),
            touched: BTreeSet::new(),
            units: BTreeMap::new(),
            prefund: false,
            probe: None,
            keys: 0,
            fees_lamports: 0,
        };
        cluster.set_now(BEGINNING);
        cluster
    }

    /// The same cluster once more, in the same state; what is done with one does not change the other. Only a light one can be forked.
    pub fn fork(&self) -> Option<Self> {
        Some(Self {
            bank: self.bank.fork()?,
            now: self.now,
            signatures: self.signatures.clone(),
            touched: self.touched.clone(),
            units: self.units.clone(),
            prefund: self.prefund,
            probe: None,
            keys: self.keys,
            fees_lamports: self.fees_lamports,
        })
    }

    pub fn now(&self) -> Now {
        self.now
    }

    /// Sets slot, clock and last restart. Programs read the time from the sysvars only.
    pub fn set_now(&mut self, now: Now) {
        self.now = now;
        let clock = Clock {
            slot: now.slot,
            epoch_start_timestamp: BEGINNING.unix,
            epoch: 0,
            leader_schedule_epoch: 1,
            unix_timestamp: now.unix,
        };
        let restart = LastRestartSlot {
            last_restart_slot: now.last_restart_slot,
        };
        self.bank.set_time(&clock, &restart);
    }

    /// Lets `slots` pass, at 400 ms a slot and the clock rounded up.
    pub fn pass_slots(&mut self, slots: u64) {
        let seconds = i64::try_from((slots * 2).div_ceil(5)).expect("a test does not last that long");
        self.set_now(Now {
            slot: self.now.slot + slots,
            unix: self.now.unix + seconds,
            ..self.now
        });
    }

    /// Writes the hashes of the slots before the present one, as the chain would remember them: all had a block but those of `skipped`.
    pub fn set_slot_hashes(&mut self, skipped: impl Fn(u64) -> bool) {
        const REMEMBERED: usize = 512;
        let slots = (0..self.now.slot).rev().filter(|slot| !skipped(*slot));
        let hashes: Vec<_> = slots
            .take(REMEMBERED)
            .map(|slot| (slot, slot_hash(slot).into()))
            .collect();
        self.bank.set_slot_hashes(&SlotHashes::new(&hashes));
    }

    /// Lets time pass until this slot.
    pub fn pass_until_slot(&mut self, slot: u64) {
        let passed = slot.checked_sub(self.now().slot).expect("the slot is still to come");
        self.pass_slots(passed);
    }

    /// Lets the clock go on until a Unix time, and the slots with it.
    pub fn pass_until_unix(&mut self, unix: i64) {
        let seconds = u64::try_from(unix - self.now.unix).expect("time does not go back");
        self.set_now(Now {
            slot: self.now.slot + (seconds * 5).div_ceil(2),
            unix,
            ..self.now
        });
    }

    /// A new keypair. The same in every run, so that every address and what it costs to find it is.
    pub fn key(&mut self) -> Keypair {
        self.keys += 1;
        numbered_key(self.keys)
    }

    /// The keypair of an address that was made here.
    pub fn keypair_of(&self, address: &Pubkey) -> Keypair {
        (0..=self.keys)
            .map(numbered_key)
            .find(|keypair| keypair.pubkey() == *address)
            .unwrap_or_else(|| panic!("nobody here has the address {address}"))
    }

    /// A new keypair with lamports.
    pub fn actor(&mut self) -> Keypair {
        let keypair = self.key();
        self.set_lamports(&keypair.pubkey(), ACTOR_LAMPORTS);
        keypair
    }

    /// Makes an address hold this much and nothing else.
    pub fn set_lamports(&mut self, address: &Pubkey, lamports: u64) {
        self.set_account(address, Account::new(lamports, 0, &solana_sdk_ids::system_program::ID));
    }

    pub fn set_account(&mut self, address: &Pubkey, account: Account) {
        self.bank.set_account(address, account);
    }

    /// The account at an address, or `None` when there is none.
    pub fn account(&self, address: &Pubkey) -> Option<Account> {
        self.bank.account(address).filter(|account| account.lamports > 0)
    }

    /// Whether there is an account, if only one with lamports.
    pub fn exists(&self, address: &Pubkey) -> bool {
        self.account(address).is_some()
    }

    /// Whether a program has made an account there.
    pub fn is_made(&self, address: &Pubkey) -> bool {
        self.account(address).is_some_and(|account| !account.data.is_empty())
    }

    pub fn lamports(&self, address: &Pubkey) -> u64 {
        self.account(address).map_or(0, |account| account.lamports)
    }

    /// Reads an account of one of the programs.
    #[track_caller]
    pub fn read<T: AccountDeserialize>(&self, address: &Pubkey) -> T {
        let account = self
            .account(address)
            .unwrap_or_else(|| panic!("there is no account at {address}"));
        T::try_deserialize(&mut account.data.as_slice()).unwrap_or_else(|error| panic!("{address}: {error}"))
    }

    /// Units in a token account, 0 when there is none.
    pub fn tokens(&self, token_account: &Pubkey) -> u64 {
        self.account(token_account)
            .filter(|account| !account.data.is_empty())
            .map_or(0, |account| {
                let amount = account.data.get(64..72).and_then(|bytes| bytes.try_into().ok());
                u64::from_le_bytes(amount.unwrap_or_else(|| panic!("{token_account} is no token account")))
            })
    }

    pub fn rent_of(&self, bytes: usize) -> u64 {
        Rent::default().minimum_balance(bytes)
    }

    /// Puts a payment mint of six decimals at an address.
    pub fn create_mint(&mut self, mint: &Pubkey, authority: &Pubkey) {
        self.put_mint(
            mint,
            spl_token::state::Mint {
                mint_authority: Some(*authority).into(),
                supply: 0,
                decimals: 6,
                is_initialized: true,
                freeze_authority: Some(*authority).into(),
            },
        );
    }

    /// Puts the mint of wrapped SOL where every cluster has it.
    pub fn create_native_mint(&mut self) {
        self.put_mint(
            &spl_token::native_mint::ID,
            spl_token::state::Mint {
                mint_authority: None.into(),
                supply: 0,
                decimals: spl_token::native_mint::DECIMALS,
                is_initialized: true,
                freeze_authority: None.into(),
            },
        );
    }

    fn put_mint(&mut self, address: &Pubkey, mint: spl_token::state::Mint) {
        use anchor_lang::solana_program::program_pack::Pack;
        let mut data = vec![0; spl_token::state::Mint::LEN];
        mint.pack_into_slice(&mut data);
        let lamports = self.rent_of(data.len());
        let owner = spl_token::ID;
        self.set_account(
            address,
            Account {
                lamports,
                data,
                owner,
                executable: false,
                rent_epoch: u64::MAX,
            },
        );
    }

    /// From now on, somebody has sent a lamport to every address before an account is made there; those whose key has to sign are left out.
    pub fn prefund_new_accounts(&mut self) {
        self.prefund = true;
    }

    /// From now on, every instruction is tried out with other accounts and without signatures before it is sent.
    pub fn probe_instructions(&mut self) {
        self.probe = Some(Probe::new(self.actor()));
    }

    /// What the probe found since it began.
    pub fn probe(&self) -> &Probe {
        self.probe.as_ref().expect("the instructions are probed")
    }

    /// The most compute units that each instruction used so far, by program and name.
    pub fn units(&self) -> &BTreeMap<(&'static str, String), u64> {
        &self.units
    }

    /// Sends a transaction whose fee the first signer pays, and waits for it.
    pub fn send(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Landed, Refused> {
        if self.prefund {
            self.prefund(instructions);
        }
        if let Some(mut probe) = self.probe.take() {
            probe.run(self, instructions, signers);
            self.probe = Some(probe);
        }
        let (transaction, bytes) = self.sign(instructions, signers);
        assert!(
            bytes <= MAX_TRANSACTION_BYTES,
            "the transaction has {bytes} bytes and fits no packet"
        );
        self.fees_lamports += LAMPORTS_PER_SIGNATURE * (transaction.signatures.len() as u64 + checked(instructions));
        let Executed {
            result,
            logs,
            compute_units,
        } = self.bank.process(transaction);
        if let Err(error) = result {
            return Err(Refused { error, logs });
        }
        let landed = Landed::new(logs, compute_units, bytes);
        for used in &landed.instructions {
            let most = self.units.entry((used.program, used.instruction.clone())).or_default();
            *most = used.compute_units.max(*most);
        }
        Ok(landed)
    }

    fn prefund(&mut self, instructions: &[Instruction]) {
        let metas = || instructions.iter().flat_map(|instruction| &instruction.accounts);
        let signing: BTreeSet<_> = metas().filter(|meta| meta.is_signer).map(|meta| meta.pubkey).collect();
        for meta in metas().filter(|meta| meta.is_writable && !signing.contains(&meta.pubkey)) {
            if !self.exists(&meta.pubkey) {
                self.set_lamports(&meta.pubkey, 1);
            }
        }
    }

    /// Whether a transaction would be accepted now, and its logs. Changes nothing.
    pub fn try_out(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Vec<String>, Refused> {
        let (transaction, _) = self.sign(instructions, signers);
        let Executed { result, logs, .. } = self.bank.simulate(transaction);
        match result {
            Ok(()) => Ok(logs),
            Err(error) => Err(Refused { error, logs }),
        }
    }

    /// What all transactions so far paid in fees, those too that were refused when they ran.
    pub fn fees_lamports(&self) -> u64 {
        self.fees_lamports
    }

    /// Every account that a transaction named so far.
    pub fn touched(&self) -> &BTreeSet<Pubkey> {
        &self.touched
    }

    fn sign(&mut self, instructions: &[Instruction], signers: &[&Keypair]) -> (VersionedTransaction, usize) {
        let payer = signers.first().expect("somebody pays the fee").pubkey();
        // The same instructions can be sent again under another blockhash.
        let transaction = loop {
            let message = Message::new(instructions, Some(&payer));
            let required = &message.account_keys[..usize::from(message.header.num_required_signatures)];
            let signers: Vec<&Keypair> = signers
                .iter()
                .filter(|signer| required.contains(&signer.pubkey()))
                .copied()
                .collect();
            let is_given = |key: &Pubkey| signers.iter().any(|signer| signer.pubkey() == *key);
            assert!(required.iter().all(is_given), "who must sign is given");
            let transaction = self.bank.transaction(message, &signers);
            let signature = transaction.signatures.first().expect("the payer signed");
            if !self.bank.is_signed() || self.signatures.insert(*signature.as_array()) {
                break transaction;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let bytes = 1 + 64 * transaction.signatures.len() + transaction.message_data().len();
        self.touched.extend(&transaction.message.account_keys);
        (transaction.into(), bytes)
    }
}

/// Signatures that the Ed25519 program checks in a transaction, which are paid like its own.
fn checked(instructions: &[Instruction]) -> u64 {
    let checks = instructions
        .iter()
        .filter(|instruction| instruction.program_id == solana_sdk_ids::ed25519_program::ID);
    checks
        .filter_map(|check| check.data.first())
        .map(|count| u64::from(*count))
        .sum()
}

/// The keypair with this number.
pub(crate) fn numbered_key(number: u64) -> Keypair {
    Keypair::new_from_array(opml::hashv(&[b"imo-tests", &number.to_le_bytes()]))
}

/// The hash of a slot's block.
pub fn slot_hash(slot: u64) -> [u8; 32] {
    opml::hashv(&[b"imo-tests slot", &slot.to_le_bytes()])
}
