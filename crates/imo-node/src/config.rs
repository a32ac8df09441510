//! What the node is told: a file, the environment and flags, each before the one in front of it.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    chain::websocket_url, decoder::Layout, gateway::Limits, index::IndexArgs, operator::Policy, store::Place,
    watcher::WatchPolicy,
};

/// Serves models for money, answers for what it served, watches others.
#[derive(Debug, Parser)]
#[command(name = "imo-node", version, arg_required_else_help = true)]
pub struct Cli {
    /// Stop when standard input ends, for a program that starts the node and may itself be killed
    #[arg(long, global = true)]
    pub until_input_ends: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sell answers, report them, defend them, be paid
    Operate(Overrides),
    /// Recompute what operators report, and prove what is wrong
    Watch(Overrides),
    /// Keep the history of models, reports and disputes in a database, and answer questions about it
    Index(IndexArgs),
    /// Say what is missing before the node can do its work; exit code 1 when something is
    Check(Overrides),
}

/// What stands above the file.
#[derive(Debug, Args)]
pub struct Overrides {
    /// Configuration file (TOML)
    #[arg(short, long, env = "IMO_NODE_CONFIG", value_name = "FILE")]
    pub config: PathBuf,
    /// JSON-RPC address of the cluster
    #[arg(long, env = "IMO_NODE_RPC", value_name = "URL")]
    pub rpc: Option<String>,
    /// Folder for inputs, receipts, and the database where no other is named
    #[arg(long, env = "IMO_NODE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Database: sqlite:///path or postgres://...
    #[arg(long, env = "IMO_NODE_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Bucket for inputs and receipts, s3://bucket/prefix, instead of the folder; its settings are in the AWS_ variables
    #[arg(long, env = "IMO_NODE_BLOBS", value_name = "URL")]
    pub blobs: Option<String>,
    /// Address and port to listen on
    #[arg(long, env = "IMO_NODE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// How to write the log
    #[arg(long, env = "IMO_NODE_LOG", value_enum)]
    pub log: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The file. Keys are not in it, only where they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub rpc: String,
    /// Where changes are heard of; by convention beside the RPC. An empty one: rounds go by the clock alone.
    websocket: Option<String>,
    pub data: PathBuf,
    database: Option<String>,
    blobs: Option<String>,
    #[serde(default)]
    pub log: LogFormat,
    pub operator: Option<OperatorConfig>,
    pub watcher: Option<WatcherConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorConfig {
    pub listen: SocketAddr,
    /// The mint of stake and revenue.
    #[serde(deserialize_with = "pubkey")]
    pub mint: Pubkey,
    /// File of the key that reports and stakes; the environment's IMO_NODE_AUTHORITY_KEY stands above it.
    pub authority_key: Option<PathBuf>,
    /// File of the key that signs answers; the environment's IMO_NODE_ANSWER_KEY stands above it.
    pub answer_key: Option<PathBuf>,
    pub models: Vec<ModelConfig>,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub policy: Policy,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// What clients may call it besides its address.
    pub name: String,
    #[serde(deserialize_with = "pubkey")]
    pub address: Pubkey,
    pub file: PathBuf,
    /// How many threads work on one question.
    #[serde(default = "one")]
    pub threads: usize,
    /// Where what is, when it is the step of a decoder and `/v1/completions` is served.
    pub decoder: Option<Layout>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatcherConfig {
    /// File of the key that challenges; the environment's IMO_NODE_WATCHER_KEY stands above it.
    pub key: Option<PathBuf>,
    /// Model files.
    pub models: Vec<PathBuf>,
    /// Own lanes, as a payer.
    #[serde(default)]
    pub lanes: Vec<LaneConfig>,
    /// Where to serve metrics.
    pub listen: Option<SocketAddr>,
    #[serde(default)]
    pub policy: WatchPolicy,
}

/// A lane whose payer watches.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneConfig {
    /// What was asked on it: the file that `imo pay infer` writes.
    pub purse: PathBuf,
    /// File of a session key of its credit, which may have private receipts and inputs shown on chain.
    pub session_key: Option<PathBuf>,
}

fn one() -> usize {
    1
}

fn pubkey<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map_err(|_| D::Error::custom(format!("{text} is not an address")))
}

impl Config {
    /// The file with what stands above it.
    pub fn load(overrides: &Overrides) -> anyhow::Result<Self> {
        let path = &overrides.config;
        let text =
            std::fs::read_to_string(path).with_context(|| format!("The file {} cannot be read", path.display()))?;
        let mut config: Self =
            toml::from_str(&text).with_context(|| format!("The file {} is not a configuration", path.display()))?;
        config.override_with(overrides);
        config.relative_to(path.parent().unwrap_or(Path::new(".")));
        Ok(config)
    }

    fn override_with(&mut self, overrides: &Overrides) {
        let Overrides {
            config: _,
            rpc,
            data,
            database,
            blobs,
            listen,
            log,
        } = overrides;
        if let Some(rpc) = rpc {
            self.rpc.clone_from(rpc);
        }
        if let Some(data) = data {
            self.data.clone_from(data);
        }
        if database.is_some() {
            self.database.clone_from(database);
        }
        if blobs.is_some() {
            self.blobs.clone_from(blobs);
        }
        if let (Some(listen), Some(operator)) = (listen, &mut self.operator) {
            operator.listen = *listen;
        }
        if let (Some(listen), Some(watcher)) = (listen, &mut self.watcher) {
            watcher.listen = Some(*listen);
        }
        if let Some(log) = log {
            self.log = *log;
        }
    }

