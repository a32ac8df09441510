//! Named numbers, as one flat JSON object.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use anyhow::{Context, Result};
use imo_tests::programs::target_dir;
use serde_json::Number;

/// Figures by their dotted names.
#[derive(Default)]
pub struct Figures(BTreeMap<String, Number>);

impl Figures {
    /// What earlier runs measured; nothing when there was none.
    pub fn read() -> Result<Self> {
        let file = file();
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        let figures =
            serde_json::from_slice(&text).with_context(|| format!("{} is no object of numbers", file.display()))?;
        Ok(Self(figures))
    }

    pub fn write(&self) -> Result<()> {
        let file = file();
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let text = serde_json::to_string_pretty(&self.0).context("writing the figures as JSON")? + "\n";
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
    }

    pub fn set(&mut self, name: impl Into<String>, figure: impl Into<Number>) {
        self.0.insert(name.into(), figure.into());
    }

    /// A figure with three digits behind the point.
    pub fn set_rounded(&mut self, name: impl Into<String>, figure: f64) -> Result<()> {
        let rounded = Number::from_f64((figure * 1e3).round() / 1e3).context("a figure is finite")?;
        self.set(name, rounded);
        Ok(())
    }

    /// Puts what was measured in the place of all that was measured before about the same subjects, which the first two parts of a name say.
    pub fn replace(&mut self, measured: Self) {
        let subjects: BTreeSet<String> = measured.0.keys().map(|name| subject(name).to_owned()).collect();
        self.0.retain(|name, _| !subjects.contains(subject(name)));
        self.0.extend(measured.0);
    }

    /// Figures whose names begin with `prefix`, without it.
    pub fn below<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Number)> {
        self.0
            .iter()
            .filter_map(move |(name, figure)| Some((name.strip_prefix(prefix)?, figure)))
    }

    /// A table for people.
    pub fn print(&self) {
        let width = self.0.keys().map(String::len).max().unwrap_or_default();
        for (name, figure) in &self.0 {
            println!("{name:width$}  {figure:>12}");
        }
    }
}

/// `dispute.digits` of `dispute.digits.bytes`.
fn subject(name: &str) -> &str {
    name.match_indices('.').nth(1).map_or(name, |(end, _)| &name[..end])
}

fn file() -> PathBuf {
    target_dir().join("bench/results.json")
}
