//! What every command needs of a cluster.

use anchor_lang::{
    AccountDeserialize,
    prelude::{Clock, Pubkey},
    solana_program::instruction::Instruction,
};
use anyhow::{Context, anyhow};
use imo_client::errors;
use imo_protocol::Now;
use solana_commitment_config::CommitmentConfig;
use solana_keypair::{Keypair, Signer};
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::{
    client_error::{Error as ClientError, ErrorKind},
    request::{RpcError, RpcResponseErrorData},
};
use solana_transaction::Transaction;

use crate::error::{OrUserError, UserError};

/// A connection to an RPC that answers.
pub fn connect(url: &str) -> anyhow::Result<RpcClient> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(UserError::new(format!(
            "{url} is not an RPC address: it starts with http:// or https://."
        ))
        .into());
    }
    let rpc = RpcClient::new_with_commitment(url, CommitmentConfig::confirmed());
    // A request for an account words a connection that fails as an account that is missing.
    rpc.get_version()
        .or_user_error_with(|_| format!("The RPC {url} does not answer."))?;
    Ok(rpc)
}

/// Reads and decodes an account of the programs; `None` when there is none.
pub fn find_account<T: AccountDeserialize>(rpc: &RpcClient, address: &Pubkey) -> anyhow::Result<Option<T>> {
    rpc.get_account_with_commitment(address, CommitmentConfig::confirmed())
        .with_context(|| format!("The account {address} was not read"))?
        .value
        .map(|account| T::try_deserialize(&mut account.data.as_slice()))
        .transpose()
        .with_context(|| format!("The account {address} was not decoded"))
}

/// The time as the programs see it.
pub fn now(rpc: &RpcClient) -> anyhow::Result<Now> {
    use solana_sdk_ids::sysvar;
    let data = |address: &Pubkey| {
        rpc.get_account_data(address)
            .with_context(|| format!("The sysvar {address} was not read"))
    };
    let clock: Clock = bincode::deserialize(&data(&sysvar::clock::ID)?).context("The clock was not decoded")?;
    let last_restart_slot: u64 =
        bincode::deserialize(&data(&sysvar::last_restart_slot::ID)?).context("The last restart was not decoded")?;
    Ok(Now {
        slot: clock.slot,
        unix: clock.unix_timestamp,
        last_restart_slot,
    })
}

/// Sends one transaction, signed and paid by `signer`, and waits until it is confirmed. Returns its signature.
pub fn send(rpc: &RpcClient, instructions: &[Instruction], signer: &Keypair) -> anyhow::Result<String> {
    let blockhash = rpc.get_latest_blockhash().context("No block hash")?;
    let mut transaction = Transaction::new_with_payer(instructions, Some(&signer.pubkey()));
    transaction
        .try_sign(&[signer], blockhash)
        .context("A signature is missing")?;
    let signature = rpc.send_and_confirm_transaction(&transaction).map_err(explain)?;
    Ok(signature.to_string())
}

/// A program's refusal in its own words.
pub fn explain(error: ClientError) -> anyhow::Error {
    let logs = match error.kind() {
        ErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(simulation),
            ..
        }) => simulation.logs.clone().unwrap_or_default(),
        _ => Vec::new(),
    };
    match errors::from_logs(&logs) {
        Some(refusal) => anyhow!("{refusal}"),
        None => anyhow!("{error}\n{}", logs.join("\n")),
    }
}
