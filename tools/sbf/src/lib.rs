//! Compiles a Solana program crate to a `.so`.
//!
//! Where the official tools (`cargo build-sbf`) are on the PATH they do the work. Elsewhere, on Debian, a private
//! toolchain is put together from the distribution's rustc and LLVM, a lightly edited standard library and the
//! code generator in `codegen/`; see the README for what that is good for and what it refuses.

mod cargo;
mod debian;
mod files;
mod missing;
mod official;
pub mod process;
pub mod progress;
mod stage;
pub mod wasm;

use anyhow::Result;
use std::path::{Path, PathBuf};

pub use missing::Missing;

/// Which bytecode the program is written in: v0 runs on every cluster, v3 where it has been activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V0,
    V3,
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::V0 => "v0",
            Self::V3 => "v3",
        }
    }
}

/// Whatever compiles programs on this machine.
pub enum Compiler {
    Official,
    Debian(Box<debian::Toolchain>),
}

impl Compiler {
    /// Finds the official tools or sets up the Debian ones under `target_dir`. Slow the first time only.
    ///
    /// `workspace_root` is the checkout this crate belongs to: the last step of the compiler is built from it.
    pub fn find(workspace_root: &Path, target_dir: &Path) -> Result<Self> {
        if official::is_on_path() {
            return Ok(Self::Official);
        }
        Ok(Self::Debian(Box::new(debian::Toolchain::set_up(
            workspace_root,
            target_dir,
        )?)))
    }

    /// Compiles the program crate in `crate_dir` to `out`. Quick when nothing changed.
    pub fn build(&self, crate_dir: &Path, out: &Path, version: Version) -> Result<()> {
        let program = cargo::Program::read(crate_dir)?;
        match self {
            Self::Official => official::build(&program, out, version),
            Self::Debian(toolchain) => toolchain.build(&program, out, version),
        }
    }
}

/// Where cargo puts build output of the workspace that `crate_dir` belongs to, honouring `CARGO_TARGET_DIR`.
pub fn target_dir(crate_dir: &Path) -> Result<PathBuf> {
    Ok(cargo::metadata(crate_dir)?.target_dir)
}
