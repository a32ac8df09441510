//! The TypeScript client, and the verifier for WebAssembly that it carries.

use crate::project::{Project, pass_on};
use anyhow::Result;
use sbf_tools::{Missing, process, wasm};
use std::{path::PathBuf, process::Command, process::ExitCode};

/// Compiles the verifier to where the client's build takes it from.
pub fn wasm(project: &Project) -> Result<()> {
    let crate_dir = project.root.join("crates/opml-wasm");
    wasm::build(&crate_dir, &folder(project).join("wasm/opml.wasm"))
}

/// Installs what the client is made with, builds it and runs those of its tests that need no cluster.
pub fn test(project: &Project) -> Result<ExitCode> {
    wasm(project)?;
    for arguments in [&["ci", "--no-audit", "--no-fund"][..], &["run", "build"], &["test"]] {
        let code = pass_on(npm()?.args(arguments).current_dir(folder(project)))?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the examples of the client's page against a local network. The client and the on-chain programs have been built.
pub fn examples(project: &Project) -> Result<ExitCode> {
    // The local network starts it, from the same folder.
    project.workspace_program("imo-node")?;
    let imo = project.workspace_program("imo")?;
    pass_on(
        npm()?
            .args(["run", "test:localnet"])
            .current_dir(folder(project))
            .env("IMO", imo.get_program()),
    )
}

fn folder(project: &Project) -> PathBuf {
    project.root.join("clients/ts")
}

pub fn npm() -> Result<Command> {
    process::find_on_path("npm")
        .map(Command::new)
        .ok_or_else(|| Missing("npm is not here; install Node 20.19 or later, which brings it".to_owned()).into())
}
