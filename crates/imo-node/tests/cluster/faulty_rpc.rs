//! An RPC between a node and the cluster that is as bad as they come.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rand::Rng;
use serde_json::{Value, json};

use crate::world::World;

/// How often each fault happens, of a thousand requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The request never arrives.
    pub lost: u32,
    /// It arrives, and nobody hears what became of it.
    pub answer_lost: u32,
    /// It arrives twice.
    pub doubled: u32,
    /// It arrives later than those after it.
    pub late: u32,
    /// 429.
    pub refused: u32,
    /// A transaction is said to be on its way, and is not; or to be confirmed, and is not.
    pub lies: u32,
    /// An answer of some time ago.
    pub stale: u32,
}

/// What it did.
#[derive(Debug, Default)]
pub struct Done {
    pub faults: AtomicU64,
    pub lies: AtomicU64,
    sends: AtomicU64,
}

pub struct FaultyRpc {
    pub url: String,
    pub websocket: String,
    state: Arc<Proxy>,
}

struct Proxy {
    upstream: String,
    http: reqwest::Client,
    faults: Faults,
    gone: AtomicBool,
    done: Done,
    /// Signatures of transactions that were not passed on.
    withheld: Mutex<Vec<String>>,
    /// The last answer to each question.
    earlier: Mutex<std::collections::HashMap<String, Bytes>>,
}

impl FaultyRpc {
    pub fn before(world: &World, faults: Faults) -> Self {
        let (listener, url) = crate::world::port();
        listener.set_nonblocking(true).unwrap();
        let state = Arc::new(Proxy {
            upstream: world.url().to_owned(),
            http: reqwest::Client::new(),
            faults,
            gone: AtomicBool::new(false),
            done: Done::default(),
            withheld: Mutex::default(),
            earlier: Mutex::default(),
        });
        let router = Router::new().fallback(pass_on).with_state(state.clone());
        world.runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        let websocket = cut_off_now_and_then(world, state.clone());
        Self { url, websocket, state }
    }

    /// It is not there any more, or again.
    pub fn be_gone(&self, gone: bool) {
        self.state.gone.store(gone, Ordering::SeqCst);
    }

    pub fn done(&self) -> &Done {
        &self.state.done
    }
}

async fn pass_on(State(proxy): State<Arc<Proxy>>, body: Bytes) -> Response {
    if proxy.gone.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let question: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = question["method"].as_str().unwrap_or_default().to_owned();
    let faults = proxy.faults;
    let happens = |of_a_thousand: u32| {
        let happens = rand::rng().random_range(0..1_000) < of_a_thousand;
        if happens {
            proxy.done.faults.fetch_add(1, Ordering::SeqCst);
        }
        happens
    };
    if happens(faults.refused) {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    if happens(faults.lost) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    if happens(faults.late) {
        let late = rand::rng().random_range(200..2_000);
        tokio::time::sleep(Duration::from_millis(late)).await;
    }
    match method.as_str() {
        "sendTransaction" => {
            // The first one always: a short run sends too few to leave it to chance.
            let first = proxy.done.sends.fetch_add(1, Ordering::SeqCst) == 0;
            if happens(if first { 1_000 } else { faults.lies }) {
                // It takes it, and does nothing.
                proxy.done.lies.fetch_add(1, Ordering::SeqCst);
                let signature = signature(&question);
                proxy.withheld.lock().unwrap().push(signature.clone());
                return answer(&question, json!(signature));
            }
            if happens(faults.doubled) {
                let _ = proxy.ask(&body).await;
            }
        }
        "getSignatureStatuses" => {
            let asked = question["params"][0][0].as_str().unwrap_or_default();
            if proxy.withheld.lock().unwrap().iter().any(|withheld| withheld == asked) {
                // It stands by what it said.
                let status = json!({ "slot": 1, "confirmations": 1, "err": null, "status": { "Ok": null }, "confirmationStatus": "confirmed" });
                return answer(&question, json!({ "context": { "slot": 1 }, "value": [status] }));
            }
        }
        "getProgramAccounts" | "getMultipleAccounts" if happens(faults.stale) => {
            let key = format!("{method}{}", question["params"]);
            if let Some(earlier) = proxy.earlier.lock().unwrap().get(&key) {
                let mut earlier: Value = serde_json::from_slice(earlier).unwrap();
                earlier["id"] = question["id"].clone();
                return axum::Json(earlier).into_response();
            }
        }
        _ => {}
    }
    let Ok(said) = proxy.ask(&body).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    if matches!(method.as_str(), "getProgramAccounts" | "getMultipleAccounts") {
        let key = format!("{method}{}", question["params"]);
        proxy.earlier.lock().unwrap().entry(key).or_insert(said.clone());
    }
    if happens(faults.answer_lost) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    ([("content-type", "application/json")], said).into_response()
}

impl Proxy {
    async fn ask(&self, body: &Bytes) -> Result<Bytes, reqwest::Error> {
        let request = self
            .http
            .post(&self.upstream)
            .header("content-type", "application/json");
        request.body(body.clone()).send().await?.bytes().await
    }
}

fn answer(question: &Value, result: Value) -> Response {
    axum::Json(json!({ "jsonrpc": "2.0", "id": question["id"], "result": result })).into_response()
}

/// The first signature of the transaction that a question sends.
fn signature(question: &Value) -> String {
    use base64::Engine;
    let transaction = question["params"][0].as_str().unwrap();
    let bytes = base64::engine::general_purpose::STANDARD.decode(transaction).unwrap();
    bs58::encode(&bytes[1..65]).into_string()
}

/// A websocket that ends after some seconds, with its connection or without a word.
fn cut_off_now_and_then(world: &World, state: Arc<Proxy>) -> String {
    let (listener, url) = crate::world::port();
    listener.set_nonblocking(true).unwrap();
    let upstream = world
        .websocket()
        .trim_start_matches("ws://")
        .trim_end_matches('/')
        .to_owned();
    world.runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((mut near, _)) = listener.accept().await {
            let (upstream, state) = (upstream.clone(), state.clone());
            tokio::spawn(async move {
                if state.gone.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut far) = tokio::net::TcpStream::connect(&upstream).await else {
                    return;
                };
                let life = Duration::from_millis(rand::rng().random_range(500..6_000));
                let _ = tokio::time::timeout(life, tokio::io::copy_bidirectional(&mut near, &mut far)).await;
            });
        }
    });
    url.replace("http://", "ws://")
}
