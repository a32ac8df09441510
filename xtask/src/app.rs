//! The web app on a local cluster.

use crate::{
    clients, programs,
    project::{Project, pass_on},
};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, ExitCode, Stdio},
};

/// Builds everything, starts the cluster and serves the app until it is stopped. `arguments` go to `imo localnet`.
pub fn run(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    let folder = project.root.join("app");
    ensure!(
        folder.join("package.json").is_file(),
        "there is no web app in {}",
        folder.display()
    );
    programs::build(project, &[])?;
    clients::build(project)?;
    for step in [&["ci", "--no-audit", "--no-fund"][..], &["run", "build"]] {
        let code = pass_on(clients::npm()?.args(step).current_dir(&folder))?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    let cluster = Cluster::start(project, arguments)?;
    eprintln!("the cluster describes itself at {}", cluster.api);
    pass_on(
        clients::npm()?
            .args(["run", "preview"])
            .current_dir(&folder)
            .env("IMO_LOCALNET", &cluster.api),
    )
}

/// `imo localnet`. It stops when this is dropped, or when this process is gone.
struct Cluster {
    process: Child,
    /// Where its description is.
    api: String,
}

impl Cluster {
    fn start(project: &Project, arguments: &[String]) -> Result<Self> {
        // The cluster starts it, from the same folder.
        project.workspace_program("imo-node")?;
        let mut process = project
            .workspace_program("imo")?
            .args(["localnet", "--json", "--until-input-ends"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("imo localnet was not started")?;
        // One line, once everything runs.
        let mut line = String::new();
        let out = process.stdout.take().context("imo localnet has no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let description: Value =
            serde_json::from_str(&line).context("imo localnet did not start: it said why above")?;
        let api = description["api"].as_str().context("imo localnet describes no api")?;
        Ok(Self {
            process,
            api: api.to_owned(),
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // What it says about its end is on the terminal.
        let _ = self.process.wait();
    }
}
