//! A local cluster with the programs, spoken to over JSON-RPC like any other.

mod embedded;
mod programs;

use std::time::{SystemTime, UNIX_EPOCH};

use anchor_lang::{AccountDeserialize, prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::{Context, anyhow};
use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::{config::RpcTransactionConfig, request::RpcRequest};
use solana_transaction::Transaction;
use solana_transaction_status_client_types::{
    UiTransactionEncoding, UiTransactionTokenBalance, option_serializer::OptionSerializer,
};

pub use embedded::{Accounts, Blocks, Settings};
pub use programs::{Program, load, workspace_folder};

use crate::rpc;
use embedded::Embedded;

/// Length of a slot, in milliseconds: what mainnet aims at and what the programs' deadlines count with.
pub const SLOT_MILLISECONDS: u64 = 400;

/// More slots than any rounding of seconds hides.
const MARGIN_SLOTS: u64 = 10;

/// Most bytes that a transaction may have on the wire.
const MAX_TRANSACTION_BYTES: usize = 1_232;

/// A transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Base58.
    pub signature: String,
    pub compute_units: u64,
    /// Size on the wire.
    pub bytes: u64,
    /// The token balances that it changed.
    pub moved: Vec<Moved>,
}

/// A token balance before and after a transaction, in units.
#[derive(Clone, Copy, Debug)]
pub struct Moved {
    pub token_account: Pubkey,
    pub before: u64,
    pub after: u64,
}

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
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        let meta = self
            .rpc
            .get_transaction_with_config(&signature, config)
            .context("A confirmed transaction was not found")?
            .transaction
            .meta
            .with_context(|| format!("The cluster said nothing about {signature}"))?;
        let OptionSerializer::Some(compute_units) = meta.compute_units_consumed else {
            anyhow::bail!("The cluster did not say how many compute units {signature} took");
        };
        let moved = moved(&transaction, meta.pre_token_balances, meta.post_token_balances);
        Ok(Landed {
            signature: signature.to_string(),
            compute_units,
            bytes: bytes as u64,
            moved,
        })
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

type TokenBalances = OptionSerializer<Vec<UiTransactionTokenBalance>>;

/// The token balances that differ, in the order of the transaction's accounts.
fn moved(transaction: &Transaction, before: TokenBalances, after: TokenBalances) -> Vec<Moved> {
    let units = |balances: &TokenBalances, index: usize| match balances {
        OptionSerializer::Some(balances) => balances
            .iter()
            .find(|balance| usize::from(balance.account_index) == index)
            .and_then(|balance| balance.ui_token_amount.amount.parse().ok())
            .unwrap_or(0),
        _ => 0u64,
    };
    let accounts = transaction.message.account_keys.iter().enumerate();
    accounts
        .map(|(index, key)| Moved {
            token_account: *key,
            before: units(&before, index),
            after: units(&after, index),
        })
        .filter(|moved| moved.before != moved.after)
        .collect()
}

/// This machine's clock.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Gives a compute budget to a transaction that needs more than the default of 200,000 an instruction.
pub fn with_compute_limit(units: u32, instructions: impl IntoIterator<Item = Instruction>) -> Vec<Instruction> {
    std::iter::once(ComputeBudgetInstruction::set_compute_unit_limit(units))
        .chain(instructions)
        .collect()
}
