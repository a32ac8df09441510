//! Running the demonstration and the measurements.

use crate::{
    node_bench, programs,
    project::{Project, pass_on},
    runtime_bench, web_app,
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

/// All suites but the executor's are measured on the compiled programs. Three are separate: they are built in another way than the tests are.
pub fn bench(project: &Project, suite: Option<&str>, full: bool) -> Result<ExitCode> {
    if suite != Some(runtime_bench::SUITE) {
        programs::build(project, &[])?;
    }
    let separate = [node_bench::SUITE, web_app::SUITE, runtime_bench::SUITE];
    if suite.is_none_or(|suite| !separate.contains(&suite)) {
        let code = pass_on(project.workspace_program("bench")?.args(suite))?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    for name in separate {
        if suite.is_some_and(|suite| suite != name) {
            continue;
        }
        let code = match name {
            node_bench::SUITE => node_bench::run(project, full)?,
            web_app::SUITE => web_app::bench(project)?,
            _ => runtime_bench::run(project)?,
        };
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    Ok(ExitCode::SUCCESS)
}
