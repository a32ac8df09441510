//! Configurations of daemons, written as files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use serde_json::{Value, json};
use solana_keypair::{Keypair, write_keypair_file};

/// A model that an operator serves.
pub struct Served<'a> {
    pub name: &'a str,
    pub address: Pubkey,
    pub file: &'a Path,
}

/// What `imo-node operate` is told.
pub struct Operator<'a> {
    pub rpc: &'a str,
    pub websocket: &'a str,
    pub port: u16,
    pub mint: Pubkey,
    /// Key files.
    pub authority: &'a Path,
    pub answers: &'a Path,
    pub models: Vec<Served<'a>>,
    /// What differs from the daemon's own policy.
    pub policy: Value,
}

impl Operator<'_> {
    /// Writes the configuration into a folder, in which the daemon keeps its things, too. Returns the file.
    pub fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let served = self
            .models
            .iter()
            .map(|model| json!({ "name": model.name, "address": model.address.to_string(), "file": model.file }));
        let operator = json!({
            "listen": format!("127.0.0.1:{}", self.port),
            "mint": self.mint.to_string(),
            "authority_key": self.authority,
            "answer_key": self.answers,
            "models": served.collect::<Vec<_>>(),
            "policy": self.policy,
        });
        let config = json!({ "rpc": self.rpc, "websocket": self.websocket, "data": folder, "operator": operator });
        write(folder, "operator.toml", &config)
    }
}

/// What `imo-node watch` is told.
pub struct Watcher<'a> {
    pub rpc: &'a str,
    pub websocket: &'a str,
    /// Of its metrics.
    pub port: u16,
    /// Key file.
    pub key: &'a Path,
    /// Model files.
    pub models: Vec<&'a Path>,
    /// What differs from the daemon's own policy.
    pub policy: Value,
}

impl Watcher<'_> {
    /// Like [`Operator::write`].
    pub fn write(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let watcher = json!({
            "key": self.key,
            "models": self.models,
            "listen": format!("127.0.0.1:{}", self.port),
            "policy": self.policy,
        });
        let config = json!({ "rpc": self.rpc, "websocket": self.websocket, "data": folder, "watcher": watcher });
        write(folder, "watcher.toml", &config)
    }
}

fn write(folder: &Path, name: &str, config: &Value) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(name);
    fs::write(&file, toml::to_string(config)?).with_context(|| format!("{} was not written", file.display()))?;
    Ok(file)
}

/// Writes a key file into a folder, unless it is there. Returns the file.
pub fn write_key(folder: &Path, name: &str, key: &Keypair) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(format!("{name}.json"));
    if !file.exists() {
        write_keypair_file(key, &file)
            .map_err(|error| anyhow::anyhow!("{} was not written: {error}", file.display()))?;
    }
    Ok(file)
}
