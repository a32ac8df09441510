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
    error::{OrUserError, UserError},
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

/// Is there from when a cluster begins to be made until it is saved for the first time.
const UNFINISHED: &str = "unfinished";

/// What daemons and clients of a cluster keep there.
const PARTS: [&str; 5] = ["operator", "watcher", "index", "liar", "purses"];

/// The folder of a cluster: one that was saved, or one to be made. What is left of one that was not finished is removed.
pub fn open(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)
        .or_user_error_with(|error| format!("The folder {} cannot be made: {error}.", folder.display()))?;
    // The daemons are told of it in files elsewhere.
    let folder = fs::canonicalize(folder)?;
    let unfinished = folder.join(UNFINISHED);
    if file(&folder).exists() {
        return Ok(folder);
    }
    if unfinished.exists() {
        for part in PARTS.map(|part| folder.join(part)) {
            if part.exists() {
                fs::remove_dir_all(&part).with_context(|| format!("{} was not removed", part.display()))?;
            }
        }
    } else if fs::read_dir(&folder)?.next().is_some() {
        return Err(UserError::new(format!(
            "The folder {} is not empty and holds no saved cluster: name another one.",
            folder.display()
        ))
        .into());
    }
    fs::write(unfinished, "")?;
    Ok(folder)
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
    match fs::remove_file(folder.join(UNFINISHED)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
