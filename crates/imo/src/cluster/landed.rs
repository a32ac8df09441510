//! Transactions that succeeded.

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_protocol::ids;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Signature;
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_transaction_status_client_types::{
    UiTransactionEncoding, UiTransactionTokenBalance, option_serializer::OptionSerializer,
};

/// A transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Landed {
    /// Base58.
    pub signature: String,
    pub slot: u64,
    pub compute_units: u64,
    /// Size on the wire.
    pub bytes: u64,
    /// Names of the instructions of the four programs that it has itself, such as `PostReport`.
    pub instructions: Vec<String>,
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

/// Reads what the cluster says of a transaction that is confirmed.
pub fn read(rpc: &RpcClient, signature: &Signature) -> anyhow::Result<Landed> {
    let config = RpcTransactionConfig {
        encoding: Some(UiTransactionEncoding::Base64),
        commitment: Some(CommitmentConfig::confirmed()),
        max_supported_transaction_version: Some(0),
    };
    let found = rpc
        .get_transaction_with_config(signature, config)
        .context("A confirmed transaction was not found")?;
    let transaction = found
        .transaction
        .transaction
        .decode()
        .with_context(|| format!("The cluster's copy of {signature} was not decoded"))?;
    let meta = found
        .transaction
        .meta
        .with_context(|| format!("The cluster said nothing about {signature}"))?;
    let OptionSerializer::Some(compute_units) = meta.compute_units_consumed else {
        anyhow::bail!("The cluster did not say how many compute units {signature} took");
    };
    let logs = match meta.log_messages {
        OptionSerializer::Some(logs) => logs,
        _ => Vec::new(),
    };
    let keys = transaction.message.static_account_keys();
    Ok(Landed {
        signature: signature.to_string(),
        slot: found.slot,
        compute_units,
        bytes: bincode::serialized_size(&transaction)?,
        instructions: instructions(&logs),
        moved: moved(keys, &meta.pre_token_balances, &meta.post_token_balances),
    })
}

/// The names that the programs write when they are called from outside.
fn instructions(logs: &[String]) -> Vec<String> {
    let programs = [
        ids::MODEL_TOKEN,
        ids::YIELD_DISTRIBUTOR,
        ids::OPML_ORACLE,
        ids::REVENUE_ESCROW,
    ];
    let begins = programs.map(|program| format!("Program {program} invoke [1]"));
    let calls = logs.windows(2).filter(|lines| begins.contains(&lines[0]));
    calls
        .filter_map(|lines| lines[1].strip_prefix("Program log: Instruction: "))
        .map(str::to_owned)
        .collect()
}

type TokenBalances = OptionSerializer<Vec<UiTransactionTokenBalance>>;

/// The token balances that differ, in the order of the transaction's accounts.
fn moved(keys: &[Pubkey], before: &TokenBalances, after: &TokenBalances) -> Vec<Moved> {
    let units = |balances: &TokenBalances, index: usize| match balances {
        OptionSerializer::Some(balances) => balances
            .iter()
            .find(|balance| usize::from(balance.account_index) == index)
            .and_then(|balance| balance.ui_token_amount.amount.parse().ok())
            .unwrap_or(0),
        _ => 0u64,
    };
    keys.iter()
        .enumerate()
        .map(|(index, key)| Moved {
            token_account: *key,
            before: units(before, index),
            after: units(after, index),
        })
        .filter(|moved| moved.before != moved.after)
        .collect()
}
