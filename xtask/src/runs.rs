//! Running the demonstration and the measurements.

use crate::{
    programs,
    project::{Project, pass_on},
};
use anyhow::Result;
use std::process::ExitCode;

pub fn demo(project: &Project, arguments: &[String]) -> Result<ExitCode> {
    programs::build(project, &[])?;
    pass_on(
        project
            .cargo()
            .args(["run", "--quiet", "--package=imo", "--", "demo"])
            .args(arguments),
    )
}

pub fn bench(project: &Project, suite: Option<&str>) -> Result<ExitCode> {
    programs::build(project, &[])?;
    pass_on(
        project
            .cargo()
            .args(["run", "--quiet", "--package=imo-tests", "--bin=bench", "--"])
            .args(suite),
    )
}
