//! Model files in memory without being read.
//!
//! A file that is mapped costs no memory of its own: the system reads a page when it is first looked at, drops it when memory is short, and shares it among
//! processes. The price is that the file must stay as it is. Nothing here can prevent another program from writing to it:
//! - Other bytes give other weights than the model root was computed from, and so a wrong answer. [`Model::ensure_unchanged`](super::Model::ensure_unchanged) tells, afterwards.
//! - A file that is cut off ends the process with a bus error when a page beyond the new end is looked at.
//!
//! A file is therefore replaced (written under another name, then renamed), never changed in place: who has the old one mapped keeps the old one.
#![allow(unsafe_code)]

use std::{
    fs::{File, Metadata},
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;
use memmap2::Mmap;

/// A file whose bytes are in use, and how it was when they were mapped.
#[derive(Debug)]
pub(super) struct MappedFile {
    file: File,
    path: PathBuf,
    stamp: Stamp,
}

/// What every write to a file changes.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl MappedFile {
    /// The bytes of a file, mapped. What is no regular file, such as a pipe, is read, and there is no file to watch.
    pub(super) fn open(path: &Path) -> io::Result<(Bytes, Option<Self>)> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            return Ok((bytes.into(), None));
        }
        // SAFETY: the bytes are read as integers only, of which every pattern is one, and all lengths are taken from the map, not the file. That nobody
        // writes to the file meanwhile is up to its owner (see above).
        let map = unsafe { Mmap::map(&file)? };
        let stamp = Stamp::of(&metadata);
        let path = path.to_path_buf();
        Ok((Bytes::from_owner(map), Some(Self { file, path, stamp })))
    }

    /// Whether nobody has written to the file since it was opened. A file that was replaced by name is still the old one.
    pub(super) fn is_unchanged(&self) -> io::Result<bool> {
        Ok(Stamp::of(&self.file.metadata()?) == self.stamp)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
