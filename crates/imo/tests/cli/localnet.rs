use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anchor_lang::{AccountDeserialize, prelude::Pubkey};
use model_token::state::Offering;
use opml_oracle::state::Operator;
use revenue_escrow::state::{Lane, ModelVault};
use serde_json::{Value, json};
use solana_rpc_client::rpc_client::RpcClient;
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use tokio::runtime::Runtime;
use yield_distributor::state::Pool;

use crate::{assert_refused, imo, stdout};

/// A local cluster that is stopped when this is dropped.
struct Localnet {
    process: Child,
    description: Value,
    rpc: RpcClient,
    runtime: Runtime,
}

impl Localnet {
    fn start(arguments: &[&str], temporary: &Path) -> Self {
        const PORTS: [&str; 7] = ["rpc", "ws", "api", "gateway", "index", "watcher", "liar"];
        let ports = PORTS.iter().flat_map(|port| [format!("--{port}-port"), "0".into()]);
        let mut process = Command::new(env!("CARGO_BIN_EXE_imo"))
            .args(["localnet", "--json"])
            .args(ports)
            .args(arguments)
            .env("TMPDIR", temporary)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The description is the only line.
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let description: Value = serde_json::from_str(&line).expect("it starts");
        let rpc = RpcClient::new(description["cluster"]["rpc"].as_str().unwrap().to_owned());
        Self {
            process,
            description,
            rpc,
            runtime: Runtime::new().unwrap(),
        }
    }

