//! The web app: its units, and its scenarios in Chromium on a local network.

use crate::{
    browser::Browser,
    clients,
    project::{Project, pass_on},
};
use anyhow::Result;
use std::process::ExitCode;

/// The suite of `cargo xtask bench`.
pub const SUITE: &str = "app";

/// Units. The TypeScript client has been built.
pub fn test(project: &Project) -> Result<ExitCode> {
    npm(project, &["ci", "--no-audit", "--no-fund"]).and_then(|code| {
        if code == ExitCode::SUCCESS {
            npm(project, &["test"])
        } else {
            Ok(code)
        }
    })
}

/// Scenarios, which write the app's figures, too. The on-chain programs have been built, and the app's packages installed.
pub fn scenarios(project: &Project) -> Result<ExitCode> {
    let Browser { program, libraries } = Browser::find(project)?;
    // The local network starts it, from the same folder.
    project.workspace_program("imo-node")?;
    let imo = project.workspace_program("imo")?;
    let mut command = clients::npm()?;
    command
        .args(["run", "e2e"])
        .current_dir(project.root.join("app"))
        .env("IMO_BIN", imo.get_program())
        .env("IMO_CHROMIUM", program);
    if let Some(libraries) = libraries {
        command.env("IMO_CHROMIUM_LIBRARIES", libraries);
    }
    pass_on(&mut command)
}

/// Everything that the figures need, then the scenarios.
pub fn bench(project: &Project) -> Result<ExitCode> {
    for step in [clients::test, test, scenarios] {
        let code = step(project)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn npm(project: &Project, arguments: &[&str]) -> Result<ExitCode> {
    pass_on(clients::npm()?.args(arguments).current_dir(project.root.join("app")))
}
