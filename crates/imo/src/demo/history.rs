//! The story as the index tells it: `imo-node index` reads the same chain, and its sums are held against the ledger like every balance.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::story::Places;
use crate::node::{Daemon, free_port};

const PATIENCE: Duration = Duration::from_secs(60);

const GLANCE: Duration = Duration::from_millis(100);

/// What the index says, in units.
#[derive(Clone, Copy, Debug, Default)]
pub struct History {
    pub committed: u64,
    pub accepted: u64,
    pub revenue: u64,
    pub pending: u64,
    pub refunded: u64,
    /// What stakers claimed.
    pub claimed: u64,
    /// Of the operator that lied.
    pub slashed: u64,
    /// Answers of final reports.
    pub answers: u64,
}

/// Starts the index and reads it once it knows the transaction with this signature.
pub fn read(
    runtime: &Runtime,
    node: &Path,
    folder: &Path,
    rpc: &str,
    places: &Places,
    last: &str,
) -> anyhow::Result<History> {
    let port = free_port()?;
    let listen = format!("127.0.0.1:{port}");
    let data = folder.join("index");
    let arguments = [
        "index".as_ref(),
        "--rpc".as_ref(),
        rpc.as_ref(),
        "--data".as_ref(),
        data.as_os_str(),
        "--listen".as_ref(),
        listen.as_ref(),
    ];
    let mut daemon = Daemon::start(node, "index", &arguments, folder.join("index.log"))?;
    daemon.wait_for_port(port)?;
    let get = |path: String| runtime.block_on(get(format!("http://{listen}{path}")));
    let begin = Instant::now();
    while get("/v1/events?limit=1".into())?["items"][0]["signature"] != last {
        daemon.check()?;
        anyhow::ensure!(
            begin.elapsed() < PATIENCE,
            "The index did not get to the end of the story"
        );
        thread::sleep(GLANCE);
    }
    let model = get(format!("/v1/models/{}", places.model))?;
    let liar = get(format!(
        "/v1/operators/{}",
        places.operator(super::cast::Role::OperatorB)
    ))?;
    daemon.stop()?;
    Ok(History {
        committed: units(&model["offering"]["committed_units"])?,
        accepted: units(&model["offering"]["accepted_units"])?,
        revenue: units(&model["revenue"]["final_units"])?,
        pending: units(&model["revenue"]["pending_units"])?,
        refunded: units(&model["revenue"]["refunded_units"])?,
        claimed: units(&model["yield"]["claimed_units"])?,
        slashed: units(&liar["slashed_units"])?,
        answers: model["answers"]["final"]
            .as_u64()
            .context("The index counts no answers")?,
    })
}

async fn get(url: String) -> anyhow::Result<Value> {
    let text = reqwest::get(&url).await?.text().await?;
    serde_json::from_str(&text).with_context(|| format!("{url} is no JSON"))
}

fn units(value: &Value) -> anyhow::Result<u64> {
    let text = value.as_str().with_context(|| format!("{value} is no amount"))?;
    Ok(text.parse()?)
}