    fn text(&self, pointer: &str) -> &str {
        self.description.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    fn address(&self, pointer: &str) -> Pubkey {
        self.text(pointer).parse().unwrap()
    }

    fn account<T: AccountDeserialize>(&self, address: &Pubkey) -> T {
        let data = self.rpc.get_account_data(address).unwrap();
        T::try_deserialize(&mut data.as_slice()).unwrap()
    }

    fn get(&self, url: &str) -> Value {
        self.runtime.block_on(async {
            let text = reqwest::get(url).await.unwrap().text().await.unwrap();
            serde_json::from_str(&text).unwrap()
        })
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.runtime.block_on(async {
            let request = reqwest::Client::new()
                .post(format!("{}{path}", self.text("/api")))
                .header("content-type", "application/json")
                .body(body.to_string());
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
        })
    }

    fn index(&self, path: &str) -> Value {
        self.get(&format!("{}{path}", self.text("/index")))
    }

    fn until(&self, what: &str, mut look: impl FnMut() -> bool) {
        let begin = Instant::now();
        while !look() {
            assert!(begin.elapsed() < Duration::from_secs(120), "never: {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Stops it as an operating system does.
    fn stop(mut self) {
        let told = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.process.id())])
            .status()
            .unwrap();
        assert!(told.success());
        let ended = self.process.wait().unwrap();
        assert_eq!(ended.code(), Some(0));
    }
}

impl Drop for Localnet {
    fn drop(&mut self) {
        // One that was stopped cannot be killed; the daemons of one that is killed stop by themselves.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn given_a_cluster_with_a_liar_when_it_runs_then_caught_indexed_as_the_chain_says_and_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let arguments = ["--liar", "--state", state.to_str().unwrap()];
    let localnet = Localnet::start(&arguments, folder.path());
    let (sold, offered) = (
        localnet.address("/models/0/address"),
        localnet.address("/models/1/address"),
    );

    localnet.until("the liar is caught", || {
        let disputes = localnet.index("/v1/disputes");
        disputes["items"][0]["verdict"] == "proven" && disputes["items"][0]["payout_units"] != Value::Null
    });
    let dispute = localnet.index("/v1/disputes")["items"][0]["dispute"]
        .as_str()
        .unwrap()
        .to_owned();
    let look = || localnet.index(&format!("/v1/disputes/{dispute}"));
    let kinds = |dispute: &Value| -> Vec<String> {
        let moves = dispute["moves"].as_array().unwrap();
        moves
            .iter()
            .map(|made| made["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    // Settled is what is owed; the challenger withdraws it by itself, a transaction later.
    localnet.until("its challenger is paid", || {
        kinds(&look()).iter().any(|kind| kind == "payout")
    });
    let dispute = look();
    assert!(dispute["node"]["operator"].is_string() && dispute["tile"].is_u64() && dispute["element"].is_u64());
    let kinds = kinds(&dispute);
    for kind in [
        "open",
        "point",
        "post_trace",
        "demand_node",
        "reveal_tile",
        "stage_witness",
        "prove",
        "proven",
        "settle",
    ] {
        assert!(kinds.iter().any(|made| made == kind), "{kind} is not among {kinds:?}");
    }

    // The window of the honest operator's report passes at once.
    let before = number(&localnet.index(&format!("/v1/models/{sold}"))["revenue"]["final_units"]);
    localnet.until("the report is sealed", || {
        let sealed = localnet.index("/v1/reports?state=sealed");
        !sealed["items"].as_array().unwrap().is_empty()
    });
    let (status, now) = localnet.post("/time-travel", &json!({ "seconds": 200 }));
    assert_eq!(status, 200, "{now}");
    localnet.until("its revenue is final", || {
        number(&localnet.index(&format!("/v1/models/{sold}"))["revenue"]["final_units"]) > before
    });

    // Sums of the index and accounts of the chain.
    let model = localnet.index(&format!("/v1/models/{sold}"));
    let vault: ModelVault = localnet.account(&localnet.address("/models/0/vault"));
    let splits = localnet.index("/v1/events?name=BucketSplit&limit=100");
    let splits = splits["items"].as_array().unwrap();
    let sum = |field: &str| splits.iter().map(|split| number(&split["fields"][field])).sum::<u64>();
    assert_eq!(sum("others_units"), vault.paid_to_others_units);
    assert_eq!(sum("amount_units"), number(&model["revenue"]["final_units"]));
    let lanes = localnet
        .rpc
        .get_program_ui_accounts_with_config(&revenue_escrow::ID, lanes_only())
        .unwrap();
    let collected: u64 = lanes
        .iter()
        .map(|(_, account)| Lane::try_deserialize(&mut account.data.decode().unwrap().as_slice()).unwrap())
        .map(|lane| lane.collected_units)
        .sum();
    let revenue = &model["revenue"];
    let indexed = ["final_units", "pending_units", "refunded_units"].map(|part| number(&revenue[part]));
    assert_eq!(indexed.iter().sum::<u64>(), collected);
    let pool: Pool = localnet.account(&localnet.address("/models/0/pool"));
    let per_token = model["yield"]["units_per_token"].as_f64().unwrap();
    let on_chain = pool.accumulator as f64 / 2f64.powi(64) * 1e6;
    assert!((per_token - on_chain).abs() < 1e-6, "{per_token} and {on_chain}");
    for (address, place) in [(sold, 0), (offered, 1)] {
        let offering: Offering = localnet.account(&localnet.address(&format!("/models/{place}/offering")));
        let indexed = &localnet.index(&format!("/v1/models/{address}"))["offering"];
        assert_eq!(number(&indexed["committed_units"]), offering.committed_units);
        assert_eq!(number(&indexed["accepted_units"]), offering.accepted_units);
    }
    for place in 0..2 {
        let address = localnet.address(&format!("/operators/{place}/address"));
        let operator: Operator = localnet.account(&address);
        let record = localnet.index(&format!("/v1/operators/{address}"));
        let [staked, withdrawn, slashed] =
            ["staked_units", "withdrawn_units", "slashed_units"].map(|part| number(&record[part]));
        assert_eq!(staked - withdrawn - slashed, operator.stake_units, "{record}");
        assert_eq!(slashed > 0, localnet.description["operators"][place]["honest"] == false);
    }

    let investor = Pubkey::new_unique();
    localnet.post("/airdrop", &json!({ "address": investor.to_string(), "sol": 3 }));
    let genesis = localnet.rpc.get_genesis_hash().unwrap();
    let slot = localnet.rpc.get_slot().unwrap();
    let indexed = localnet.index("/v1/status");
    localnet.stop();

    let localnet = Localnet::start(&arguments, folder.path());
    assert_eq!(localnet.rpc.get_genesis_hash().unwrap(), genesis);
    assert_eq!(localnet.rpc.get_balance(&investor).unwrap(), 3_000_000_000);
    assert!(localnet.rpc.get_slot().unwrap() > slot);
    let again = localnet.index("/v1/status");
    assert!(again["events"].as_u64() >= indexed["events"].as_u64());
    assert_eq!(again["pending"], 0);
    let verdicts = localnet.index("/v1/disputes");
    assert_eq!(
        verdicts["items"].as_array().unwrap().len(),
        1,
        "it lies once in its life"
    );
    localnet.stop();
}

fn lanes_only() -> solana_rpc_client_api::config::RpcProgramAccountsConfig {
    use anchor_lang::Discriminator;
    use solana_account_decoder_client_types::UiAccountEncoding;
    use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig};
    RpcProgramAccountsConfig {
        filters: Some(vec![RpcFilterType::Memcmp(Memcmp::new_raw_bytes(
            0,
            Lane::DISCRIMINATOR.to_vec(),
        ))]),
        account_config: RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            ..RpcAccountInfoConfig::default()
        },
        ..RpcProgramAccountsConfig::default()
    }
}

#[test]
fn given_a_cluster_without_a_folder_when_used_and_stopped_then_nothing_is_left_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let localnet = Localnet::start(&[], temporary.path());

    // What wallets and the `solana` command ask for.
    let rpc = &localnet.rpc;
    rpc.get_health().unwrap();
    for program in ["model_token", "yield_distributor", "opml_oracle", "revenue_escrow"] {
        let account = rpc
            .get_account(&localnet.address(&format!("/programs/{program}")))
            .unwrap();
        assert!(account.executable, "{program}");
    }
    let somebody = Pubkey::new_unique();
    let signature = rpc.request_airdrop(&somebody, 5_000_000_000).unwrap();
    localnet.until("the airdrop is confirmed", || {
        rpc.confirm_transaction(&signature).unwrap()
    });
    assert_eq!(rpc.get_balance(&somebody).unwrap(), 5_000_000_000);
    let dollars = localnet.address("/mints/usdc/address");
    assert_eq!(rpc.get_token_supply(&dollars).unwrap().decimals, 6);

    // The fund button, and its command.
    let address = somebody.to_string();
    let api = localnet.text("/api").to_owned();
    let given = imo(&["airdrop", &address, "--sol", "0.5", "--usdc", "12.5", "--api", &api]);
    assert_eq!(
        given.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&given.stderr)
    );
    assert!(stdout(&given).contains("0.5 SOL and 12.5 USDC"));
    assert_eq!(rpc.get_balance(&somebody).unwrap(), 5_500_000_000);
    let account = imo_client::addresses::payment_account(&somebody, &dollars);
    assert_eq!(rpc.get_token_account_balance(&account).unwrap().amount, "12500000");
    assert_refused(
        &imo(&["airdrop", &address, "--sol", "-1", "--api", &api]),
        "a number from 0 to",
    );
    for (path, body, about) in [
        ("/airdrop", json!({ "address": "me", "sol": 1 }), "not an address"),
        ("/airdrop", json!({ "address": address }), "Nothing is asked for"),
        ("/airdrop", json!({ "address": address, "gold": 1 }), "unknown field"),
        ("/time-travel", json!({}), "one of seconds"),
        ("/time-travel", json!({ "seconds": 1, "slots": 1 }), "one of seconds"),
        ("/time-travel", json!({ "to_slot": 1 }), "never back"),
    ] {
        let (status, answer) = localnet.post(path, &body);
        assert!((400..500).contains(&status), "{body}: {status} {answer}");
        assert!(answer["error"].as_str().unwrap().contains(about), "{body}: {answer}");
    }
    let before = localnet.get(&format!("{api}/time"));
    let (_, after) = localnet.post("/time-travel", &json!({ "seconds": 86_400 }));
    assert!(after["unix"].as_i64().unwrap() >= before["unix"].as_i64().unwrap() + 86_400);
    assert!(after["slot"].as_u64().unwrap() >= before["slot"].as_u64().unwrap() + 216_000);

