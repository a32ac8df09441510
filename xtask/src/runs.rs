//! Running the demonstration and the measurements.

use crate::{
    node_bench, programs,
    project::{Project, pass_on},
    runtime_bench,
};
use anyhow::Result;
use std::process::ExitCode;

/// A command of `imo` that starts daemons on the compiled programs.
pub fn imo(project: &Project, command: &str, arguments: &[String]) -> Result<ExitCode> {
    programs::build(project, &[])?;
    // It starts the daemons from its own folder.
    project.workspace_program("imo-node")?;
    pass_on(project.workspace_program("imo")?.arg(command).args(arguments))
}

/// All suites but the executor's are measured on the compiled programs.
pub fn bench(project: &Project, suite: Option<&str>, full: bool) -> Result<ExitCode> {
    if suite != Some(runtime_bench::SUITE) {
        programs::build(project, &[])?;
    }
    let chosen = |name: &str| suite.is_none_or(|suite| suite == name);
    if suite.is_none_or(|suite| ![runtime_bench::SUITE, node_bench::SUITE].contains(&suite)) {
        let code = pass_on(project.workspace_program("bench")?.args(suite))?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    if chosen(node_bench::SUITE) {
        let code = node_bench::run(project, full)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    if chosen(runtime_bench::SUITE) {
        return runtime_bench::run(project);
    }
    Ok(ExitCode::SUCCESS)
}
