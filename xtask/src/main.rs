//! `cargo xtask`: everything one does with this repository.

mod app;
mod browser;
mod checks;
mod clients;
mod fuzz;
mod idl;
mod node_bench;
mod programs;
mod project;
mod results;
mod runs;
mod runtime_bench;
mod web_app;

use anyhow::Result;
use clap::{Parser, Subcommand};
use project::Project;
use sbf_tools::Missing;
use std::{path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, tests and runs the project. Every command does its own set-up."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compile the programs to target/deploy and write their interfaces to target/idl
    Build {
        /// Only these, such as model-token; all of them when none is named
        programs: Vec<String>,
    },
    /// Build, then run the demonstration; arguments after -- go to it
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build, then run a local cluster until Ctrl-C; arguments after -- go to `imo localnet`
    Localnet {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build, then serve the web app on a local cluster; arguments after -- go to `imo localnet`. Needs Node and npm
    App {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check and test, the quick ones first
    Test,
    /// Measure; figures go to target/bench/results.json
    Bench {
        /// Only this suite; all of them when none is named
        suite: Option<String>,
        /// As much of the node as its figures are about: a million requests, a hundred crashes
        #[arg(long)]
        full: bool,
    },
    /// Look for bytes that a decoder cannot take, with libFuzzer; needs a nightly toolchain
    Fuzz {
        /// Only this target of fuzz/; all of them in turn when none is named
        target: Option<String>,
        /// How long to look, for each target
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Format the code
    Fmt,
    /// Run clippy on everything
    Lint,
    /// Write the programs' interfaces to target/idl and idl, from which clients are generated
    Idl,
    /// Compile the verifier for WebAssembly to clients/ts/wasm
    Wasm,
    /// Build and test the TypeScript client; needs Node and npm
    Client,
    /// One program's interface, in a process of its own
    #[command(hide = true)]
    WriteIdl { crate_dir: PathBuf, out: PathBuf },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            // 2: this machine lacks something. 1: something went wrong.
            ExitCode::from(if error.is::<Missing>() { 2 } else { 1 })
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let project = Project::find()?;
    match command {
        Command::Build { programs } => programs::build(&project, &programs)?,
        Command::Demo { arguments } => return runs::imo(&project, "demo", &arguments),
        Command::Localnet { arguments } => return runs::imo(&project, "localnet", &arguments),
        Command::App { arguments } => return app::run(&project, &arguments),
        Command::Test => return checks::test(&project),
        Command::Bench { suite, full } => return runs::bench(&project, suite.as_deref(), full),
        Command::Fuzz { target, seconds } => return fuzz::run(&project, target.as_deref(), seconds),
        Command::Fmt => return checks::format(&project),
        Command::Lint => return checks::lint(&project),
        Command::Idl => idl::refresh(&project, &programs::select(&[])?)?,
        Command::Wasm => clients::wasm(&project)?,
        Command::Client => return clients::test(&project),
        Command::WriteIdl { crate_dir, out } => idl::write_one(&crate_dir, &out)?,
    }
    Ok(ExitCode::SUCCESS)
}
