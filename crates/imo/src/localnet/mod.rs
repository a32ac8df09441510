//! `imo localnet`: a cluster to develop on, with the programs, two models, an operator and a watcher that really work.

mod airdrop;
mod api;
mod business;
mod catalogue;
mod description;
mod ending;
mod people;
mod scene;
mod state;

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use imo_node::operator::Policy;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::LocalnetArgs,
    cluster::{self, Accounts, Blocks, Cluster, Settings},
    demo::{
        liar::LyingOperator,
        lie::{self, Liar},
    },
    node::{self, Daemon},
};
pub use airdrop::run as airdrop;
use api::Api;
use business::{Configs, Customer, REPORT_SECONDS, ROUND_MS};
use catalogue::Entry;
use description::Places;
use ending::Ending;
use people::{LIAR, LIAR_ANSWERS, OPERATOR, OPERATOR_ANSWERS, PROTOCOL};
use scene::Scene;

/// How long before now the story of a new cluster begins, in milliseconds: longer than it takes.
const PAST_MS: u64 = 6 * 24 * 60 * 60 * 1_000;

/// Answers that were bought on each day of the past.
const PAST_ANSWERS: [usize; 3] = [8, 13, 10];

/// Answers that are bought now, of which the report can still be disputed.
const FRESH_ANSWERS: usize = 5;

/// The first image that the operator that lies is asked about: none that anybody else was asked.
const LIAR_FIRST: usize = 100;

const LIAR_QUESTIONS: usize = 3;

/// How often the state is saved, for the case that nobody gets to save it at the end.
const SAVES: Duration = Duration::from_secs(30);

/// After so many slots what happened is final.
const FINALITY_SLOTS: u64 = 32;

/// How long the index may take to notice it.
const PATIENCE: Duration = Duration::from_secs(10);

const GLANCE: Duration = Duration::from_millis(100);

