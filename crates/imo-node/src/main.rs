//! The `imo-node` command.
//!
//! Exit codes: 0 stopped as told, or nothing is missing; 1 something is missing or failed.

use std::process::ExitCode;

use clap::Parser;
use imo_node::{
    check::check,
    config::{Cli, Command, Config, LogFormat},
    index::index,
    run,
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    match start(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(cli: Cli) -> anyhow::Result<ExitCode> {
    let ends = cli.until_input_ends;
    match &cli.command {
        Command::Operate(overrides) => {
            let config = Config::load(overrides)?;
            log(config.log);
            run::operate(&config, stopped(ends)?).await?;
        }
        Command::Watch(overrides) => {
            let config = Config::load(overrides)?;
            log(config.log);
            run::watch(&config, stopped(ends)?).await?;
        }
        Command::Index(args) => {
            log(args.log);
            index(args, stopped(ends)?).await?;
        }
        Command::Check(overrides) => {
            let findings = check(&Config::load(overrides)?).await;
            findings.print();
            if !findings.is_good() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// To standard error; `RUST_LOG` says how much.
fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Cancelled by the first SIGTERM or SIGINT, or by the end of standard input if that `ends` the node. A second signal ends the process at once.
fn stopped(ends: bool) -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    if ends {
        let told = stop.clone();
        // Not a task: nothing can interrupt a read from standard input.
        std::thread::spawn(move || {
            // An input that cannot be read any more has ended as well.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            told.cancel();
        });
    }
    let told = stop.clone();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        for last in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if last {
                std::process::exit(1);
            }
            tracing::info!("told to stop: requests in progress are answered first");
            told.cancel();
        }
    });
    Ok(stop)
}
