//! What an operator survives: being killed at moments that nobody chose, its database stopped under it, its RPC gone for a minute. Whatever was answered is
//! collected once, no report is posted twice, and the books of store and chain agree.
//!
//! `IMO_KILLS` says how often it is killed; `IMO_FIGURES` names a file for what was counted.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use imo_client::{addresses as at, trees::ReceiptTree, voucher::SignedVoucher};
use imo_node::{gateway::pay::payment_header, store::Store};
use imo_protocol::{Collection, Receipt};
use opml::Claim;
use opml_oracle::state::{Operator, Report, ReportStatus};
use opml_runtime::{Model, execute};
use rand::Rng;
use revenue_escrow::state::Lane;
use solana_signer::Signer;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    postgres::Postgres,
    process::Process,
    world::{LANE, PRICE, STAKE, World, key, port, workspace},
};

/// Answers at least, however little goes wrong.
const ANSWERS: usize = 40;

/// Answers at most: a lane's money is for no more.
const AFFORDABLE: usize = (LANE / PRICE) as usize - 1;

/// How long one answer may be waited for.
const PATIENCE: Duration = Duration::from_secs(150);

/// What goes wrong, in turns, until all of it has.
#[derive(Clone, Copy)]
struct Troubles {
    kills: u32,
    /// Of the database.
    stops: u32,
    /// How long the RPC does not answer; zero for never.
    outage: Duration,
}

impl Troubles {
    /// How many are still to come.
    fn left(&self) -> usize {
        (self.kills + self.stops) as usize + usize::from(!self.outage.is_zero())
    }
}

#[test]
fn given_an_operator_that_is_killed_at_any_moment_when_asked_on_then_nothing_is_lost_and_nothing_happens_twice() {
    let kills = std::env::var("IMO_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let troubles = Troubles {
        kills,
        stops: 0,
        outage: Duration::ZERO,
    };
    let survived = survive(troubles, None);
    if let Ok(file) = std::env::var("IMO_FIGURES") {
        let figures = serde_json::json!({ "node.crash_runs": kills, "node.lost_receipts": survived.answered - survived.collected });
        std::fs::write(file, figures.to_string()).unwrap();
    }
}

#[test]
fn given_a_database_that_is_stopped_under_the_operator_when_asked_on_then_nothing_is_lost_either() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(server) = runtime.block_on(Postgres::start()) else {
        eprintln!("PostgreSQL is not installed here: this is left out");
        return;
    };
    let troubles = Troubles {
        kills: 3,
        stops: 4,
        outage: Duration::ZERO,
    };
    survive(troubles, Some((runtime, server)));
}

#[test]
fn given_an_rpc_that_is_gone_for_a_minute_when_it_is_back_then_the_operator_goes_on_from_what_the_chain_shows() {
    let troubles = Troubles {
        kills: 2,
        stops: 0,
        outage: Duration::from_secs(60),
    };
    survive(troubles, None);
}

/// Answers that were handed out, and those that were collected of them.
struct Survived {
    answered: u64,
    collected: u64,
}

fn survive(mut troubles: Troubles, mut database: Option<(tokio::runtime::Runtime, Postgres)>) -> Survived {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    world.open_business(&url);
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::start(&world);
    let store = match &database {
        Some((runtime, server)) => runtime.block_on(server.database("survival")),
        None => format!("sqlite://{}", folder.path().join("operator.db").display()),
    };
    let config = configure(&world, folder.path(), &listen, &proxy.url, &store);
    let mut node = Supervised::start(&config);

    let mut purse = world.purse();
    let mut receipts = Vec::new();
    let pause = || Duration::from_millis(rand::rng().random_range(200..2_500));
    let mut next = Instant::now() + pause();
    let all = troubles.left();
    while troubles.left() > 0 || receipts.len() < ANSWERS {
        // Each trouble finds the payer with money left, however fast answers come.
        let happened = all - troubles.left();
        if receipts.len() >= AFFORDABLE * (happened + 1) / (all + 1) {
            std::thread::sleep(next.saturating_duration_since(Instant::now()) + Duration::from_millis(1));
        }
        let input = world.input(receipts.len() as u64);
        let question = purse.ask(world.entry(&input), world.unix() + 7 * 86_400).unwrap();
        let voucher = SignedVoucher {
            voucher: question.voucher,
            signature: key("session").sign_message(&question.voucher.message()).into(),
        };
        let header = payment_header(&voucher, &question.request.salt);
        let body = serde_json::json!({ "input": { "values": input.values() } }).to_string();
        // The very same request until it is answered: whether the operator has taken it before is the operator's to know.
        let asked = Instant::now();
        let answer = loop {
            node.keep_up();
            if Instant::now() > next {
                if troubles.stops > 0 && (troubles.kills == 0 || rand::random()) {
                    let (runtime, server) = database.as_mut().unwrap();
                    runtime.block_on(server.restart());
                    troubles.stops -= 1;
                } else if !troubles.outage.is_zero() {
                    proxy.leave_for(&world, std::mem::take(&mut troubles.outage));
                } else if troubles.kills > 0 {
                    node.kill_soon();
                    troubles.kills -= 1;
                }
                next = Instant::now() + pause();
            }
            match world.post(&url, &header, &body) {
                Ok((200, answer)) => break answer,
                // Taken often enough, or not now.
                Ok((409 | 429 | 503, _)) | Err(_) => std::thread::sleep(Duration::from_millis(20)),
                Ok((status, answer)) => panic!("{status}: {answer}"),
            }
            assert!(asked.elapsed() < PATIENCE, "no answer any more");
        };
        let truth = execute(&world.model, &input).unwrap();
        assert_eq!(answer["output"]["values"], serde_json::json!(truth.output().values()));
        assert_eq!(answer["evidence"]["sequence"], question.request.sequence);
        receipts.push(Receipt {
            lane: world.lane(),
            sequence: question.request.sequence,
            claim: Claim {
                output_root: truth.output().root(),
                ..truth.claim()
            },
            salt: question.request.salt,
        });
    }

    let answered = receipts.len() as u64;
    world.until("all that was answered is collected", || {
        node.keep_up();
        let lane: Lane = world.find(&world.lane())?;
        (lane.collected_count == answered && lane.collected_units == answered * PRICE).then_some(())
    });
    world.until("every report is sealed", || {
        let operator: Operator = world.find(&world.operator())?;
        let reports = (0..operator.next_sequence).filter_map(|sequence| world.find::<Report>(&world.report(sequence)));
        reports
            .into_iter()
            .all(|report| report.status == ReportStatus::Sealed)
            .then_some(())
    });
    let collected = check_books(&world, &receipts);

    // Its store agrees with the chain.
    world.until("the store has noted it", || {
        let owed = world.runtime.block_on(async {
            let store = Store::open(&store).await.unwrap();
            let lanes = store.owing_lanes().await.unwrap();
            (store.owed_units().await.unwrap(), lanes.len())
        });
        (owed == (0, 0)).then_some(())
    });
    node.stop();
    Survived { answered, collected }
}

