//! A cluster on disk: its accounts and its clock.

use std::{
    fs,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::{
    cluster::{Accounts, Cluster},
    error::UserError,
};

/// Of this file's layout.
const LAYOUT: u32 = 1;

#[derive(Serialize, Deserialize)]
pub struct Saved {
    layout: u32,
    pub genesis_unix_ms: u64,
    pub slot: u64,
    pub accounts: Accounts,
}

fn file(folder: &Path) -> PathBuf {
    folder.join("chain.json")
}

/// `None` when nothing was saved there.
pub fn load(folder: &Path) -> anyhow::Result<Option<Saved>> {
    let file = file(folder);
    let bytes = match fs::read(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("{} was not read", file.display()))?,
    };
    let saved: Option<Saved> = serde_json::from_slice(&bytes).ok();
    match saved.filter(|saved| saved.layout == LAYOUT) {
        Some(saved) => Ok(Some(saved)),
        None => Err(UserError::new(format!(
            "{} is no saved cluster of this version: name another folder, or remove this one.",
            file.display()
        ))
        .into()),
    }
}

/// As a whole or not at all.
pub fn save(folder: &Path, cluster: &Cluster) -> anyhow::Result<()> {
    let saved = Saved {
        layout: LAYOUT,
        genesis_unix_ms: cluster.genesis_unix_ms(),
        slot: cluster.now()?.slot,
        accounts: cluster.accounts()?,
    };
    let mut written = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut written, &saved)?;
    written.flush()?;
    written.as_file().sync_all()?;
    written.persist(file(folder))?;
    Ok(())
}
