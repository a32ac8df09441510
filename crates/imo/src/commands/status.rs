//! `imo status`: one account of the programs.

use std::process::ExitCode;

use imo_client::accounts::Account;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::rpc_client::RpcClient;

use crate::{
    cli::StatusArgs,
    error::{OrUserError, UserError},
};

pub fn run(StatusArgs { url, address }: &StatusArgs) -> anyhow::Result<ExitCode> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(UserError::new(format!(
            "{url} is not an RPC address: it starts with http:// or https://."
        ))
        .into());
    }
    let rpc = RpcClient::new_with_commitment(url, CommitmentConfig::confirmed());
    // The account's own request words a connection that fails as an account that is missing.
    rpc.get_version()
        .or_user_error_with(|_| format!("The RPC {url} does not answer."))?;
    let found = rpc
        .get_account_with_commitment(address, CommitmentConfig::confirmed())
        .or_user_error_with(|error| format!("The RPC {url} cannot read {address}: {error}."))?
        .value
        .ok_or_else(|| UserError::new(format!("There is no account at {address}.")))?;
    let account = Account::decode(&found.owner, &found.data).or_user_error()?;
    println!("{account}");
    Ok(ExitCode::SUCCESS)
}
