//! `sbf-tools CRATE_DIR OUT.so [v0|v3]`: compiles one program crate.

use anyhow::{Result, bail};
use sbf_tools::{Compiler, Missing, Version};
use std::{env, path::Path, process::ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Missing>() { 2 } else { 1 })
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (crate_dir, out, version) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [crate_dir, out] | [crate_dir, out, "v0"] => (crate_dir, out, Version::V0),
        [crate_dir, out, "v3"] => (crate_dir, out, Version::V3),
        _ => bail!("usage: sbf-tools CRATE_DIR OUT.so [v0|v3]"),
    };
    let here = Path::new(".");
    Compiler::find(here, &sbf_tools::target_dir(here)?)?.build(Path::new(crate_dir), Path::new(out), version)
}
