//! What cargo knows about a program crate.

use crate::process;
use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// The cargo that runs us, or the one on the PATH.
pub fn command() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// Where cargo keeps what it downloads.
pub fn home() -> PathBuf {
    env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    )
}

pub struct Metadata {
    pub workspace_root: PathBuf,
    pub target_dir: PathBuf,
    packages: Vec<Value>,
}

/// Reads the workspace that `crate_dir` belongs to, without resolving dependencies.
pub fn metadata(crate_dir: &Path) -> Result<Metadata> {
    let text = process::output(
        command()
            .args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"])
            .arg(manifest(crate_dir)),
    )?;
    let mut json: Value = serde_json::from_str(&text).context("cargo metadata printed something else than JSON")?;
    let path = |key: &str| {
        json[key]
            .as_str()
            .map(PathBuf::from)
            .ok_or_else(|| anyhow!("cargo metadata lists no {key}"))
    };
    let (workspace_root, target_dir) = (path("workspace_root")?, path("target_directory")?);
    let packages = match json["packages"].take() {
        Value::Array(packages) => packages,
        _ => Vec::new(),
    };
    Ok(Metadata {
        workspace_root,
        target_dir,
        packages,
    })
}

fn manifest(crate_dir: &Path) -> PathBuf {
    crate_dir.join("Cargo.toml")
}

/// A crate that compiles to a program.
pub struct Program {
    /// Its Cargo.toml.
    pub manifest: PathBuf,
    /// Name of its library, which names the `.so`.
    pub library: String,
    pub workspace_root: PathBuf,
    pub target_dir: PathBuf,
}

impl Program {
    pub fn read(crate_dir: &Path) -> Result<Self> {
        let manifest = manifest(crate_dir).canonicalize().with_context(|| {
            format!(
                "{} is not the folder of a program crate: it has no Cargo.toml",
                crate_dir.display()
            )
        })?;
        let metadata = metadata(crate_dir)?;
        let package = metadata
            .packages
            .iter()
            .find(|package| {
                package["manifest_path"]
                    .as_str()
                    .is_some_and(|path| Path::new(path) == manifest)
            })
            .ok_or_else(|| anyhow!("{} is not a package", manifest.display()))?;
        let library = shared_library(package)
            .ok_or_else(|| anyhow!("{} has no library of crate type cdylib", manifest.display()))?;
        Ok(Self {
            library,
            manifest,
            workspace_root: metadata.workspace_root,
            target_dir: metadata.target_dir,
        })
    }
}

fn shared_library(package: &Value) -> Option<String> {
    let target = package["targets"].as_array()?.iter().find(|target| {
        target["crate_types"]
            .as_array()
            .is_some_and(|types| types.iter().any(|kind| kind == "cdylib"))
    })?;
    target["name"].as_str().map(|name| name.replace('-', "_"))
}
