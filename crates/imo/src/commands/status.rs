//! `imo status`: one account of the programs.

use std::process::ExitCode;

use imo_client::accounts::Account;
use solana_commitment_config::CommitmentConfig;

use crate::{
    cli::StatusArgs,
    error::{OrUserError, UserError},
    rpc,
};

pub fn run(StatusArgs { url, address }: &StatusArgs) -> anyhow::Result<ExitCode> {
    let rpc = rpc::connect(url)?;
    let found = rpc
        .get_account_with_commitment(address, CommitmentConfig::confirmed())
        .or_user_error_with(|error| format!("The RPC {url} cannot read {address}: {error}."))?
        .value
        .ok_or_else(|| UserError::new(format!("There is no account at {address}.")))?;
    let account = Account::decode(&found.owner, &found.data).or_user_error()?;
    println!("{account}");
    Ok(ExitCode::SUCCESS)
}
