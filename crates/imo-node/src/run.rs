//! Putting the parts together, and taking them down again.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use imo_client::addresses;
use imo_protocol::answer_key_hash;
use model_token::state::Protocol;
use opml_oracle::state::Operator;
use solana_signer::Signer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    chain::{Cache, Follow, Rpc, Wake, follow},
    config::{Config, LaneConfig, OperatorConfig, WatcherConfig},
    gateway::{self, Gateway, Identity},
    http::{self, Connections},
    keys,
    metrics::Metrics,
    model::ServedModel,
    operator::OperatorLoop,
    store::{Blobs, Store},
    watcher::{OwnLane, WatchedModel, WatcherLoop},
};

/// Lanes that may be looked up at once.
const LOOK_UPS: usize = 64;

/// Gateway and operator's loop, until told to stop.
pub async fn operate(config: &Config, stop: CancellationToken) -> anyhow::Result<()> {
    let settings = config
        .operator
        .as_ref()
        .context("The configuration has no [operator] section.")?;
    let OperatorConfig {
        listen,
        mint,
        authority_key,
        answer_key,
        models,
        limits,
        policy,
    } = settings;
    let authority = keys::load("IMO_NODE_AUTHORITY_KEY", authority_key.as_deref())?;
    let answer_key = keys::load("IMO_NODE_ANSWER_KEY", answer_key.as_deref())?;
    let rpc = Arc::new(Rpc::new(&config.rpc));
    let operator = addresses::opml_oracle::operator(&authority.pubkey(), mint);
    let account: Operator = rpc.get(&operator).await.context("The operator is not registered")?;
    // An answer under another key is worth nothing to a payer, and so is the operator's word.
    anyhow::ensure!(
        account.endpoint_key_hash == answer_key_hash(&answer_key.pubkey()),
        "The operator's account names another key for answers than {}.",
        answer_key.pubkey()
    );
    let protocol: Protocol = rpc.get(&addresses::model_token::protocol()).await?;
    let mut served = Vec::new();
    for model in models {
        let loaded = ServedModel::load(&rpc, &model.name, model.address, &model.file, model.threads)
            .await?
            .as_decoder(model.decoder.clone())?;
        tracing::info!(name = loaded.name, model = %loaded.address, version = loaded.version, "a model is served");
        served.push(Arc::new(loaded));
    }
    anyhow::ensure!(!served.is_empty(), "No model is configured.");
    let blobs = Blobs::open(&config.blobs("operator"))?;
    let store = Store::open(&config.database("operator")).await?;
    let metrics = Arc::new(Metrics::default());
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("Nobody can listen on {listen}"))?;

    let identity = Identity {
        cluster: protocol.cluster,
        authority: authority.pubkey(),
        operator,
        mint: *mint,
        answer_key,
    };
    let age = Duration::from_millis(limits.chain_age_ms);
    let gateway = Gateway::new(
        identity,
        served.clone(),
        store.clone(),
        blobs.clone(),
        Cache::new(rpc.clone(), age, LOOK_UPS),
        limits.clone(),
        metrics.clone(),
    );
    let worker = OperatorLoop::new(rpc, store, blobs, served, authority, *mint, *policy, metrics.clone());
    tracing::info!(%operator, address = %listener.local_addr()?, "the operator serves");
    let [wake] = heard(config, [worker.follows()], &metrics, &stop);
    tokio::join!(gateway::serve(gateway, listener, stop.clone()), worker.run(wake, stop));
    tracing::info!("the operator stopped");
    Ok(())
}

/// The watcher's loop, until told to stop.
pub async fn watch(config: &Config, stop: CancellationToken) -> anyhow::Result<()> {
    let settings = config
        .watcher
        .as_ref()
        .context("The configuration has no [watcher] section.")?;
    let WatcherConfig {
        key,
        models,
        lanes,
        listen,
        policy,
    } = settings;
    let key = keys::load("IMO_NODE_WATCHER_KEY", key.as_deref())?;
    let own_lane = |lane: &LaneConfig| -> anyhow::Result<OwnLane> {
        let session = lane.session_key.as_deref().map(keys::read).transpose()?;
        Ok(OwnLane {
            purse: lane.purse.clone(),
            session: session.map(Arc::new),
        })
    };
    let lanes = lanes.iter().map(own_lane).collect::<Result<Vec<_>, _>>()?;
    let rpc = Arc::new(Rpc::new(&config.rpc));
    let models = models
        .iter()
        .map(|file| WatchedModel::open(file))
        .collect::<Result<Vec<_>, _>>()?;
    anyhow::ensure!(!models.is_empty(), "No model is configured to be watched.");
    let blobs = Blobs::open(&config.blobs("watcher"))?;
    let store = Store::open(&config.database("watcher")).await?;
    let metrics = Arc::new(Metrics::default());
    tracing::info!(watcher = %key.pubkey(), models = models.len(), "the watcher watches");
    let worker = WatcherLoop::new(rpc, store, blobs, models, key, *policy, metrics.clone())
        .await?
        .with_lanes(lanes);
    let wakes = heard(config, worker.follows(), &metrics, &stop);
    match listen {
        Some(listen) => {
            let router = worker.router().await?;
            let (served, ()) = tokio::join!(serve(*listen, router, stop.clone()), worker.run(wakes, stop));
            served?;
        }
        None => worker.run(wakes, stop).await,
    }
    tracing::info!("the watcher stopped");
    Ok(())
}

/// The bells of what the loops follow; silent ones where there is no websocket.
fn heard<const N: usize>(
    config: &Config,
    groups: [Vec<Follow>; N],
    metrics: &Arc<Metrics>,
    stop: &CancellationToken,
) -> [Wake; N] {
    match config.websocket() {
        Some(url) => follow(url, groups, metrics.clone(), stop.clone()),
        None => std::array::from_fn(|_| Wake::never()),
    }
}

async fn serve(listen: SocketAddr, router: Router, stop: CancellationToken) -> anyhow::Result<()> {
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("Nobody can listen on {listen}"))?;
    http::serve(router, Connections::default(), listener, stop).await;
    Ok(())
}
