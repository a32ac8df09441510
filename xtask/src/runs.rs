//! Running the demonstration and the measurements.

use crate::{
    programs,
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

/// All suites but one are measured on the compiled programs.
pub fn bench(project: &Project, suite: Option<&str>) -> Result<ExitCode> {
    if suite != Some(runtime_bench::SUITE) {
        programs::build(project, &[])?;
        let code = pass_on(project.workspace_program("bench")?.args(suite))?;
        if suite.is_some() || code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    runtime_bench::run(project)
}
