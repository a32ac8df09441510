//! What the daemons need to work, and a payer that gives them something to do.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_client::addresses as at;
use imo_node::{chain::Rpc, payer::Buyer};
use opml_oracle::state::{Operator, Report, ReportStatus};
use serde_json::json;
use solana_keypair::write_keypair_file;
use tokio::runtime::Runtime;

use super::{
    catalogue::{self, Entry},
    people::{EVERYBODY, OPERATOR, OPERATOR_ANSWERS, PAYER, Person, SESSION, WATCHER},
    scene::{Scene, TERMS, dollars, model_address, operator_address},
};
use crate::cluster::Cluster;

/// An answer is reported so long after it was given, in seconds: those that follow soon are in the same report.
pub const REPORT_SECONDS: i64 = 4;

/// Milliseconds between two looks of a daemon at the chain.
pub const ROUND_MS: u64 = 500;

/// How long a daemon may take for something that it does by itself.
const PATIENCE: Duration = Duration::from_secs(120);

const GLANCE: Duration = Duration::from_millis(200);

/// Writes everybody's key file.
pub fn write_keys(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for person in EVERYBODY {
        let path = key_file(folder, person);
        // A file that is there may only be read by its owner, and is the same.
        if !path.exists() {
            write_keypair_file(&person.key(), &path)
                .map_err(|error| anyhow::anyhow!("{} was not written: {error}", path.display()))?;
        }
    }
    Ok(())
}

fn key_file(folder: &Path, person: Person) -> PathBuf {
    folder.join(format!("{}.json", person.0))
}

/// Writes the configuration of the operator and the watcher, and returns its path.
pub fn write_config(
    folder: &Path,
    rpc: &str,
    models: &[Entry],
    gateway_port: u16,
    watcher_port: u16,
) -> anyhow::Result<PathBuf> {
    let key = |person| key_file(&folder.join("keys"), person);
    let served = models
        .iter()
        .map(|entry| json!({ "name": entry.name, "address": model_address(entry).to_string(), "file": entry.file }));
    let config = json!({
        "rpc": rpc,
        "data": folder.join("node"),
        "operator": {
            "listen": format!("127.0.0.1:{gateway_port}"),
            "mint": dollars().to_string(),
            "authority_key": key(OPERATOR),
            "answer_key": key(OPERATOR_ANSWERS),
            "models": served.collect::<Vec<_>>(),
            "policy": { "report_seconds": REPORT_SECONDS, "round_ms": ROUND_MS },
        },
        "watcher": {
            "key": key(WATCHER),
            "listen": format!("127.0.0.1:{watcher_port}"),
            "models": models.iter().map(|entry| &entry.file).collect::<Vec<_>>(),
            "policy": { "round_ms": ROUND_MS },
        },
    });
    let path = folder.join("node.toml");
    fs::write(&path, toml::to_string(&config)?)?;
    Ok(path)
}

/// Buys answers, and waits for what the daemons make of them.
pub struct Customer<'a> {
    pub runtime: &'a Runtime,
    pub cluster: &'a Cluster,
    /// Folder of the purses.
    pub purses: PathBuf,
}

impl Customer<'_> {
    /// Asks about `count` images, beginning with that one.
    pub fn buy(&self, entry: &Entry, operator: Person, first: usize, count: usize) -> anyhow::Result<()> {
        fs::create_dir_all(&self.purses)?;
        let rpc = Rpc::new(self.cluster.url());
        let buyer = Buyer {
            session: SESSION.key(),
            payer: PAYER.address(),
            model: model_address(entry),
            operator: operator_address(operator),
            endpoint: None,
            purse: self.purses.join(format!("{}-{}.json", operator.0, entry.name)),
        };
        self.runtime.block_on(async {
            for input in catalogue::questions(entry, first, count) {
                let offer = buyer.look_up(&rpc).await?;
                buyer.buy(&offer, input).await?;
            }
            anyhow::Ok(())
        })
    }

    /// Waits until the operator has sealed a report on everything, and returns its address.
    pub fn wait_for_report(&self, operator: Person, sequence: u64) -> anyhow::Result<Pubkey> {
        let report = at::opml_oracle::report(&operator_address(operator), sequence);
        self.wait("a report is sealed", || {
            let report: Option<Report> = self.cluster.find_account(&report)?;
            Ok(report.is_some_and(|report| report.status == ReportStatus::Sealed))
        })?;
        Ok(report)
    }

    /// Lets the window pass, and waits until the operator has made the report final, split its revenue and closed it.
    pub fn finish(&self, report: &Pubkey) -> anyhow::Result<()> {
        self.cluster.advance(TERMS.window_slots)?;
        self.wait("a report is final and paid", || {
            Ok(self.cluster.find_account::<Report>(report)?.is_none())
        })
    }

    /// Number of the operator's next report.
    pub fn next_sequence(&self, operator: Person) -> anyhow::Result<u64> {
        let operator: Operator = self.cluster.account(&operator_address(operator))?;
        Ok(operator.next_sequence)
    }

    fn wait(&self, what: &str, mut look: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let begin = Instant::now();
        while !look().with_context(|| format!("Waiting until {what}"))? {
            anyhow::ensure!(begin.elapsed() < PATIENCE, "Nothing happened until {what}");
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// Days on which a model was used: each ends in a report that was final the day after.
    pub fn past_days(&self, scene: &Scene, entry: &Entry, answers: &[usize]) -> anyhow::Result<()> {
        const DAY: i64 = 24 * 60 * 60;
        for (day, count) in answers.iter().enumerate() {
            let sequence = self.next_sequence(OPERATOR)?;
            self.buy(entry, OPERATOR, day * 10, *count)?;
            let report = self.wait_for_report(OPERATOR, sequence)?;
            self.finish(&report)?;
            scene.pass(DAY)?;
        }
        Ok(())
    }
}
