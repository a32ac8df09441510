//! Reading the chain: every transaction that names one of the programs, from where the last round ended.
//!
//! A round lists what came since the cursors, adds what is missing in its order, notes what has become final, forgets what was dropped, and only then moves the
//! cursors, over what is final alone. So it does not matter where a round is broken off, nor how often something is read.

use std::collections::{HashMap, HashSet};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use imo_client::events;
use imo_protocol::ids;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::{nonblocking::rpc_client::RpcClient, rpc_client::GetConfirmedSignaturesForAddress2Config};
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_transaction_status_client_types::{
    TransactionConfirmationStatus, UiTransactionEncoding, option_serializer::OptionSerializer,
};

use super::{
    database::{Database, NewEvent, NewTransaction},
    events::decode,
    fields::FieldValue,
    moves::Said,
};

/// Most signatures that an RPC lists at a time.
const PAGE: usize = 1_000;

/// Transactions that are fetched at the same time.
const AT_ONCE: usize = 8;

const PROGRAMS: [Pubkey; 4] = [
    ids::MODEL_TOKEN,
    ids::REVENUE_ESCROW,
    ids::YIELD_DISTRIBUTOR,
    ids::OPML_ORACLE,
];

/// A transaction as an RPC lists it.
#[derive(Clone, Debug)]
struct Listed {
    signature: String,
    slot: u64,
    unix: Option<i64>,
    finalised: bool,
    failed: bool,
}

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub added: u64,
    pub finalised: u64,
    pub forgotten: u64,
}

/// Reads the chain into the database.
pub struct Follower {
    rpc: RpcClient,
    database: Database,
}

impl Follower {
    pub fn new(rpc: impl Into<String>, database: Database) -> Self {
        let rpc = RpcClient::new_with_commitment(rpc.into(), CommitmentConfig::confirmed());
        Self::with_client(rpc, database)
    }

    /// What the client says counts once it is confirmed.
    pub fn with_client(rpc: RpcClient, database: Database) -> Self {
        Self { rpc, database }
    }

    /// Brings the database up to what the chain says now.
    pub async fn round(&self) -> anyhow::Result<Progress> {
        let mut progress = Progress::default();
        // Read first: what is final now is in the lists that are read afterwards, unless it was dropped.
        let final_slot = self
            .rpc
            .get_slot_with_commitment(CommitmentConfig::finalized())
            .await
            .context("the RPC does not say which slot is final")?;
        let mut lists = HashMap::new();
        for program in PROGRAMS {
            lists.insert(program, self.list(&program).await?);
        }
        let mut seen = HashSet::new();
        let mut all: Vec<&Listed> = PROGRAMS
            .iter()
            .filter_map(|program| lists.get(program))
            .flatten()
            .filter(|listed| seen.insert(&listed.signature))
            .collect();
        all.sort_by_key(|listed| listed.slot);

        let mut missing = Vec::new();
        for listed in all.iter().filter(|listed| !listed.failed) {
            match self.database.is_finalised(&listed.signature).await? {
                None => missing.push((*listed).clone()),
                Some(false) if listed.finalised => {
                    self.database.finalise(&listed.signature, listed.unix).await?;
                    progress.finalised += 1;
                }
                Some(_) => {}
            }
        }
        let mut fetched = stream::iter(missing).map(|listed| self.fetch(listed)).buffered(AT_ONCE);
        while let Some(transaction) = fetched.try_next().await? {
            self.database.add(&transaction).await?;
            progress.added += 1;
        }
        for signature in self.database.pending_until(final_slot).await? {
            if !seen.contains(&signature) {
                tracing::warn!(signature, "a transaction was dropped with its fork");
                self.database.forget(&signature).await?;
                progress.forgotten += 1;
            }
        }
        for (program, list) in &lists {
            if let Some(last) = list.iter().take_while(|listed| listed.finalised).last() {
                self.database.set_cursor(&program.to_string(), &last.signature).await?;
            }
        }
        Ok(progress)
    }

    /// What came since the cursor, the oldest first.
    async fn list(&self, program: &Pubkey) -> anyhow::Result<Vec<Listed>> {
        let until = self.database.cursor(&program.to_string()).await?;
        let until: Option<Signature> = until.map(|until| until.parse()).transpose()?;
        let mut list = Vec::new();
        let mut before = None;
        loop {
            let config = GetConfirmedSignaturesForAddress2Config {
                before,
                until,
                limit: Some(PAGE),
                commitment: Some(CommitmentConfig::confirmed()),
            };
            let page = self
                .rpc
                .get_signatures_for_address_with_config(program, config)
                .await
                .with_context(|| format!("the RPC does not list the transactions of {program}"))?;
            let Some(oldest) = page.last() else { break };
            let next: Signature = oldest.signature.parse()?;
            let is_last = page.len() < PAGE;
            list.extend(page.into_iter().map(|listed| Listed {
                finalised: listed.confirmation_status == Some(TransactionConfirmationStatus::Finalized),
                failed: listed.err.is_some(),
                signature: listed.signature,
                slot: listed.slot,
                unix: listed.block_time,
            }));
            if is_last {
                break;
            }
            before = Some(next);
        }
        list.reverse();
        Ok(list)
    }

    async fn fetch(&self, listed: Listed) -> anyhow::Result<NewTransaction> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        let signature: Signature = listed.signature.parse()?;
        let found = self
            .rpc
            .get_transaction_with_config(&signature, config)
            .await
            .with_context(|| format!("the RPC lists {signature} and does not have it"))?;
        // A block that has just been made may not have its time yet.
        let unix = match found.block_time.or(listed.unix) {
            None => self.rpc.get_block_time(listed.slot).await.ok(),
            known => known,
        };
        let logs = match found.transaction.meta.map(|meta| meta.log_messages) {
            Some(OptionSerializer::Some(logs)) => Some(logs),
            _ => None,
        };
        let mut said = found
            .transaction
            .transaction
            .decode()
            .map(|transaction| Said::of(&transaction));
        let emitted = events::all(logs.as_deref().unwrap_or_default());
        let decoded = emitted.events.iter().filter_map(|raw| decode(&raw.program, &raw.data));
        let events = decoded.map(|event| {
            let mut body = event.fields.json();
            if event.name == "DisputeMoved"
                && let Some(FieldValue::Other(kind)) = event.fields.get("kind")
                && let Some(kind) = kind.as_u64().and_then(|kind| u8::try_from(kind).ok())
                && let Some(said) = said.as_mut().and_then(|said| said.take(kind))
            {
                body["said"] = said;
            }
            NewEvent {
                program: event.program,
                name: event.name,
                fields: event.fields,
                body,
            }
        });
        Ok(NewTransaction {
            events: events.collect(),
            unix,
            finalised: listed.finalised,
            complete: logs.is_some() && emitted.complete,
            slot: listed.slot,
            signature: listed.signature,
        })
    }
}
