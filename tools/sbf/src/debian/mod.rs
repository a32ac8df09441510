//! The toolchain that is put together from Debian's packages.
//!
//! It lives in `<target>/sbf-toolchain`, four folders that are each made once:
//! `system` (rustc, LLVM, edited standard library), `codegen` (our two C++ tools), `runtime` (bitcode of the
//! functions that LLVM expects and Solana lacks) and `elf` (the last step, `sbf-elf`).

mod compile;
mod cpp;
mod packages;
mod parts;
mod std_edits;
mod system;

use crate::{files, stage};
use anyhow::{Context, Result};
use std::{
    fs::File,
    path::{Path, PathBuf},
};
pub use system::System;

pub struct Toolchain {
    system: System,
    codegen: PathBuf,
    runtime: PathBuf,
    elf: PathBuf,
    /// Changes whenever the same bitcode could become another program.
    translation: stage::Fingerprint,
}

impl Toolchain {
    pub fn set_up(workspace_root: &Path, target_dir: &Path) -> Result<Self> {
        let (folder, _lock) = folder(target_dir)?;
        let system = System::set_up(&folder)?;
        let (codegen, codegen_inputs) = parts::codegen(&folder, &system)?;
        let (runtime, runtime_inputs) = parts::runtime(&folder, &system)?;
        let (elf, elf_inputs) = parts::elf(&folder, workspace_root, target_dir)?;
        let translation = stage::Fingerprint::default()
            .with(codegen_inputs)
            .with(runtime_inputs)
            .with(elf_inputs);
        Ok(Self {
            system,
            codegen,
            runtime,
            elf,
            translation,
        })
    }
}

/// Debian's rustc and LLVM alone.
pub fn system(target_dir: &Path) -> Result<System> {
    let (folder, _lock) = folder(target_dir)?;
    System::set_up(&folder)
}

/// The toolchain's folder. Two builds may start at the same time: the second one waits for the first one's set-up.
fn folder(target_dir: &Path) -> Result<(PathBuf, File)> {
    let folder = target_dir.join("sbf-toolchain");
    files::create_folder(&folder)?;
    let lock = File::create(folder.join("lock")).context("creating the toolchain's lock file")?;
    lock.lock().context("waiting for another set-up of the toolchain")?;
    Ok((folder, lock))
}
