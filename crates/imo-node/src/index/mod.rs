//! `imo-node index`: history for everybody, from the programs' events.
//!
//! [`follow`] reads the chain and [`database`] keeps every event, once; [`api`] answers questions from it. What is lost is read from the chain again.

mod api;
mod database;
mod events;
mod fields;
mod follow;
mod moves;
mod query;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use {
    api::router,
    database::Database,
    follow::{Follower, Progress},
};

use crate::{
    chain::Wake,
    config::LogFormat,
    http::{self, Connections},
    metrics::Metrics,
    rounds::repeat,
};

/// What the index is told.
#[derive(Debug, Args)]
pub struct IndexArgs {
    /// JSON-RPC address of the cluster
    #[arg(long, env = "IMO_NODE_RPC", value_name = "URL")]
    pub rpc: String,
    /// Database of its own: sqlite:///path or postgres://... [default: index.db in the folder of --data]
    #[arg(long, env = "IMO_NODE_INDEX_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Folder for the database where no other is named
    #[arg(long, env = "IMO_NODE_DATA", value_name = "DIR", default_value = ".")]
    pub data: PathBuf,
    /// Address and port to listen on
    #[arg(
        long,
        env = "IMO_NODE_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8903"
    )]
    pub listen: SocketAddr,
    /// Milliseconds between two looks at the chain
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1_000)]
    pub round_ms: u64,
    /// How to write the log
    #[arg(long, env = "IMO_NODE_LOG", value_enum, default_value_t)]
    pub log: LogFormat,
}

/// Reads and answers, until told to stop.
pub async fn index(args: &IndexArgs, stop: CancellationToken) -> anyhow::Result<()> {
    let url = match &args.database {
        Some(url) => url.clone(),
        None => {
            std::fs::create_dir_all(&args.data)
                .with_context(|| format!("The folder {} cannot be made", args.data.display()))?;
            format!("sqlite://{}", args.data.join("index.db").display())
        }
    };
    let database = Database::open(&url)
        .await
        .context("The database of the index cannot be used")?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("Nobody can listen on {}", args.listen))?;
    tracing::info!(address = %listener.local_addr()?, "the index answers");
    let follower = Arc::new(Follower::new(&args.rpc, database.clone()));
    let metrics = Metrics::default();
    let pause = Duration::from_millis(args.round_ms);
    let follow = repeat("index", pause, &metrics, &stop, Wake::never(), || {
        let follower = follower.clone();
        async move {
            let progress = follower.round().await?;
            if progress.added > 0 {
                tracing::info!(?progress, "transactions were read");
            }
            Ok(())
        }
    });
    let serve = http::serve(router(database), Connections::default(), listener, stop.clone());
    tokio::join!(serve, follow);
    tracing::info!("the index stopped");
    Ok(())
}
