//! Formatting, clippy and the tests.

use crate::{
    clients, idl, programs,
    project::{Project, pass_on},
    web_app,
};
use anyhow::{Result, bail};
use std::{process::ExitCode, time::Instant};

pub fn format(project: &Project) -> Result<ExitCode> {
    pass_on(project.cargo().args(["fmt", "--all"]))
}

pub fn lint(project: &Project) -> Result<ExitCode> {
    pass_on(
        project
            .cargo()
            .args(["clippy", "--workspace", "--all-targets", "--", "--deny=warnings"]),
    )
}

/// Everything that has to hold, quick checks first, so that the usual mistakes show within seconds.
pub fn test(project: &Project) -> Result<ExitCode> {
    stage("formatting", || {
        pass_on(project.cargo().args(["fmt", "--all", "--check"]))
    })?;
    stage("clippy", || lint(project))?;
    stage("programs", || programs::build(project, &[]).map(|()| ExitCode::SUCCESS))?;
    stage("interfaces", || {
        idl::check(project, &programs::select(&[])?).map(|()| ExitCode::SUCCESS)
    })?;
    stage("TypeScript client", || clients::test(project))?;
    stage("web app", || web_app::test(project))?;
    // Documentation tests are part of it.
    stage("tests", || {
        pass_on(project.cargo().args(["test", "--workspace", "--no-fail-fast"]))
    })?;
    stage("examples of the TypeScript client", || clients::examples(project))?;
    stage("scenarios of the web app", || web_app::scenarios(project))?;
    Ok(ExitCode::SUCCESS)
}

/// Says which stage runs and how long it took; an error when it did not pass.
fn stage(name: &str, work: impl FnOnce() -> Result<ExitCode>) -> Result<()> {
    let start = Instant::now();
    eprintln!("== {name}");
    let code = work()?;
    let seconds = start.elapsed().as_secs_f32();
    if code != ExitCode::SUCCESS {
        bail!("{name} did not pass ({seconds:.1} s)");
    }
    eprintln!("== {name}: {seconds:.1} s");
    Ok(())
}
