//! Named numbers, as one flat JSON object.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

#[derive(Default)]
pub struct Figures(BTreeMap<String, f64>);

impl Figures {
    /// Keeps four significant digits: a time has no more.
    pub fn set(&mut self, name: String, figure: f64) {
        let digits = 3 - figure.abs().max(1e-9).log10().floor() as i32;
        let unit = 10f64.powi(digits);
        self.0.insert(name, (figure * unit).round() / unit);
    }

    /// A table for people.
    pub fn print(&self) {
        let width = self.0.keys().map(String::len).max().unwrap_or_default();
        for (name, figure) in &self.0 {
            println!("{name:width$}  {figure:>12}");
        }
    }

    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.0)? + "\n";
        fs::write(file, text).with_context(|| format!("writing {}", file.display()))
    }
}
