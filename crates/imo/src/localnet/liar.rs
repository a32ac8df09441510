//! An operator that lies once. No daemon does that: this one is made here, of the daemon's own parts and an executor that lies.

use std::{path::Path, sync::Arc, time::Duration};

use imo_node::{
    chain::{Cache, Rpc, Wake},
    gateway::{self, Gateway, Identity, Limits},
    metrics::Metrics,
    model::ServedModel,
    operator::{OperatorLoop, Policy},
    store::{Blobs, Store},
};
use opml_runtime::Tensor;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;

use super::{
    business::{Customer, REPORT_SECONDS, ROUND_MS},
    catalogue::{self, Entry},
    people::{LIAR, LIAR_ANSWERS},
    scene::{Scene, dollars, model_address, operator_address},
};
use crate::demo::lie::{self, Liar};

/// The first image that it is asked about: none that anybody else was asked.
const FIRST: usize = 100;

const QUESTIONS: usize = 3;

/// Lanes that may be looked up at once.
const LOOK_UPS: usize = 8;

/// Starts the operator; it stops with `stop`.
pub fn start(
    runtime: &Runtime,
    scene: &Scene,
    entry: &Entry,
    folder: &Path,
    port: u16,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    scene.register_operator(LIAR, LIAR_ANSWERS, &format!("http://127.0.0.1:{port}"))?;
    scene.open_lane(entry, LIAR)?;
    let questions: Vec<Tensor> = catalogue::questions(entry, FIRST, QUESTIONS).cloned().collect();
    let lie = lie::find(&entry.model, &questions)?;
    let executor = Arc::new(Liar::new(&entry.model, &questions[lie.question], lie.answer));
    let cluster = scene.cluster.genesis_hash()?;
    let url = scene.cluster.url().to_owned();
    std::fs::create_dir_all(folder)?;
    runtime.block_on(async {
        let rpc = Arc::new(Rpc::new(url));
        let served =
            ServedModel::with_executor(&rpc, entry.name, model_address(entry), entry.model.clone(), executor).await?;
        let models = vec![Arc::new(served)];
        let store = Store::open(&format!("sqlite://{}", folder.join("operator.db").display())).await?;
        let blobs = Blobs::in_folder(&folder.join("blobs"))?;
        let metrics = Arc::new(Metrics::default());
        let identity = Identity {
            cluster,
            authority: LIAR.address(),
            operator: operator_address(LIAR),
            mint: dollars(),
            answer_key: LIAR_ANSWERS.key(),
        };
        let limits = Limits::default();
        let age = Duration::from_millis(limits.chain_age_ms);
        let gateway = Gateway::new(
            identity,
            models.clone(),
            store.clone(),
            blobs.clone(),
            Cache::new(rpc.clone(), age, LOOK_UPS),
            limits,
            metrics.clone(),
        );
        let policy = Policy {
            report_seconds: REPORT_SECONDS,
            round_ms: ROUND_MS,
            ..Policy::default()
        };
        let operator = OperatorLoop::new(rpc, store, blobs, models, LIAR.key(), dollars(), policy, metrics);
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        tokio::spawn(gateway::serve(gateway, listener, stop.clone()));
        tokio::spawn(operator.run(Wake::never(), stop.clone()));
        Ok(())
    })
}

/// Asks it what it lies about, among other things.
pub fn tempt(customer: &Customer, entry: &Entry) -> anyhow::Result<()> {
    customer.buy(entry, LIAR, FIRST, QUESTIONS)
}
