//! Compiling the on-chain programs.

use crate::{idl, project::Project};
use anyhow::{Result, bail};
use sbf_tools::{Compiler, Version};

/// Folders below `programs/`, each of which is a crate.
const PROGRAMS: &[&str] = &["model-token", "revenue-escrow", "yield-distributor", "opml-oracle"];

/// The programs of these names; all when there are none.
pub fn select(names: &[String]) -> Result<Vec<&'static str>> {
    if let Some(unknown) = names.iter().find(|name| !PROGRAMS.contains(&name.as_str())) {
        bail!("{unknown} is not a program; the programs are {}", PROGRAMS.join(", "));
    }
    let wanted = |program: &&&str| names.is_empty() || names.iter().any(|name| name == **program);
    Ok(PROGRAMS.iter().filter(wanted).copied().collect())
}

/// What the library of a program's crate is called, and with it its `.so` and its interface.
pub fn library(program: &str) -> String {
    program.replace('-', "_")
}

/// Brings `target/deploy` and `target/idl` up to date.
pub fn build(project: &Project, names: &[String]) -> Result<()> {
    let programs = select(names)?;
    let compiler = Compiler::find(&project.root, &project.cargo_target)?;
    for program in &programs {
        let out = project.deploy_dir().join(format!("{}.so", library(program)));
        compiler.build(&project.root.join("programs").join(program), &out, Version::V0)?;
    }
    idl::write_all(project, &programs)
}
