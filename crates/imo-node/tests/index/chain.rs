//! A chain that says what the case needs, and an RPC to it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use anchor_lang::{Event, prelude::Pubkey};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use imo_node::index::{Database, Follower, router};
use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::{
    nonblocking::rpc_client::RpcClient,
    rpc_client::RpcClientConfig,
    rpc_sender::{RpcSender, RpcTransportStats},
};
use solana_rpc_client_api::{
    client_error::{Error, ErrorKind, Result},
    request::RpcRequest,
};
use solana_signature::Signature;

/// A transaction of one program.
#[derive(Clone)]
pub struct Transaction {
    pub slot: u64,
    pub program: Pubkey,
    pub logs: Vec<String>,
    pub failed: bool,
}

#[derive(Default)]
struct State {
    /// In order.
    transactions: Vec<(Signature, Transaction)>,
    final_slot: u64,
    /// Transactions that the RPC does not hand out now.
    withheld: Vec<Signature>,
    fetched: HashMap<Signature, u64>,
}

#[derive(Clone, Default)]
pub struct Chain(Arc<Mutex<State>>);

/// The signature that follows from a number.
pub fn signature(number: u64) -> Signature {
    let mut bytes = [7; 64];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Signature::from(bytes)
}

/// Logs of a program that emits something.
pub fn logs(program: &Pubkey, events: &[Vec<u8>]) -> Vec<String> {
    let mut logs = vec![format!("Program {program} invoke [1]")];
    logs.extend(
        events
            .iter()
            .map(|data| format!("Program data: {}", BASE64_STANDARD.encode(data))),
    );
    logs.push(format!("Program {program} success"));
    logs
}

impl Chain {
    /// Adds a transaction whose program emits one event.
    pub fn emit(&self, number: u64, slot: u64, program: Pubkey, event: &impl Event) {
        self.add(
            number,
            Transaction {
                slot,
                program,
                logs: logs(&program, &[event.data()]),
                failed: false,
            },
        );
    }

    pub fn add(&self, number: u64, transaction: Transaction) {
        self.0
            .lock()
            .unwrap()
            .transactions
            .push((signature(number), transaction));
    }

    /// Takes a transaction back, as the end of its fork does.
    pub fn drop(&self, number: u64) {
        let dropped = signature(number);
        self.0
            .lock()
            .unwrap()
            .transactions
            .retain(|(other, _)| *other != dropped);
    }

    pub fn finalise(&self, slot: u64) {
        self.0.lock().unwrap().final_slot = slot;
    }

    pub fn withhold(&self, numbers: &[u64]) {
        self.0.lock().unwrap().withheld = numbers.iter().map(|number| signature(*number)).collect();
    }

    /// How often a transaction was handed out.
    pub fn fetched(&self, number: u64) -> u64 {
        let state = self.0.lock().unwrap();
        state.fetched.get(&signature(number)).copied().unwrap_or(0)
    }

    pub fn follower(&self, database: Database) -> Follower {
        let config = RpcClientConfig::with_commitment(CommitmentConfig::confirmed());
        Follower::with_client(RpcClient::new_sender(self.clone(), config), database)
    }
}

impl State {
    fn list(&self, params: &Value) -> Value {
        let program: Pubkey = params[0].as_str().unwrap().parse().unwrap();
        let limit = usize::try_from(params[1]["limit"].as_u64().unwrap()).unwrap();
        let (before, until) = (params[1]["before"].as_str(), params[1]["until"].as_str());
        let own = self.transactions.iter().rev().filter(|(_, it)| it.program == program);
        let mut list = Vec::new();
        let mut begun = before.is_none();
        for (signature, transaction) in own {
            let signature = signature.to_string();
            if Some(signature.as_str()) == until || list.len() == limit {
                break;
            }
            if begun {
                let status = match transaction.slot <= self.final_slot {
                    true => "finalized",
                    false => "confirmed",
                };
                let err = match transaction.failed {
                    true => json!({ "InstructionError": [0, { "Custom": 6000 }] }),
                    false => Value::Null,
                };
                list.push(json!({
                    "signature": signature, "slot": transaction.slot, "err": err, "memo": null,
                    "blockTime": 1_000 + transaction.slot, "confirmationStatus": status,
                }));
            }
            begun |= Some(signature.as_str()) == before;
        }
        Value::Array(list)
    }

    fn fetch(&mut self, params: &Value) -> Option<Value> {
        let wanted: Signature = params[0].as_str().unwrap().parse().unwrap();
        if self.withheld.contains(&wanted) {
            return None;
        }
        let (_, transaction) = self.transactions.iter().find(|(signature, _)| *signature == wanted)?;
        *self.fetched.entry(wanted).or_default() += 1;
        Some(json!({
            "slot": transaction.slot, "blockTime": 1_000 + transaction.slot, "transaction": ["", "base64"],
            "meta": {
                "err": null, "status": { "Ok": null }, "fee": 5_000, "preBalances": [], "postBalances": [],
                "logMessages": transaction.logs,
            },
        }))
    }
}

#[async_trait::async_trait]
impl RpcSender for Chain {
    async fn send(&self, request: RpcRequest, params: Value) -> Result<Value> {
        let mut state = self.0.lock().unwrap();
        match request {
            RpcRequest::GetSlot => Ok(json!(state.final_slot)),
            RpcRequest::GetSignaturesForAddress => Ok(state.list(&params)),
            RpcRequest::GetTransaction => {
                let missing = || Error::from(ErrorKind::Custom("not now".into()));
                state.fetch(&params).ok_or_else(missing)
            }
            other => panic!("nobody asks for {other}"),
        }
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "made up".into()
    }
}

/// Answers of the index over HTTP.
pub struct Index(String);

impl Index {
    pub async fn serve(database: Database) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router(database)).into_future());
        Self(url)
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, value) = self.ask(path).await;
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    pub async fn ask(&self, path: &str) -> (u16, Value) {
        let response = reqwest::get(format!("{}{path}", self.0)).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
    }
}
