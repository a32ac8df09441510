//! The `imo` command.
//!
//! Exit codes: 0 all well; 1 a check did not come out as it must, or the network failed; 2 the user gave something wrong (one sentence on stderr);
//! 3 the money that was to be spent did not suffice for all that was wanted.

mod cli;
mod cluster;
mod commands;
mod demo;
mod error;
mod format;
mod localnet;
mod migrate;
mod node;
mod progress;
mod rpc;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, PayCommand};
use error::UserError;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            match error.downcast_ref::<UserError>() {
                Some(_) => ExitCode::from(UserError::EXIT_CODE),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Airdrop(args) => localnet::airdrop(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Localnet(args) => localnet::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Model(command) => commands::model::run(&command),
        Command::Offering(command) => commands::offering::run(&command),
        Command::Portfolio(args) => commands::portfolio::run(&args),
        Command::Pay(PayCommand::Infer(args)) => commands::pay::infer(&args),
        Command::Pay(PayCommand::Complete(args)) => commands::complete::run(&args),
        Command::Pay(PayCommand::Delegate(args)) => commands::pay::delegate(&args),
        Command::Pay(PayCommand::Revoke(args)) => commands::pay::revoke(&args),
        Command::Simulate(args) => commands::simulate::run(&args),
        Command::Status(args) => commands::status::run(&args),
    }
}
