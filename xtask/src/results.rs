//! `target/bench/results.json`: one flat object from dotted names to numbers, merged over suites.

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Puts what was measured in the place of all that a suite measured before.
pub fn merge(suite: &str, measured: &[PathBuf], results: &Path) -> Result<()> {
    let mut all = if results.exists() { read(results)? } else { Map::new() };
    all.retain(|name, _| !name.starts_with(&format!("{suite}.")));
    for file in measured {
        all.extend(read(file)?);
    }
    all.sort_keys();
    let text = serde_json::to_string_pretty(&all)? + "\n";
    fs::write(results, text).with_context(|| format!("writing {}", results.display()))
}

fn read(file: &Path) -> Result<Map<String, Value>> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no object of numbers", file.display()))
}
