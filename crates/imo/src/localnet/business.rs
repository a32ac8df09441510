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
use tokio::runtime::Runtime;

use super::{
    catalogue::{self, Entry},
    people::{EVERYBODY, OPERATOR, OPERATOR_ANSWERS, PAYER, Person, SESSION, WATCHER},
    scene::{Scene, TERMS, dollars, model_address, operator_address},
};
use crate::{
    cluster::Cluster,
    node::{self, Served, write_key},
};

/// An answer is reported so long after it was given, in seconds: those that follow soon are in the same report.
pub const REPORT_SECONDS: i64 = 4;

/// Milliseconds between two looks of a daemon at the chain.
pub const ROUND_MS: u64 = 500;

/// How long a daemon may take for something that it does by itself.
const PATIENCE: Duration = Duration::from_secs(120);

const GLANCE: Duration = Duration::from_millis(200);

/// Writes everybody's key file.
pub fn write_keys(folder: &Path) -> anyhow::Result<()> {
    for person in EVERYBODY {
        write_key(folder, person.0, &person.key())?;
    }
    Ok(())
}

/// The two configurations, each in a folder of its daemon's own.
pub struct Configs {
    pub operator: PathBuf,
    pub watcher: PathBuf,
}

impl Configs {
    /// `gateway` and `metrics` are ports.
    pub fn write(home: &Path, cluster: &Cluster, models: &[Entry], gateway: u16, metrics: u16) -> anyhow::Result<Self> {
        let (rpc, websocket) = (cluster.url(), cluster.websocket());
        let key = |person: Person| home.join("keys").join(format!("{}.json", person.0));
        let operator = node::Operator {
            rpc,
            websocket,
            port: gateway,
            mint: dollars(),
            authority: &key(OPERATOR),
            answers: &key(OPERATOR_ANSWERS),
            models: models
                .iter()
                .map(|entry| Served {
                    name: entry.name,
                    address: model_address(entry),
                    file: &entry.file,
                })
                .collect(),
            policy: json!({ "report_seconds": REPORT_SECONDS, "round_ms": ROUND_MS }),
        };
        let watcher = node::Watcher {
            rpc,
            websocket,
            port: metrics,
            key: &key(WATCHER),
            models: models.iter().map(|entry| entry.file.as_path()).collect(),
            policy: json!({ "round_ms": ROUND_MS }),
        };
        Ok(Self {
            operator: operator.write(&home.join("operator"))?,
            watcher: watcher.write(&home.join("watcher"))?,
        })
    }
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
