//! `imo airdrop`: asks a local cluster for money.

use std::process::ExitCode;

use super::api::{AirdropRequest, AirdropResponse};
use crate::{
    cli::AirdropArgs,
    error::{OrUserError, UserError},
};

pub fn run(args: &AirdropArgs) -> anyhow::Result<ExitCode> {
    let AirdropArgs {
        address,
        sol,
        usdc,
        api,
    } = args;
    let request = AirdropRequest {
        address: address.to_string(),
        sol: *sol,
        usdc: *usdc,
    };
    let body = serde_json::to_vec(&request)?;
    let url = format!("{}/airdrop", api.trim_end_matches('/'));
    let answer = tokio::runtime::Runtime::new()?.block_on(async {
        let response = reqwest::Client::new()
            .post(&url)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .or_user_error_with(|_| format!("No local cluster answers at {api}: `imo localnet` starts one."))?;
        let status = response.status();
        let text = response.text().await?;
        if status.is_client_error() {
            let answer: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let why = answer["error"].as_str().unwrap_or(&text).to_owned();
            return Err(UserError::new(why).into());
        }
        anyhow::ensure!(status.is_success(), "{url} answers {status}: {text}");
        Ok(serde_json::from_str::<AirdropResponse>(&text)?)
    })?;
    println!("{address} has got {sol} SOL and {usdc} USDC");
    for signature in answer.signatures {
        println!("{signature}");
    }
    Ok(ExitCode::SUCCESS)
}
