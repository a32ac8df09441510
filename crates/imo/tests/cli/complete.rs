//! `imo pay complete` against a real gateway, and an RPC that knows the accounts.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::Arc,
};

use axum::{Json, Router, extract::State, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_client::answer::SignedAnswer;
use imo_node::chain::Accounts;
use serde_json::{Value, json};
use solana_keypair::write_keypair_file;
use tokio::{net::TcpListener, runtime::Runtime};

use crate::{
    assert_refused,
    decoder_world::{PROMPT, recorded, registered},
    imo,
    middleman::{Middleman, Mischief},
    stdout, workspace,
    world::{PRICE, Table, World},
};

const STEPS: usize = PROMPT + 7;

/// A shop with its customer.
struct Place {
    runtime: Runtime,
    world: World,
    rpc: String,
}

impl Place {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let world = runtime.block_on(registered());
        let router = Router::new().route("/", post(answer)).with_state(world.chain.clone());
        let rpc = runtime.block_on(serve(router));
        let place = Self { runtime, world, rpc };
        write_keypair_file(&place.world.session, place.file("session.json")).unwrap();
        place.world.model.save(place.file("model.imo")).unwrap();
        std::fs::write(place.file("prompt.txt"), prompt() + "\n").unwrap();
        let layout = toml::to_string(place.world.layout.as_ref().unwrap()).unwrap();
        std::fs::write(place.file("layout.toml"), layout).unwrap();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.world.folder.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.file(name).to_str().unwrap().to_owned()
    }

    fn arguments(&self, endpoint: &str, more: &[&str]) -> Vec<String> {
        let addresses = [
            ("--model", self.world.model_address),
            ("--operator", self.world.operator),
            ("--payer", self.world.payer),
        ];
        let addresses = addresses.map(|(name, address)| [name.to_owned(), address.to_string()]);
        let files = [("--session", "session.json"), ("--purse", "purse.json")];
        let files = files.map(|(name, file)| [name.to_owned(), self.path(file)]);
        let all = [
            "pay",
            "complete",
            "--url",
            &self.rpc,
            "--endpoint",
            endpoint,
            "--patience",
            "0",
        ];
        let all = all.map(str::to_owned).into_iter();
        all.chain(addresses.into_iter().flatten())
            .chain(files.into_iter().flatten())
            .chain(more.iter().map(|argument| (*argument).to_owned()))
            .collect()
    }

    fn complete(&self, endpoint: &str, more: &[&str]) -> Output {
        let arguments = self.arguments(endpoint, more);
        imo(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// How many questions the operator can be paid for.
    fn paid(&self) -> u64 {
        let stored = self
            .runtime
            .block_on(async { self.world.store.lane(&self.world.lane(), 11).await });
        stored.unwrap().map_or(0, |stored| stored.count())
    }
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// What an RPC says.
async fn answer(State(chain): State<Arc<Table>>, Json(request): Json<Value>) -> Json<Value> {
    let result = match request["method"].as_str().unwrap() {
        "getVersion" => json!({ "solana-core": "4.2.2", "feature-set": 1 }),
        method @ ("getAccountInfo" | "getMultipleAccounts") => {
            let asked = &request["params"][0];
            let addresses = asked.as_array().map_or(std::slice::from_ref(asked), Vec::as_slice);
            let addresses: Vec<_> = addresses
                .iter()
                .map(|address| address.as_str().unwrap().parse().unwrap())
                .collect();
            let found = chain.accounts(&addresses).await.unwrap();
            let found = found.into_iter().map(|account| {
                let account = account?;
                Some(json!({
                    "lamports": account.lamports,
                    "owner": account.owner.to_string(),
                    "data": [STANDARD.encode(&account.data), "base64"],
                    "executable": false,
                    "rentEpoch": 0,
                    "space": account.data.len(),
                }))
            });
            let mut found: Vec<_> = found.collect();
            let value = match method {
                "getAccountInfo" => json!(found.remove(0)),
                _ => json!(found),
            };
            json!({ "context": { "slot": 1 }, "value": value })
        }
        other => panic!("{other}"),
    };
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
}

fn prompt() -> String {
    let tokens: Vec<_> = recorded()[..PROMPT].iter().map(u32::to_string).collect();
    tokens.join(",")
}

fn lines(output: &Output) -> Vec<Value> {
    stdout(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn given_a_prompt_when_completed_then_the_tokens_the_cost_and_what_recomputing_says_and_once_more_for_nothing() {
    let place = Place::new();
    let prompt = place.path("prompt.txt");
    let model = place.path("model.imo");
    let arguments = ["--prompt", &prompt, "--max-tokens", "8", "--verify", &model];
    let output = place.complete(&place.world.url, &arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tokens: Vec<_> = recorded()[PROMPT..].iter().map(u32::to_string).collect();
    let said = stdout(&output);
    let (first, rest) = said.split_once('\n').unwrap();
    assert_eq!(first.trim_end(), tokens.join(" "));
    let record = place.path("purse.json.completion");
    let expected = [
        "tokens            8",
        "cost              1,900 units for 19 answers",
        &format!("receipts          {record}"),
        "ended             as many tokens as were wanted",
        "correct: the model gives all of these outputs",
    ];
    assert_eq!(rest.trim_end().lines().collect::<Vec<_>>(), expected);
    let again = place.complete(&place.world.url, &arguments);
    assert!(stdout(&again).contains("cost              0 units for 0 answers, 19 were paid for before"));
    assert_eq!(place.paid(), STEPS as u64);
}

#[test]
fn given_a_budget_when_it_is_used_up_then_said_with_its_exit_code_and_each_step_is_an_object() {
    let place = Place::new();
    let (layout, budget) = (place.path("layout.toml"), (14 * PRICE).to_string());
    let prompt = prompt();
    let arguments = ["--tokens", &prompt, "--layout", &layout, "--max-tokens", "8", "--json"];
    let short = place.complete(&place.world.url, &[&arguments[..], &["--budget", &budget]].concat());
    assert_eq!(short.status.code(), Some(3));
    let steps = lines(&short);
    let (end, steps) = steps.split_last().unwrap();
    assert_eq!(steps.len(), 14);
    assert_eq!(
        (&end["stopped"], &end["cost_units"]),
        (&json!("budget"), &json!(14 * PRICE))
    );
    assert_eq!(end["tokens"], json!(recorded()[PROMPT..PROMPT + 3]));
    for (sequence, step) in steps.iter().enumerate() {
        assert_eq!(
            (&step["sequence"], &step["paid_before"]),
            (&json!(sequence), &json!(false))
        );
        let token = (sequence + 1 >= PROMPT).then(|| recorded()[sequence + 1]);
        assert_eq!(step["token"], json!(token));
        assert_eq!(STANDARD.decode(step["receipt"].as_str().unwrap()).unwrap().len(), 168);
    }
    let rest = lines(&place.complete(&place.world.url, &arguments));
    let end = rest.last().unwrap();
    assert_eq!(
        (&end["answers"], &end["answers_paid"], &end["stopped"]),
        (&json!(STEPS), &json!(5), &json!("max_tokens"))
    );
}

#[test]
fn given_a_run_that_is_killed_while_it_waits_when_started_again_then_it_goes_on_and_nothing_is_paid_twice() {
    let place = Place::new();
    let mischief = (0..PROMPT + 2).map(|_| None).chain([Some(Mischief::Hang)]);
    let middleman = place.runtime.block_on(Middleman::new(&place.world.url, mischief));
    let prompt = prompt();
    let arguments = ["--prompt", &prompt, "--max-tokens", "8", "--json"];
    let mut killed = Command::new(env!("CARGO_BIN_EXE_imo"))
        .args(place.arguments(&middleman.url, &arguments))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(killed.stdout.take().unwrap()).lines();
    for sequence in 0..PROMPT + 2 {
        let step: Value = serde_json::from_str(&out.next().unwrap().unwrap()).unwrap();
        assert_eq!(step["sequence"], sequence, "as it comes");
    }
    while place.paid() < PROMPT as u64 + 3 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();

    let rest = lines(&place.complete(&place.world.url, &arguments));
    let (end, steps) = rest.split_last().unwrap();
    assert_eq!(end["tokens"], json!(recorded()[PROMPT..]));
    let before = steps.iter().filter(|step| step["paid_before"] == true).count();
    assert_eq!((steps.len(), before), (STEPS, PROMPT + 2));
    assert_eq!(place.paid(), STEPS as u64);
}

#[test]
fn given_the_typescript_client_when_it_streams_from_a_gateway_then_the_same_tokens_and_the_command_can_use_the_lane_after_it()
 {
    let place = Place::new();
    let script = workspace("clients/ts/scripts/stream.mjs");
    let built = workspace("clients/ts/dist/index.js").exists();
    assert!(built, "the TypeScript client is built: run `cargo xtask client` first");
    let stream = |budget: u64| -> Value {
        let world = &place.world;
        let settings = json!({
            "rpc": place.rpc,
            "endpoint": world.url,
            "model": world.model_address.to_string(),
            "operator": world.operator.to_string(),
            "payer": world.payer.to_string(),
            "session": place.path("session.json"),
            "storage": place.path("storage"),
            "verify": place.path("model.imo"),
            "prompt": &recorded()[..PROMPT],
            "maxTokens": 8,
            "budgetUnits": budget,
        });
        let output = Command::new("node")
            .arg(&script)
            .arg(settings.to_string())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let first = stream(14 * PRICE);
    assert_eq!(first["end"], "budget");
    assert_eq!(first["tokens"], json!(recorded()[PROMPT..PROMPT + 3]));
    assert_eq!(first["verdicts"], json!(vec!["correct"; 14]));
    let rest = stream(100 * PRICE);
    assert_eq!(
        (&rest["end"], &rest["costUnits"]),
        (&json!("max-tokens"), &json!(5 * PRICE))
    );
    assert_eq!(rest["tokens"], json!(recorded()[PROMPT..]));
    assert_eq!(place.paid(), STEPS as u64);

    let purse = place.path(&format!("storage/{}.json", place.world.lane()));
    let arguments = place.arguments(&place.world.url, &["--prompt", "3,4", "--max-tokens", "1", "--json"]);
    let own = place.path("purse.json");
    let arguments: Vec<&str> = arguments
        .iter()
        .map(|argument| if *argument == own { &purse } else { argument.as_str() })
        .collect();
    let output = imo(&arguments);
    assert_eq!(lines(&output)[0]["sequence"], STEPS);
    assert_eq!(place.paid(), STEPS as u64 + 2);
}

#[test]
fn given_a_watcher_when_told_then_it_has_every_signed_answer_and_what_it_refuses_harms_nothing() {
    let place = Place::new();
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let take = |State(told): State<Arc<std::sync::Mutex<Vec<SignedAnswer>>>>, body: axum::body::Bytes| async move {
        let mut told = told.lock().unwrap();
        let answer = SignedAnswer::parse(&body).unwrap();
        if told.len() == 3 {
            return (axum::http::StatusCode::TOO_MANY_REQUESTS, "Enough is kept.");
        }
        told.push(answer);
        (axum::http::StatusCode::NO_CONTENT, "")
    };
    let router = Router::new().route("/v1/answers", post(take)).with_state(told.clone());
    let watcher = place.runtime.block_on(serve(router));
    let tell = |prompt: &str, url: &str| {
        place.complete(
            &place.world.url,
            &["--prompt", prompt, "--max-tokens", "1", "--tell", url],
        )
    };
    let output = tell("3,4,5,6", &watcher);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("told              3 answers"));
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(
        warned.contains("has taken 3 of 4 answers: 429 Too Many Requests: Enough is kept."),
        "{warned}"
    );
    let told = told.lock().unwrap();
    for signed in told.iter() {
        assert!(imo_client::signature::is_signed(
            &signed.key,
            &signed.signature,
            &signed.answer.message()
        ));
        assert_eq!(signed.answer.operator, place.world.operator);
    }
    let nowhere = tell("7", "http://127.0.0.1:1");
    assert_eq!(nowhere.status.code(), Some(0));
    assert!(String::from_utf8(nowhere.stderr).unwrap().contains("does not answer"));
}

#[test]
fn given_something_wrong_when_completed_then_refused_with_a_sentence_and_nothing_is_signed() {
    let place = Place::new();
    let refused = |endpoint: &str, more: &[&str], about: &str| assert_refused(&place.complete(endpoint, more), about);
    let url = place.world.url.clone();
    refused(&url, &["--prompt", "three"], "numbers of tokens");
    refused(&url, &["--prompt", "48"], "48 is none of them");
    refused(&url, &["--prompt", &["1"; 33].join(",")], "32 tokens fit");
    refused(&url, &["--prompt", "1", "--layout", "none.toml"], "cannot be read");
    refused(
        &url,
        &["--prompt", "1", "--layout", &place.path("prompt.txt")],
        "is not a decoder's layout",
    );
    refused(
        &url,
        &["--prompt", "1", "--verify", &crate::digits()],
        "but the live version of the model has",
    );
    refused("http://127.0.0.1:1", &["--prompt", "1"], "does not answer");
    let none = place.complete(&url, &["--prompt", "1", "--max-tokens", "0"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(!place.file("purse.json").exists());
}
