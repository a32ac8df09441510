//! Running the demonstration and the measurements.

use crate::{
    programs,
    project::{Project, pass_on},
    runtime_bench, web_app,
};
use anyhow::Result;
use std::process::ExitCode;

pub fn demo(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    programs::build(project, &[])?;
    // The demo starts it.
    project.workspace_program("imo-node")?;
    pass_on(project.workspace_program("imo")?.arg("demo").args(arguments))
}

/// All suites but one are measured on the compiled programs.
pub fn bench(project: &Project, suite: Option<&str>) -> Result<ExitCode> {
    if suite == Some(web_app::SUITE) {
        programs::build(project, &[])?;
        return web_app::bench(project);
    }
    if suite != Some(runtime_bench::SUITE) {
        programs::build(project, &[])?;
        let code = pass_on(project.workspace_program("bench")?.args(suite))?;
        if suite.is_some() || code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    if suite.is_none() {
        let code = web_app::bench(project)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    runtime_bench::run(project)
}
