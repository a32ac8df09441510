//! A local cluster with the programs, spoken to over JSON-RPC like any other.

mod embedded;
mod landed;
mod programs;

use std::time::{SystemTime, UNIX_EPOCH};

use anchor_lang::{AccountDeserialize, prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::{Context, anyhow};
use solana_commitment_config::CommitmentConfig;
use solana_keypair::{Keypair, Signature};
use solana_rpc_client::rpc_client::{GetConfirmedSignaturesForAddress2Config, RpcClient};
use solana_rpc_client_api::request::RpcRequest;
use solana_transaction::Transaction;

pub use embedded::{Accounts, Blocks, Settings};
pub use landed::Landed;
pub use programs::{Program, load, workspace_folder};

use crate::rpc;
use embedded::Embedded;

/// Length of a slot, in milliseconds: what mainnet aims at and what the programs' deadlines count with.
pub const SLOT_MILLISECONDS: u64 = 400;

/// More slots than any rounding of seconds hides.
const MARGIN_SLOTS: u64 = 10;

/// Most bytes that a transaction may have on the wire.
const MAX_TRANSACTION_BYTES: usize = 1_232;

/// What the cluster's clock shows.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    pub slot: u64,
    /// Unix seconds.
    pub unix: i64,
}

/// The cluster and a connection to it. It ends when this is dropped.
pub struct Cluster {
    embedded: Embedded,
    rpc: RpcClient,
}

impl Cluster {
    /// Starts the cluster with the programs deployed under `upgrade_authority`.
    pub fn start(mut settings: Settings, programs: &[Program], upgrade_authority: &Pubkey) -> anyhow::Result<Self> {
        for program in programs {
            settings.accounts.extend(program.accounts(upgrade_authority)?);
        }
        let embedded = Embedded::start(settings)?;
        let rpc = RpcClient::new_with_commitment(embedded.rpc_url.clone(), CommitmentConfig::confirmed());
        Ok(Self { embedded, rpc })
    }

