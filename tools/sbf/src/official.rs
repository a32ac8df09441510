//! The official tools: `cargo build-sbf`.

use crate::{Version, cargo, files, process, progress};
use anyhow::Result;
use std::path::Path;

pub fn is_on_path() -> bool {
    process::find_on_path("cargo-build-sbf").is_some()
}

/// Compiles into a folder of its own first: the tool writes a key pair beside the program, which nobody wants in `out`.
pub fn build(program: &cargo::Program, out: &Path, version: Version) -> Result<()> {
    let folder = program.target_dir.join("sbf-official");
    files::create_folder(&folder)?;
    progress::step(&format!("compiling {} with cargo build-sbf", program.library), || {
        process::run(
            cargo::command()
                .args(["build-sbf", "--arch", version.name(), "--manifest-path"])
                .arg(&program.manifest)
                .arg("--sbf-out-dir")
                .arg(&folder),
        )
    })?;
    files::replace(out, &files::read(&folder.join(format!("{}.so", program.library)))?)
}