/// How often it is looked whether the daemons are well.
const LOOKS: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub fn run(args: &LocalnetArgs) -> anyhow::Result<ExitCode> {
    let programs = cluster::load(args.programs.as_deref())?;
    let node = node::program(args.node.as_deref())?;
    let runtime = Runtime::new().context("The local cluster needs threads")?;
    let home = Home::open(args.state.as_deref())?;
    let ending = Ending::watch(&runtime, args.until_input_ends, home.temporary())?;
    let saved = match args.state {
        Some(_) => state::load(home.path())?,
        None => None,
    };
    let ports = Ports::reserve(args)?;
    let api_listener = node::listen(args.api_port)?;
    let api_url = url(api_listener.local_addr()?.port());
    let models = catalogue::make(&home.path().join("models"), &api_url)?;
    business::write_keys(&home.path().join("keys"))?;

    tell("starting the cluster");
    let (accounts, slot, genesis_unix_ms) = match saved {
        Some(saved) => (saved.accounts, Some(saved.slot), saved.genesis_unix_ms),
        None => (Accounts::new(), None, cluster::unix_ms().saturating_sub(PAST_MS)),
    };
    let is_new = slot.is_none();
    let settings = Settings {
        rpc_port: args.rpc_port,
        ws_port: args.ws_port,
        blocks: Blocks::OnDemand,
        genesis_unix_ms,
        accounts,
        airdrops: (
            if is_new { scene::fee_payers() } else { Vec::new() },
            scene::SOL_OF_EACH,
        ),
    };
    let cluster = Arc::new(Cluster::start(settings, &programs, &PROTOCOL.address())?);
    let scene = Scene { cluster: &cluster };
    let customer = Customer {
        runtime: &runtime,
        cluster: &cluster,
        purses: home.path().join("purses"),
    };
    let gateway = url(ports.gateway);
    if is_new {
        tell("selling the first model");
        scene.found(&models, &api_url)?;
        scene.register_operator(OPERATOR, OPERATOR_ANSWERS, &gateway)?;
        for entry in &models {
            scene.open_credit(entry)?;
            scene.open_lane(entry, OPERATOR)?;
        }
    }
    if let Some(slot) = slot {
        cluster.travel_to(slot + 1)?;
    }
    let daemons = start_daemons(&node, home.path(), &cluster, &models, &ports)?;
    if is_new {
        tell("using it");
        customer.past_days(&scene, &models[0], &PAST_ANSWERS)?;
        scene.offer_openly(&models[1])?;
    }
    // From here on it is now.
    cluster.travel_to(cluster.slot_at(cluster::unix_ms()))?;
    cluster.make_blocks(Blocks::Steady)?;
    if is_new {
        customer.buy(&models[0], OPERATOR, 40, FRESH_ANSWERS)?;
    }
    let stop = CancellationToken::new();
    let mut places = Places {
        api: api_url.clone(),
        gateway,
        index: url(ports.index),
        watcher: url(ports.watcher),
        liar: None,
    };
    if args.liar {
        start_liar(
            &runtime,
            &scene,
            &models[0],
            &home.path().join("liar"),
            ports.liar,
            &stop,
        )?;
        places.liar = Some(url(ports.liar));
        // It lies once in its life.
        if customer.next_sequence(LIAR)? == 0 {
            customer.buy(&models[0], LIAR, LIAR_FIRST, LIAR_QUESTIONS)?;
        }
    }

    let description = description::describe(&cluster, &places, &models)?;
    let file = home.path().join("localnet.json");
    fs::write(&file, serde_json::to_vec_pretty(&description)?)?;
    show(args, &description, home.path())?;
    let api = Api {
        cluster: cluster.clone(),
        description,
        models: home.path().join("models"),
    };
    let served = runtime.block_on(serve(
        api,
        api_listener,
        daemons,
        args.state.as_deref(),
        stop,
        ending.runs(),
    ));
    let (mut daemons, outcome) = served?;

    tell("stopping");
    // The index is the first and reads what the others did at the end.
    while let Some(daemon) = daemons.pop() {
        if daemons.is_empty() && args.state.is_some() {
            // A cluster that is started again knows no transactions: the index has to know all of them, as final ones.
            cluster.advance(FINALITY_SLOTS)?;
            runtime.block_on(index_is_settled(&places.index))?;
        }
        daemon.stop()?;
    }
    if args.state.is_some() {
        state::save(home.path(), &cluster)?;
    }
    cluster.stop()?;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Where everything is kept.
enum Home {
    Given(PathBuf),
    /// Gone when this is dropped.
    Temporary(TempDir),
}

impl Home {
    fn open(given: Option<&Path>) -> anyhow::Result<Self> {
        match given {
            Some(folder) => Ok(Self::Given(state::open(folder)?)),
            None => Ok(Self::Temporary(tempfile::tempdir()?)),
        }
    }

    /// What has to be removed by whoever ends the process without ending this.
    fn temporary(&self) -> Option<PathBuf> {
        match self {
            Self::Given(_) => None,
            Self::Temporary(folder) => Some(folder.path().to_owned()),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(folder) => folder,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

/// Ports of the daemons. They are free now; who takes one meanwhile is told by the daemon that misses it.
struct Ports {
    gateway: u16,
    index: u16,
    watcher: u16,
    liar: u16,
}

impl Ports {
    fn reserve(args: &LocalnetArgs) -> anyhow::Result<Self> {
        let held: Vec<TcpListener> = [args.gateway_port, args.index_port, args.watcher_port, args.liar_port]
            .into_iter()
            .map(node::listen)
            .collect::<Result<_, _>>()?;
        let port = |index: usize| Ok::<_, io::Error>(held[index].local_addr()?.port());
        Ok(Self {
            gateway: port(0)?,
            index: port(1)?,
            watcher: port(2)?,
            liar: port(3)?,
        })
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn start_daemons(
    node: &Path,
    home: &Path,
    cluster: &Cluster,
    models: &[Entry],
    ports: &Ports,
) -> anyhow::Result<Vec<Daemon>> {
    let configs = Configs::write(home, cluster, models, ports.gateway, ports.watcher)?;
    let logs = home.join("logs");
    fs::create_dir_all(&logs)?;
    let (history, listen) = (home.join("index"), format!("127.0.0.1:{}", ports.index));
    let text = OsStr::new;
    let index = [
        text("index"),
        text("--rpc"),
        text(cluster.url()),
        text("--data"),
        history.as_os_str(),
        text("--listen"),
        text(&listen),
    ];
    let operator = [text("operate"), text("--config"), configs.operator.as_os_str()];
    let watcher = [text("watch"), text("--config"), configs.watcher.as_os_str()];
    let mut daemons = Vec::new();
    for (name, arguments, port) in [
        ("index", index.as_slice(), ports.index),
        ("operator", &operator, ports.gateway),
        ("watcher", &watcher, ports.watcher),
    ] {
        let mut daemon = Daemon::start(node, name, arguments, logs.join(format!("{name}.log")))?;
        daemon.wait_for_port(port)?;
        daemons.push(daemon);
    }
    Ok(daemons)
}

/// An operator that lies about one of the images that it is asked about in the beginning.
fn start_liar(
    runtime: &Runtime,
    scene: &Scene,
    entry: &Entry,
    folder: &Path,
    port: u16,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    scene.register_operator(LIAR, LIAR_ANSWERS, &url(port))?;
    scene.open_lane(entry, LIAR)?;
    let questions: Vec<_> = catalogue::questions(entry, LIAR_FIRST, LIAR_QUESTIONS)
        .cloned()
        .collect();
    let lie = lie::find(&entry.model, &questions)?;
    let operator = LyingOperator {
        rpc: scene.cluster.url(),
        cluster: scene.cluster.genesis_hash()?,
        authority: LIAR.key(),
        answers: LIAR_ANSWERS.key(),
        mint: scene::dollars(),
        name: entry.name,
        address: scene::model_address(entry),
        model: &entry.model,
        liar: Liar::new(&entry.model, &questions[lie.question], lie.answer),
        policy: Policy {
            report_seconds: REPORT_SECONDS,
            round_ms: ROUND_MS,
            ..Policy::default()
        },
        folder,
    };
    runtime.block_on(operator.start(node::listen(port)?, stop))
}

/// Serves until told to stop, or until a daemon ends by itself: then that is the ending.
async fn serve(
    api: Api,
    listener: TcpListener,
    mut daemons: Vec<Daemon>,
    state: Option<&Path>,
    stop: CancellationToken,
    told: CancellationToken,
) -> anyhow::Result<(Vec<Daemon>, anyhow::Result<()>)> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let cluster = api.cluster.clone();
    let served = axum::serve(listener, api::router(api)).with_graceful_shutdown(stop.clone().cancelled_owned());
    let served = tokio::spawn(served.into_future());
    let (mut looks, mut saves) = (tokio::time::interval(LOOKS), tokio::time::interval(SAVES));
    let ending = loop {
        tokio::select! {
            () = told.cancelled() => break Ok(()),
            _ = looks.tick() => {
                if let Err(error) = daemons.iter_mut().try_for_each(Daemon::check) {
                    break Err(error);
                }
            }
            _ = saves.tick() => {
                if let Some(folder) = state {
                    let (folder, cluster) = (folder.to_owned(), cluster.clone());
                    tokio::task::spawn_blocking(move || state::save(&folder, &cluster)).await??;
                }
            }
        }
    };
    stop.cancel();
    // Connections that stay open do not keep it.
    let _ = tokio::time::timeout(Duration::from_secs(2), served).await;
    Ok((daemons, ending))
}

/// Waits until nothing in the index is pending.
async fn index_is_settled(index: &str) -> anyhow::Result<()> {
    let begin = Instant::now();
    while begin.elapsed() < PATIENCE {
        let text = reqwest::get(format!("{index}/v1/status")).await?.text().await?;
        let status: Value = serde_json::from_str(&text)?;
        if status["pending"] == 0 {
            return Ok(());
        }
        tokio::time::sleep(GLANCE).await;
    }
    tell("the index did not get to the end of the chain");
    Ok(())
}

/// Progress, for whoever waits.
fn tell(what: &str) {
    // Who does not look is not told.
    let _ = writeln!(io::stderr(), "localnet: {what}");
}

fn show(args: &LocalnetArgs, description: &Value, home: &Path) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, description)?;
        writeln!(out)?;
        out.flush()?;
        return Ok(());
    }
    let text = |path: &str| {
        description
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut rows = vec![
        ("RPC", text("/cluster/rpc")),
        ("websocket", text("/cluster/websocket")),
        ("description, faucet, clock", text("/api")),
        ("gateway of the operator", text("/operators/0/endpoint")),
        ("index", text("/index")),
        ("metrics of the watcher", text("/watchers/0/metrics")),
        ("USDC", text("/mints/usdc/address")),
        ("sold model (digits)", text("/models/0/address")),
        ("model for sale (digits_cnn)", text("/models/1/address")),
        ("keys", home.join("keys").display().to_string()),
        ("logs", home.join("logs").display().to_string()),
    ];
    if args.liar {
        rows.insert(6, ("gateway of the operator that lies", text("/operators/1/endpoint")));
    }
    for (name, value) in rows {
        writeln!(out, "{name:<34} {value}")?;
    }
    writeln!(
        out,
        "\n`imo airdrop ADDRESS` gives SOL and USDC to a wallet. Ctrl-C stops everything."
    )?;
    out.flush()?;
    Ok(())
}
