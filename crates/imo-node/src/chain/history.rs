//! What was done to an account, in the words of the transactions: what an instruction said is nowhere else once it is done.

use std::str::FromStr;

use anchor_lang::prelude::Pubkey;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_transaction_status_client_types::{
    EncodedTransactionWithStatusMeta, UiInstruction, UiTransactionEncoding, option_serializer::OptionSerializer,
};

use super::{ChainError, Rpc, rpc::unreachable};

/// Signatures of one answer.
const PAGE: usize = 1_000;

/// Answers that are read. Whoever fills more than these to hide something pays for every transaction.
const PAGES: usize = 64;

/// An instruction that was performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Performed {
    pub program: Pubkey,
    pub accounts: Vec<Pubkey>,
    pub data: Vec<u8>,
}

impl Rpc {
    /// The instructions of all transactions that named an account and succeeded, the oldest first; those that programs sent to each other, too.
    pub async fn history(&self, address: &Pubkey) -> Result<Vec<Performed>, ChainError> {
        let mut signatures = Vec::new();
        let mut before = None;
        for _ in 0..PAGES {
            let config = GetConfirmedSignaturesForAddress2Config {
                before,
                until: None,
                limit: Some(PAGE),
                commitment: Some(CommitmentConfig::confirmed()),
            };
            let page = self
                .client
                .get_signatures_for_address_with_config(address, config)
                .await
                .map_err(unreachable)?;
            let is_last = page.len() < PAGE;
            before = page.last().and_then(|last| Signature::from_str(&last.signature).ok());
            signatures.extend(page.into_iter().filter(|status| status.err.is_none()));
            if is_last || before.is_none() {
                break;
            }
        }
        let mut performed = Vec::new();
        for status in signatures.iter().rev() {
            let signature = Signature::from_str(&status.signature).map_err(unreachable)?;
            let config = RpcTransactionConfig {
                encoding: Some(UiTransactionEncoding::Base64),
                commitment: Some(CommitmentConfig::confirmed()),
                max_supported_transaction_version: Some(0),
            };
            let found = self
                .client
                .get_transaction_with_config(&signature, config)
                .await
                .map_err(unreachable)?;
            performed.extend(instructions(&found.transaction).unwrap_or_default());
        }
        Ok(performed)
    }
}

/// `None` for a transaction in a form that was not asked for.
fn instructions(transaction: &EncodedTransactionWithStatusMeta) -> Option<Vec<Performed>> {
    let meta = transaction.meta.as_ref()?;
    let decoded = transaction.transaction.decode()?;
    let mut keys = decoded.message.static_account_keys().to_vec();
    if let OptionSerializer::Some(loaded) = &meta.loaded_addresses {
        let loaded = loaded.writable.iter().chain(&loaded.readonly);
        keys.extend(loaded.filter_map(|key| Pubkey::from_str(key).ok()));
    }
    let resolve = |program: u8, accounts: &[u8], data: Vec<u8>| {
        let key = |index: &u8| keys.get(usize::from(*index)).copied();
        Some(Performed {
            program: key(&program)?,
            accounts: accounts.iter().map(key).collect::<Option<_>>()?,
            data,
        })
    };
    let inner = match &meta.inner_instructions {
        OptionSerializer::Some(inner) => inner.as_slice(),
        _ => &[],
    };
    let mut performed = Vec::new();
    for (index, outer) in decoded.message.instructions().iter().enumerate() {
        performed.push(resolve(outer.program_id_index, &outer.accounts, outer.data.clone())?);
        let below = inner.iter().filter(|inner| usize::from(inner.index) == index);
        for instruction in below.flat_map(|inner| &inner.instructions) {
            if let UiInstruction::Compiled(compiled) = instruction {
                let data = bs58::decode(&compiled.data).into_vec().ok()?;
                performed.push(resolve(compiled.program_id_index, &compiled.accounts, data)?);
            }
        }
    }
    Some(performed)
}
