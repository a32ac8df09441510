//! The four compiled programs.

use std::path::{Path, PathBuf};

use anchor_lang::prelude::Pubkey;
use imo_protocol::ids;

use crate::error::{OrUserError, UserError};

/// A program as it is deployed.
pub struct Program {
    pub id: Pubkey,
    pub elf: Vec<u8>,
}

const FILES: [(&str, Pubkey); 4] = [
    ("model_token.so", ids::MODEL_TOKEN),
    ("yield_distributor.so", ids::YIELD_DISTRIBUTOR),
    ("opml_oracle.so", ids::OPML_ORACLE),
    ("revenue_escrow.so", ids::REVENUE_ESCROW),
];

/// A folder of the workspace that this command was built from.
pub fn workspace_folder(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative)
}

/// Reads all four, or says which is missing.
pub fn load(folder: Option<&Path>) -> anyhow::Result<Vec<Program>> {
    let folder = folder.map_or_else(|| workspace_folder("target/deploy"), Path::to_path_buf);
    FILES
        .iter()
        .map(|(name, id)| {
            let path = folder.join(name);
            if !path.is_file() {
                return Err(UserError::new(format!(
                    "The compiled program {} is missing: run `cargo xtask build`, or name its folder with `--programs DIR`.",
                    path.display()
                ))
                .into());
            }
            let elf = std::fs::read(&path)
                .or_user_error_with(|error| format!("The program {} cannot be read: {error}.", path.display()))?;
            if !elf.starts_with(b"\x7fELF") {
                return Err(UserError::new(format!("{} is not a compiled program.", path.display())).into());
            }
            Ok(Program { id: *id, elf })
        })
        .collect()
}
