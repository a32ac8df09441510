//! The gateway in a process of its own, and beside it the same answers for nothing.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use imo_node::{
    chain::Cache,
    gateway::{
        Gateway, Limits,
        engine::Engine,
        infer::{OutputBody, tensor_of},
        serve,
    },
    http::{self, Connections},
    metrics::Metrics,
    model::ServedModel,
    store::{Blobs, Store},
};
use opml_runtime::onnx::import_file;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use tokio_util::sync::CancellationToken;

use crate::world::{Table, identity, served};

/// Whether an answer has to be paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Paid,
    Free,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Free => "free",
        }
    }
}

/// A server that runs.
pub struct Server {
    process: Child,
    pub address: String,
}

impl Server {
    pub async fn start(mode: Mode, model: &Path, lanes: u32, folder: &Path) -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", mode.name()])
            .arg(model)
            .arg(lanes.to_string())
            .arg(folder)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = process.stdout.take().context("it has an output")?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address).await?;
        anyhow::ensure!(!address.is_empty(), "the server did not start");
        Ok(Self {
            process,
            address: address.trim().to_owned(),
        })
    }

    /// Memory in use, in bytes.
    pub fn memory(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(self.file("status")?)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("VmRSS")?;
        Ok(kilobytes.parse::<f64>()? * 1_024.0)
    }

    /// Processor time so far, in seconds.
    pub fn processor_seconds(&self) -> anyhow::Result<f64> {
        /// As every Linux says that it counts.
        const TICKS_PER_SECOND: f64 = 100.0;
        let stat = std::fs::read_to_string(self.file("stat")?)?;
        let (_, fields) = stat.rsplit_once(") ").context("stat")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<f64>);
        Ok(ticks.sum::<Result<f64, _>>()? / TICKS_PER_SECOND)
    }

    fn file(&self, name: &str) -> anyhow::Result<PathBuf> {
        let id = self.process.id().context("the server ended")?;
        Ok(Path::new("/proc").join(id.to_string()).join(name))
    }

    pub async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }
}

/// What the process of a server does: says where it listens, and serves until it is killed.
pub async fn run(arguments: &[String]) -> anyhow::Result<()> {
    let [mode, model, lanes, folder] = arguments else {
        anyhow::bail!("serve MODE MODEL LANES FOLDER");
    };
    let model = import_file(Path::new(model))?.model;
    let model = Arc::new(served(&model));
    let limits = Limits::default();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    if *mode == Mode::Free.name() {
        let cores = std::thread::available_parallelism()?.get();
        let engine = Engine::new(cores, limits.queue);
        let router = Router::new()
            .route("/v1/infer", post(answer))
            .with_state((model, engine));
        http::serve(router, Connections::default(), listener, stop).await;
    } else {
        let chain = Arc::new(Table::of(lanes.parse()?)?);
        let folder = Path::new(folder);
        let gateway = Gateway::new(
            identity(),
            vec![model],
            Store::open(&database(folder)).await?,
            Blobs::in_folder(&folder.join("blobs"))?,
            Cache::new(chain, Duration::from_millis(limits.chain_age_ms), 64),
            limits,
            Arc::new(Metrics::default()),
        );
        serve(gateway, listener, stop).await;
    }
    Ok(())
}

pub fn database(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("node.db").display())
}

/// The same question and answer, with the same queue, computed by the same executor: no voucher, no receipt, no signature, nothing stored.
async fn answer(
    State((model, engine)): State<(Arc<ServedModel>, Arc<Engine>)>,
    Json(question): Json<Value>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let bad = |error: String| (StatusCode::BAD_REQUEST, error);
    let values: Vec<i32> =
        serde_json::from_value(question["input"]["values"].clone()).map_err(|error| bad(error.to_string()))?;
    let input = tensor_of(model.model.input_spec(), &values).map_err(|error| bad(format!("{error:?}")))?;
    let executor = model.executor.clone();
    let output = engine
        .run(move || executor.output(&input))
        .await
        .map_err(|_| (StatusCode::TOO_MANY_REQUESTS, String::new()))?
        .map_err(|error| bad(error.to_string()))?;
    Ok(Json(
        json!({ "model": model.name, "output": OutputBody::from(&output) }),
    ))
}
