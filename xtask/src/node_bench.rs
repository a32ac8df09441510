//! What the node costs (`bench/node`, in the release profile) and survives (tests of `imo-node` on a cluster, which need Agave).

use crate::{
    project::{Project, pass_on},
    results,
};
use anyhow::{Context, Result, ensure};
use std::{fs, process::ExitCode};

pub const SUITE: &str = "node";

/// Tests that write figures, and the file of each: named to them, but for the last.
const CLUSTER: [(&str, &str); 3] = [
    ("survival::given_an_operator_that_is_killed", "node-crash.json"),
    ("costs::", "node-costs.json"),
    ("the_figures_are_written_down", "node-watch.json"),
];

/// `full` takes a million requests, a report of a million answers and a hundred crashes.
pub fn run(project: &Project, full: bool) -> Result<ExitCode> {
    let bench = project.root.join("target/bench");
    let work = bench.join("node");
    fs::create_dir_all(&work).with_context(|| format!("creating the folder {}", work.display()))?;
    let measured = work.join("release.json");
    // Not quiet: it takes minutes to compile. Not locked: what the node depends on changes with the node.
    let code = pass_on(
        project
            .cargo()
            .args(["run", "--release", "--manifest-path"])
            .arg(project.root.join("bench/node/Cargo.toml"))
            .arg("--target-dir")
            .arg(project.cargo_target.join("bench-node"))
            .arg("--")
            .args([&project.root.join("models"), &work, &measured])
            .arg(if full { "full" } else { "quick" }),
    )?;
    if code != ExitCode::SUCCESS {
        return Ok(code);
    }
    let mut files = vec![measured];
    for (tests, file) in CLUSTER {
        let file = bench.join(file);
        // One that is left over says nothing about this run.
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
        }
        let code = pass_on(
            project
                .cargo()
                .args(["test", "--quiet", "--workspace", "--test", "cluster", "--", tests])
                .env("IMO_FIGURES", &file)
                .env("IMO_KILLS", if full { "100" } else { "20" })
                .env("IMO_ANSWERS", if full { "1000000" } else { "16000" }),
        )?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
        ensure!(file.exists(), "no test of the cluster is called {tests}");
        files.push(file);
    }
    results::merge(SUITE, &files, &bench.join("results.json"))?;
    Ok(ExitCode::SUCCESS)
}
