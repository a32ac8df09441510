//! The fast executor against other runtimes (`bench/runtime`). Those are compiled, and Python's packages installed, only for this.

use crate::{
    project::{Project, pass_on},
    results,
};
use anyhow::{Context, Result, bail};
use sbf_tools::{Missing, process, progress};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

pub const SUITE: &str = "runtime";

pub fn run(project: &Project) -> Result<ExitCode> {
    let source = project.root.join("bench/runtime");
    let bench = project.root.join("target/bench");
    fs::create_dir_all(&bench).with_context(|| format!("creating the folder {}", bench.display()))?;
    let python = python(&source, &bench.join("python"))?;
    let models = bench.join("models");
    progress::step("writing and quantising the models", || {
        process::output(Command::new(&python).arg(source.join("models.py")).arg(&models))
    })?;
    let measured = bench.join("runtime.json");
    // Not quiet: the other runtimes take minutes to compile.
    let code = pass_on(
        project
            .cargo()
            .args(["run", "--release", "--locked", "--manifest-path"])
            .arg(source.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(project.cargo_target.join("bench-runtime"))
            .arg("--")
            .args([&models, &library(&bench.join("python"))?, &measured]),
    )?;
    if code == ExitCode::SUCCESS {
        results::merge(SUITE, &[measured], &bench.join("results.json"))?;
    }
    Ok(code)
}

/// A Python with the packages of `requirements.txt`, made in `folder` when it is not there or was made of others.
fn python(source: &Path, folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let requirements = source.join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).with_context(|| format!("reading {}", requirements.display()))?;
    let installed = folder.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    progress::step("installing Python's packages", || {
        process::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder)).map_err(|error| {
            Missing(format!(
                "the models are made with Python 3.11 or later and its venv module: {error}"
            ))
        })?;
        process::output(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--no-deps", "--requirement"])
                .arg(&requirements),
        )?;
        fs::write(&installed, wanted).context("noting what was installed")
    })?;
    Ok(python)
}

/// The shared library in the package of onnxruntime.
fn library(python: &Path) -> Result<PathBuf> {
    for version in fs::read_dir(python.join("lib"))? {
        let package = version?.path().join("site-packages/onnxruntime/capi");
        for file in fs::read_dir(&package).into_iter().flatten() {
            let file = file?;
            if file.file_name().to_string_lossy().starts_with("libonnxruntime.so") {
                return Ok(file.path());
            }
        }
    }
    bail!("the package of onnxruntime has no shared library");
}
