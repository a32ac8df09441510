//! The four compiled programs.

use std::path::{Path, PathBuf};

use anchor_lang::prelude::Pubkey;
use base64::{Engine, prelude::BASE64_STANDARD};
use imo_protocol::ids;
use solana_loader_v3_interface::{get_program_data_address, state::UpgradeableLoaderState};
use solana_sdk_ids::bpf_loader_upgradeable;
use surfpool_types::AccountSnapshot;

use crate::error::{OrUserError, UserError};

/// A program as it is deployed.
pub struct Program {
    pub id: Pubkey,
    pub elf: Vec<u8>,
}

/// Keeps every account alive.
const PROGRAM_LAMPORTS: u64 = 10_000_000_000;

impl Program {
    /// The two accounts of a deployed program: itself, and its code under an upgrade authority.
    pub fn accounts(&self, upgrade_authority: &Pubkey) -> anyhow::Result<[(String, AccountSnapshot); 2]> {
        let code = get_program_data_address(&self.id);
        let program = bincode::serialize(&UpgradeableLoaderState::Program {
            programdata_address: code,
        })?;
        let mut data = bincode::serialize(&UpgradeableLoaderState::ProgramData {
            slot: 0,
            upgrade_authority_address: Some(*upgrade_authority),
        })?;
        data.extend(&self.elf);
        let account = |data: &[u8], executable| {
            let owner = bpf_loader_upgradeable::ID.to_string();
            AccountSnapshot::new(
                PROGRAM_LAMPORTS,
                owner,
                executable,
                0,
                BASE64_STANDARD.encode(data),
                None,
            )
        };
        Ok([
            (self.id.to_string(), account(&program, true)),
            (code.to_string(), account(&data, false)),
        ])
    }
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
