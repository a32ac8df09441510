//! Folders that are made once and kept: complete, or not there at all.

use crate::files;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Name of the file, inside a finished folder, that says what it was made from.
const STAMP: &str = "fingerprint";

/// A digest of everything a result depends on.
#[derive(Clone, Default)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds one input. Lengths are hashed too, so that inputs cannot run into each other.
    pub fn with(mut self, input: impl AsRef<[u8]>) -> Self {
        let input = input.as_ref();
        self.0.update((input.len() as u64).to_le_bytes());
        self.0.update(input);
        self
    }

    pub fn hex(&self) -> String {
        self.0
            .clone()
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Makes sure that `folder` holds what `make` makes from the inputs behind `fingerprint`.
///
/// `make` is given an empty folder, which takes the place of `folder` only once it is complete, so that an
/// interrupted run leaves nothing that a later one could mistake for a result.
pub fn ensure(folder: &Path, fingerprint: &Fingerprint, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let wanted = fingerprint.hex();
    if is_current(folder, &wanted) {
        return Ok(());
    }
    let unfinished = unfinished_name(folder);
    files::remove(&unfinished)?;
    files::create_folder(&unfinished)?;
    make(&unfinished)?;
    files::write(&unfinished.join(STAMP), &wanted)?;
    files::remove(folder)?;
    fs::rename(&unfinished, folder).with_context(|| format!("moving the finished {} into place", folder.display()))
}

fn is_current(folder: &Path, wanted: &str) -> bool {
    fs::read_to_string(folder.join(STAMP)).is_ok_and(|found| found == wanted)
}

fn unfinished_name(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}