/// The Collections follow each other without gap or overlap, over the very receipts that were handed out, and each report locks its own bond. How many were collected.
fn check_books(world: &World, receipts: &[Receipt]) -> u64 {
    let operator: Operator = world.find(&world.operator()).unwrap();
    let mut next = 0;
    let mut bonds = 0;
    for sequence in 0..operator.next_sequence {
        let report = world.report(sequence);
        bonds += world.find::<Report>(&report).unwrap().bond_units;
        let collection = at::revenue_escrow::collection(&report, &world.lane());
        let Some(collection) = world.find::<Collection>(&collection) else {
            continue;
        };
        assert_eq!(collection.first_sequence, next);
        let end = next + u64::from(collection.count);
        let tree = ReceiptTree::over(next, &receipts[next as usize..end as usize]).unwrap();
        assert_eq!(collection.receipts_root, tree.root());
        next = end;
    }
    assert_eq!(next, receipts.len() as u64);
    assert_eq!(operator.stake_units, STAKE);
    assert_eq!(operator.locked_units, bonds);
    next
}

fn configure(world: &World, folder: &Path, listen: &str, rpc: &str, database: &str) -> PathBuf {
    for name in ["operator", "answers"] {
        let bytes = serde_json::to_string(&key(name).to_bytes().to_vec()).unwrap();
        std::fs::write(folder.join(format!("{name}.json")), bytes).unwrap();
    }
    let model = workspace("models/digits/digits.imo");
    let text = format!(
        r#"
        rpc = "{rpc}"
        data = "data"
        database = "{database}"

        [operator]
        listen = "{listen}"
        mint = "{}"
        authority_key = "operator.json"
        answer_key = "answers.json"
        policy = {{ report_seconds = 2, round_ms = 200 }}

        [[operator.models]]
        name = "digits"
        address = "{}"
        file = "{}"
        "#,
        world.mint,
        world.model_address,
        model.display(),
    );
    let path = folder.join("survivor.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// A process that is started again whenever it ends, as a service manager would.
struct Supervised {
    config: PathBuf,
    process: Process,
}

impl Supervised {
    fn start(config: &Path) -> Self {
        Self {
            config: config.to_owned(),
            process: Process::start("operate", config),
        }
    }

    /// SIGKILL while the next request is on its way, at a moment that nobody chose.
    fn kill_soon(&self) {
        let id = self.process.id().to_string();
        let moment = Duration::from_micros(rand::rng().random_range(0..6_000));
        std::thread::spawn(move || {
            std::thread::sleep(moment);
            // By number: who waits for the process is busy asking it.
            Command::new("kill").args(["-KILL", &id]).status().unwrap()
        });
    }

    /// Up again when it was killed, or gave up because it cannot begin without an RPC or a database.
    fn keep_up(&mut self) {
        if self.process.has_ended() {
            std::thread::sleep(Duration::from_millis(200));
            *self = Self::start(&self.config);
        }
    }

    /// Told to stop, it stops by itself.
    fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }
}

/// Stands before the RPC, and goes away when told.
struct Proxy {
    url: String,
    open: watch::Sender<bool>,
}

impl Proxy {
    fn start(world: &World) -> Self {
        let upstream = world.url().trim_start_matches("http://").to_owned();
        let (open, is_open) = watch::channel(true);
        let listener = world.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        world.runtime.spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (upstream, mut is_open) = (upstream.clone(), is_open.clone());
                tokio::spawn(async move {
                    // A connection that is there when it goes away is cut, and a new one gets no answer.
                    if !*is_open.borrow_and_update() {
                        return;
                    }
                    let mut server = tokio::net::TcpStream::connect(upstream).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                        _ = is_open.changed() => {}
                    }
                });
            }
        });
        Self { url, open }
    }

    fn leave_for(&self, world: &World, time: Duration) {
        self.open.send(false).unwrap();
        let open = self.open.clone();
        world.runtime.spawn(async move {
            tokio::time::sleep(time).await;
            open.send(true).unwrap();
        });
    }
}