    /// Ends the cluster and frees its ports.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.embedded.stop()
    }

    /// All accounts but programs and what the cluster itself makes.
    pub fn accounts(&self) -> anyhow::Result<Accounts> {
        self.embedded.accounts()
    }

    /// Makes blocks in another way from now on.
    pub fn make_blocks(&self, blocks: Blocks) -> anyhow::Result<()> {
        self.embedded.make_blocks(blocks)
    }

    /// The slot that the clock shows at a time, if nobody turns it.
    pub fn slot_at(&self, unix_ms: u64) -> u64 {
        let passed = unix_ms.saturating_sub(self.embedded.genesis_unix_ms) / SLOT_MILLISECONDS;
        self.embedded.genesis_slot + passed
    }

    /// Time of the first slot, in Unix milliseconds.
    pub fn genesis_unix_ms(&self) -> u64 {
        self.embedded.genesis_unix_ms
    }

    /// Gives lamports that come from nowhere. Returns the signature.
    pub fn airdrop(&self, owner: &Pubkey, lamports: u64) -> anyhow::Result<String> {
        let signature = self
            .rpc
            .request_airdrop(owner, lamports)
            .context("The airdrop was not made")?;
        Ok(signature.to_string())
    }

    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// Where its websocket listens.
    pub fn websocket(&self) -> &str {
        &self.embedded.ws_url
    }

    /// Where its JSON-RPC listens.
    pub fn url(&self) -> &str {
        &self.embedded.rpc_url
    }

    /// What vouchers and the protocol name as the cluster.
    pub fn genesis_hash(&self) -> anyhow::Result<[u8; 32]> {
        Ok(self
            .rpc
            .get_genesis_hash()
            .context("The genesis hash was not read")?
            .to_bytes())
    }

    pub fn now(&self) -> anyhow::Result<Time> {
        // The sysvar is five numbers: slot, start of the epoch, epoch, epoch of the leader schedule, Unix time.
        let data = self
            .rpc
            .get_account_data(&solana_sdk_ids::sysvar::clock::ID)
            .context("The clock was not read")?;
        let number = |at: usize| data.get(at..).and_then(|tail| tail.first_chunk::<8>()).copied();
        match (number(0), number(32)) {
            (Some(slot), Some(unix)) => Ok(Time {
                slot: u64::from_le_bytes(slot),
                unix: i64::from_le_bytes(unix),
            }),
            _ => Err(anyhow!("The clock has {} bytes", data.len())),
        }
    }

    /// Moves the clock to where a deadline `slots` from now is surely past.
    pub fn advance(&self, slots: u64) -> anyhow::Result<()> {
        let target = self.now()?.slot + slots + MARGIN_SLOTS;
        self.travel_to(target)
    }

    /// Moves the clock to a slot, if it is not past it already.
    pub fn travel_to(&self, slot: u64) -> anyhow::Result<()> {
        if self.now()?.slot < slot {
            let method = "surfnet_timeTravel";
            self.rpc
                .send::<serde_json::Value>(
                    RpcRequest::Custom { method },
                    serde_json::json!([{ "absoluteSlot": slot }]),
                )
                .context("The clock did not move")?;
        }
        Ok(())
    }

    /// Sends one transaction and waits until it is confirmed. `fee_payer` is among `signers`.
    pub fn send(
        &self,
        instructions: &[Instruction],
        fee_payer: &Pubkey,
        signers: &[&Keypair],
    ) -> anyhow::Result<Landed> {
        let blockhash = self.rpc.get_latest_blockhash().context("No block hash")?;
        let mut transaction = Transaction::new_with_payer(instructions, Some(fee_payer));
        transaction
            .try_sign(signers, blockhash)
            .context("A signature is missing")?;
        // A compact length byte, the signatures, the message.
        let bytes = 1 + 64 * transaction.signatures.len() + transaction.message_data().len();
        anyhow::ensure!(
            bytes <= MAX_TRANSACTION_BYTES,
            "The transaction has {bytes} bytes, {MAX_TRANSACTION_BYTES} fit"
        );
        let signature = self
            .rpc
            .send_and_confirm_transaction(&transaction)
            .map_err(rpc::explain)?;
        landed::read(&self.rpc, &signature)
    }

    /// The transactions that name an address and came after one of them, the oldest first.
    pub fn transactions_since(&self, address: &Pubkey, last: Option<Signature>) -> anyhow::Result<Vec<Landed>> {
        let config = GetConfirmedSignaturesForAddress2Config {
            before: None,
            until: last,
            limit: None,
            commitment: Some(CommitmentConfig::confirmed()),
        };
        let listed = self
            .rpc
            .get_signatures_for_address_with_config(address, config)
            .context("The transactions of an address were not listed")?;
        let succeeded = listed.iter().rev().filter(|listed| listed.err.is_none());
        succeeded
            .map(|listed| landed::read(&self.rpc, &listed.signature.parse()?))
            .collect()
    }

    /// Reads and decodes an account of the programs.
    pub fn account<T: AccountDeserialize>(&self, address: &Pubkey) -> anyhow::Result<T> {
        let data = self
            .rpc
            .get_account_data(address)
            .with_context(|| format!("The account {address} was not read"))?;
        T::try_deserialize(&mut data.as_slice()).with_context(|| format!("The account {address} was not decoded"))
    }

    /// Like [`Cluster::account`], `None` when there is no such account.
    pub fn find_account<T: AccountDeserialize>(&self, address: &Pubkey) -> anyhow::Result<Option<T>> {
        rpc::find_account(&self.rpc, address)
    }

    /// Lamports that keep an account of that many bytes alive.
    pub fn rent(&self, bytes: usize) -> anyhow::Result<u64> {
        self.rpc
            .get_minimum_balance_for_rent_exemption(bytes)
            .context("The rent was not read")
    }
}

/// This machine's clock.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