    /// Files that the configuration names are looked for beside it.
    fn relative_to(&mut self, folder: &Path) {
        let beside = |path: &mut PathBuf| *path = folder.join(&path);
        beside(&mut self.data);
        if let Some(operator) = &mut self.operator {
            operator.authority_key.iter_mut().for_each(beside);
            operator.answer_key.iter_mut().for_each(beside);
            operator.models.iter_mut().for_each(|model| beside(&mut model.file));
        }
        if let Some(watcher) = &mut self.watcher {
            watcher.key.iter_mut().for_each(beside);
            watcher.models.iter_mut().for_each(beside);
            for lane in &mut watcher.lanes {
                beside(&mut lane.purse);
                lane.session_key.iter_mut().for_each(beside);
            }
        }
    }

    /// Where changes are heard of, if anywhere.
    pub fn websocket(&self) -> Option<String> {
        match self.websocket.as_deref() {
            Some("") => None,
            Some(url) => Some(url.to_owned()),
            None => websocket_url(&self.rpc),
        }
    }

    /// Where the database is: a file in the data folder unless told otherwise. Operator and watcher have one each.
    pub fn database(&self, daemon: &str) -> String {
        self.database
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data.join(format!("{daemon}.db")).display()))
    }

    /// Where inputs and receipts are: in the data folder unless told otherwise. Operator and watcher have a place each.
    pub fn blobs(&self, daemon: &str) -> Place {
        match &self.blobs {
            Some(url) => Place::Bucket(format!("{}/{daemon}", url.trim_end_matches('/'))),
            None => Place::Folder(self.data.join(daemon)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        rpc = "http://127.0.0.1:8899"
        data = "data"

        [operator]
        listen = "127.0.0.1:8080"
        mint = "So11111111111111111111111111111111111111112"
        authority_key = "keys/authority.json"

        [[operator.models]]
        name = "digits"
        address = "So11111111111111111111111111111111111111112"
        file = "/models/digits.imo"

        [operator.limits]
        queue = 7

        [operator.policy.fees]
        max_micro_lamports = 5
    "#;

    fn load(text: &str, arguments: &[&str]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, text).unwrap();
        let all = [&["imo-node", "operate", "--config", path.to_str().unwrap()], arguments].concat();
        let Command::Operate(overrides) = Cli::try_parse_from(all).unwrap().command else {
            panic!("another command");
        };
        Config::load(&overrides)
    }

    #[test]
    fn given_a_file_when_loaded_then_its_values_defaults_and_paths_beside_it() {
        let config = load(FILE, &[]).unwrap();
        let operator = config.operator.as_ref().unwrap();
        assert_eq!(operator.limits.queue, 7);
        assert_eq!(operator.limits.requests, Limits::default().requests);
        assert_eq!(operator.policy.fees.max_micro_lamports, 5);
        assert_eq!(operator.models[0].file, Path::new("/models/digits.imo"));
        assert_eq!(operator.models[0].threads, 1);
        let key = operator.authority_key.as_ref().unwrap();
        assert!(key.is_absolute() && key.ends_with("keys/authority.json"));
        assert!(config.database("operator").starts_with("sqlite:///"));
        assert!(config.database("operator").ends_with("data/operator.db"));
        assert!(matches!(config.blobs("operator"), Place::Folder(folder) if folder.ends_with("data/operator")));
    }

    #[test]
    fn given_the_guides_example_when_loaded_then_understood() {
        let guide = include_str!("../../../docs/operators-guide.md");
        let (_, example) = guide.split_once("```toml\n").unwrap();
        let (example, _) = example.split_once("```").unwrap();
        let config = load(example, &[]).unwrap();
        assert_eq!(config.operator.unwrap().policy.exposure_units, 100_000_000);
        assert_eq!(config.watcher.unwrap().policy.share, 1.0);
    }

    #[test]
    fn given_flags_when_loaded_then_they_stand_above_the_file() {
        let flags = [
            "--rpc",
            "http://other",
            "--database",
            "postgres://db",
            "--blobs",
            "s3://answers/here/",
            "--listen",
            "0.0.0.0:1",
            "--log",
            "json",
        ];
        let config = load(FILE, &flags).unwrap();
        assert_eq!(config.rpc, "http://other");
        assert_eq!(config.database("operator"), "postgres://db");
        assert_eq!(
            config.blobs("operator"),
            Place::Bucket("s3://answers/here/operator".into())
        );
        assert_eq!(config.operator.unwrap().listen, "0.0.0.0:1".parse().unwrap());
        assert_eq!(config.log, LogFormat::Json);
    }

    #[test]
    fn given_something_that_is_not_understood_when_loaded_then_refused_by_name() {
        for (text, named) in [
            (FILE.replace("queue", "quue"), "quue"),
            (FILE.replace("rpc =", "rcp ="), "rcp"),
            (FILE.replace("mint = \"So1", "mint = \"x"), "not an address"),
        ] {
            let error = format!("{:#}", load(&text, &[]).unwrap_err());
            assert!(error.contains(named), "{error}");
        }
    }
}
