//! Memory of this process, from Linux's own account.

use std::fs;

use anyhow::{Context, Result};

/// From here on the peak counts.
pub struct Memory {
    bytes_before: u64,
}

impl Memory {
    pub fn from_here() -> Result<Self> {
        // Sets the peak back to what the process has now (proc(5)).
        fs::write("/proc/self/clear_refs", "5").context("setting the peak of memory back")?;
        Ok(Self {
            bytes_before: read("VmRSS")?,
        })
    }

    /// The most bytes that the process has had besides those that it had before. Mapped files count with the pages that were looked at.
    pub fn peak(&self) -> Result<u64> {
        Ok(read("VmHWM")?.saturating_sub(self.bytes_before))
    }
}

fn read(field: &str) -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("reading the process's status")?;
    let kilobytes = status
        .lines()
        .find_map(|line| {
            line.strip_prefix(field)?
                .strip_prefix(':')?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .with_context(|| format!("the system does not say {field}"))?;
    Ok(kilobytes << 10)
}