    // Pages of other origins may read all of it.
    localnet.runtime.block_on(async {
        let rpc = localnet.text("/cluster/rpc");
        let gateway = localnet.text("/operators/0/endpoint");
        for url in [localnet.text("/api"), localnet.text("/index"), gateway, rpc] {
            let asked = reqwest::Client::new()
                .request(reqwest::Method::OPTIONS, url)
                .header("origin", "http://localhost:5173")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type")
                .send()
                .await
                .unwrap();
            let allowed = asked.headers()["access-control-allow-origin"].to_str().unwrap();
            assert!(["*", "http://localhost:5173"].contains(&allowed), "{url}: {allowed}");
        }
    });
    let card = localnet.get(localnet.text("/models/0/card"));
    assert_eq!(card["symbol"], "DIGITS");
    let samples = localnet.get(localnet.text("/models/1/samples"));
    assert_eq!(samples[0]["values"].as_array().unwrap().len(), 64);

    let gateway = localnet.text("/operators/0/endpoint").to_owned();
    localnet.stop();
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let runtime = Runtime::new().unwrap();
    assert!(runtime.block_on(reqwest::get(gateway)).is_err(), "the daemons are gone");
    assert_refused(&imo(&["airdrop", &address, "--api", &api]), "`imo localnet` starts one");
}

#[test]
fn given_a_cluster_that_is_stopped_while_it_is_made_when_made_again_then_from_the_beginning_and_nothing_else_is_left() {
    let (temporary, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let state = folder.path().join("state");
    let start = |arguments: &[&str]| {
        let mut process = Command::new(env!("CARGO_BIN_EXE_imo"));
        process.args(["localnet", "--until-input-ends"]).args(arguments);
        process.env("TMPDIR", temporary.path()).stdin(Stdio::piped());
        for port in ["rpc", "ws", "api", "gateway", "index", "watcher", "liar"] {
            process.args([format!("--{port}-port"), "0".into()]);
        }
        process.spawn().unwrap()
    };
    // As soon as somebody has bought something.
    let mut process = start(&["--state", state.to_str().unwrap()]);
    let begin = Instant::now();
    while !state.join("purses").exists() {
        assert!(begin.elapsed() < Duration::from_secs(120), "never: a purse");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(process.stdin.take());
    assert_eq!(process.wait().unwrap().code(), Some(1));
    assert!(!state.join("chain.json").exists());
    let mut process = start(&[]);
    drop(process.stdin.take());
    assert_eq!(process.wait().unwrap().code(), Some(1));
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");

    let localnet = Localnet::start(&["--state", state.to_str().unwrap()], temporary.path());
    assert!(number(&localnet.index("/v1/models?limit=2")["items"][1]["revenue"]["final_units"]) > 0);
    localnet.stop();
}

#[test]
fn given_a_taken_port_or_a_folder_of_something_else_when_started_then_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = imo(&["localnet", "--gateway-port", &port]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("Nobody can listen on port {port}")));

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("chain.json"), "{}").unwrap();
    let output = imo(&["localnet", "--state", folder.path().to_str().unwrap()]);
    assert_refused(&output, "is no saved cluster");
    assert_refused(&imo(&["localnet", "--node", "/nowhere"]), "is missing: build it");

    std::fs::rename(folder.path().join("chain.json"), folder.path().join("diary.txt")).unwrap();
    let output = imo(&["localnet", "--state", folder.path().to_str().unwrap()]);
    assert_refused(&output, "is not empty and holds no saved cluster");
}
