//! The models and what they are asked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use opml_runtime::onnx::{Array, parse_npy};

/// The inputs of one run, by name.
pub type Inputs = Vec<(String, Array)>;

pub struct Case {
    /// In the figures' names.
    pub name: String,
    /// The ONNX file that all runtimes read.
    pub model: PathBuf,
    /// Other forms of the model that onnxruntime runs beside, by the figures' names.
    pub references: Vec<(String, PathBuf)>,
    pub inputs: Inputs,
}

/// A folder for each model: `model.onnx`, `inputs/NAME.npy`, and other forms of the model as `onnxruntime_*.onnx`.
pub fn all(models: &Path) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(models).with_context(|| format!("reading {}", models.display()))? {
        let folder = entry?.path();
        let mut references = Vec::new();
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            let name = stem(&file)?;
            if name.starts_with("onnxruntime_") {
                references.push((name, file));
            }
        }
        references.sort();
        cases.push(Case {
            name: stem(&folder)?,
            model: folder.join("model.onnx"),
            references,
            inputs: inputs(&folder.join("inputs"))?,
        });
    }
    ensure!(!cases.is_empty(), "{} has no models", models.display());
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(cases)
}

fn inputs(folder: &Path) -> Result<Inputs> {
    let mut inputs = Vec::new();
    for file in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let file = file?.path();
        let array = parse_npy(&fs::read(&file)?).map_err(|reason| anyhow!("{}: {reason}", file.display()))?;
        inputs.push((stem(&file)?, array));
    }
    inputs.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(inputs)
}

fn stem(path: &Path) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    Ok(stem.with_context(|| format!("{} has no name", path.display()))?.to_owned())
}
