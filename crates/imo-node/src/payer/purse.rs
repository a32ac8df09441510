//! The purse on disk.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_client::payer::{Entry, PaidQuestion, Purse};
use imo_protocol::Request;
use serde::{Deserialize, Serialize};

use super::{Offer, operator::Refusal};
use crate::text::{hex, parse_hash};

/// What was asked on a lane, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct StoredPurse {
    lane: String,
    generation: u64,
    /// Whether the last question has no answer yet.
    asking: bool,
    entries: Vec<StoredEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredEntry {
    model_root: String,
    input_root: String,
    price_units: u64,
    salt: String,
}

/// A purse that this process alone has, until it is dropped. What it says is on disk.
pub(super) struct HeldPurse {
    path: PathBuf,
    purse: Purse,
    asking: bool,
    _lock: File,
}

impl HeldPurse {
    /// Waits until no other process has it.
    pub(super) fn open(path: &Path, offer: &Offer) -> anyhow::Result<Self> {
        let lock = lock(path)?;
        let (purse, asking) = read(path, offer)?;
        Ok(Self {
            path: path.to_owned(),
            purse,
            asking,
            _lock: lock,
        })
    }

    pub(super) fn purse(&self) -> &Purse {
        &self.purse
    }

    /// The last question, while it has no answer.
    pub(super) fn unanswered(&self) -> Option<Request> {
        self.asking.then(|| self.purse.newest()).flatten()
    }

    /// The next question, on disk before this returns.
    pub(super) fn ask(&mut self, entry: Entry, expires_unix: i64) -> anyhow::Result<PaidQuestion> {
        let question = self.purse.ask(entry, expires_unix)?;
        self.asking = true;
        if let Err(error) = self.save() {
            // What is not on disk is not asked.
            self.drop_last()?;
            return Err(error);
        }
        Ok(question)
    }

    /// The last question has its answer.
    pub(super) fn answered(&mut self) -> anyhow::Result<()> {
        self.asking = false;
        self.save()
    }

    /// The operator refuses the last question. It is forgotten if it is not owed, and kept if an earlier try of it may have been taken: then the operator holds a voucher for it,
    /// and whatever is signed next has to contain it.
    pub(super) fn refused(&mut self, tried_before: bool, refusal: &Refusal) -> anyhow::Error {
        if tried_before && !refusal.says_not_taken() {
            return anyhow::anyhow!(
                "The operator refuses, and may have the question already: {}",
                refusal.why
            );
        }
        match self.forget() {
            Ok(()) => anyhow::anyhow!("The operator refuses: {}", refusal.why),
            Err(error) => error,
        }
    }

    /// An honest operator has not taken the last question. Whatever it keeps, it can collect one voucher of this count, not two.
    fn forget(&mut self) -> anyhow::Result<()> {
        self.drop_last()?;
        self.save()
    }

    fn drop_last(&mut self) -> anyhow::Result<()> {
        let entries = self.purse.entries();
        let kept = entries[..entries.len().saturating_sub(1)].to_vec();
        self.purse = Purse::restore(*self.purse.lane(), kept)?;
        self.asking = false;
        Ok(())
    }

    /// Replaces the file, so that a crash leaves the old one or the new one.
    fn save(&self) -> anyhow::Result<()> {
        let stored = StoredPurse {
            lane: self.purse.lane().lane.to_string(),
            generation: self.purse.lane().lane_generation,
            asking: self.asking,
            entries: self.purse.entries().iter().map(StoredEntry::of).collect(),
        };
        let written = serde_json::to_vec(&stored).map_err(std::io::Error::from);
        let written = written.and_then(|bytes| replace(&self.path, &bytes));
        written.with_context(|| format!("The purse {} cannot be written", self.path.display()))
    }
}

/// What was asked on the lane of a purse, in order, with the lane's address and generation.
pub fn purse_requests(purse: &Path) -> anyhow::Result<(Pubkey, u64, Vec<Request>)> {
    let malformed = || format!("{} is not a purse", purse.display());
    let text =
        std::fs::read_to_string(purse).with_context(|| format!("The purse {} cannot be read", purse.display()))?;
    let file: StoredPurse = serde_json::from_str(&text).with_context(malformed)?;
    let lane: Pubkey = file.lane.parse().with_context(malformed)?;
    let request = |(sequence, record): (u64, &StoredEntry)| {
        let entry = record.entry()?;
        Some(Request {
            lane,
            sequence,
            model_root: entry.model_root,
            input_root: entry.input_root,
            price_units: entry.price_units,
            salt: entry.salt,
        })
    };
    let requests: Option<Vec<Request>> = (0u64..).zip(&file.entries).map(request).collect();
    Ok((lane, file.generation, requests.with_context(malformed)?))
}

/// Writes a file anew: a crash leaves the old one or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    let next = PathBuf::from(next);
    let mut out = File::create(&next)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    std::fs::rename(&next, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // The name, too.
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn read(path: &Path, offer: &Offer) -> anyhow::Result<(Purse, bool)> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            anyhow::ensure!(
                offer.collected_count == 0,
                "{} answers were collected from this lane, but there is no purse {} that knows the questions.",
                offer.collected_count,
                path.display()
            );
            return Ok((Purse::new(offer.lane), false));
        }
        Err(error) => return Err(error).with_context(|| format!("The purse {} cannot be read", path.display())),
    };
    let malformed = || format!("{} is not a purse", path.display());
    let file: StoredPurse = serde_json::from_str(&text).with_context(malformed)?;
    if (file.lane.as_str(), file.generation) != (offer.lane.lane.to_string().as_str(), offer.lane.lane_generation) {
        anyhow::bail!(
            "The purse {} is of another lane, or of one that was closed since.",
            path.display()
        );
    }
    let entries: Option<Vec<Entry>> = file.entries.iter().map(StoredEntry::entry).collect();
    let purse = Purse::restore(offer.lane, entries.with_context(malformed)?)?;
    Ok((purse, file.asking))
}

/// One process at a time has the purse.
fn lock(purse: &Path) -> anyhow::Result<File> {
    let path = purse.with_extension("lock");
    let failed = || format!("{} cannot be locked", path.display());
    let file = File::create(&path).with_context(failed)?;
    file.lock().with_context(failed)?;
    Ok(file)
}

impl StoredEntry {
    fn of(entry: &Entry) -> Self {
        Self {
            model_root: hex(&entry.model_root),
            input_root: hex(&entry.input_root),
            price_units: entry.price_units,
            salt: hex(&entry.salt),
        }
    }

    fn entry(&self) -> Option<Entry> {
        Some(Entry {
            model_root: parse_hash(&self.model_root)?,
            input_root: parse_hash(&self.input_root)?,
            price_units: self.price_units,
            salt: parse_hash(&self.salt)?,
        })
    }
}
