//! What there is on a local cluster and where, for programs: the web app needs no other configuration.

use imo_client::addresses as at;
use imo_protocol::ids;
use serde_json::{Value, json};

use super::{
    catalogue::Entry,
    people::{DOLLARS, EVERYBODY, LIAR, OPERATOR, PAYER, Person, WATCHER},
    scene::{DECIMALS, model_address, operator_address},
};
use crate::{cluster::Cluster, format};

/// Of this description's layout.
const LAYOUT: u32 = 1;

/// Where everything listens.
pub struct Places {
    pub api: String,
    pub gateway: String,
    pub index: String,
    pub watcher: String,
    /// Where there is an operator that lies.
    pub liar: Option<String>,
}

pub fn describe(cluster: &Cluster, places: &Places, models: &[Entry]) -> anyhow::Result<Value> {
    let genesis = cluster.rpc().get_genesis_hash()?;
    let operator = |name: Person, endpoint: &String, honest: bool| {
        json!({
            "name": name.0,
            "address": operator_address(name).to_string(),
            "authority": name.address().to_string(),
            "endpoint": endpoint,
            "honest": honest,
        })
    };
    let mut operators = vec![operator(OPERATOR, &places.gateway, true)];
    operators.extend(places.liar.iter().map(|endpoint| operator(LIAR, endpoint, false)));
    let keys: serde_json::Map<String, Value> = EVERYBODY
        .into_iter()
        .map(|person| {
            let key = person.key();
            let both = json!({ "address": person.address().to_string(), "key": key.to_bytes().to_vec() });
            (person.0.to_owned(), both)
        })
        .collect();
    Ok(json!({
        "layout": LAYOUT,
        "cluster": {
            "name": "localnet",
            "rpc": cluster.url(),
            "websocket": cluster.websocket(),
            "genesis_hash": genesis.to_string(),
        },
        "api": places.api,
        "index": places.index,
        "programs": {
            "model_token": ids::MODEL_TOKEN.to_string(),
            "yield_distributor": ids::YIELD_DISTRIBUTOR.to_string(),
            "opml_oracle": ids::OPML_ORACLE.to_string(),
            "revenue_escrow": ids::REVENUE_ESCROW.to_string(),
        },
        "protocol": at::model_token::protocol().to_string(),
        "mints": {
            "usdc": { "address": DOLLARS.address().to_string(), "symbol": "USDC", "decimals": DECIMALS },
        },
        "models": models.iter().map(|entry| model(entry, &places.api)).collect::<Vec<_>>(),
        "operators": operators,
        "watchers": [{ "address": WATCHER.address().to_string(), "metrics": format!("{}/metrics", places.watcher) }],
        "payers": [PAYER.address().to_string()],
        "keys": keys,
    }))
}

fn model(entry: &Entry, api: &str) -> Value {
    let address = model_address(entry);
    json!({
        "name": entry.name,
        "title": entry.title,
        "symbol": entry.symbol,
        "address": address.to_string(),
        "model_root": format::hex(&entry.model.model_root()),
        "version": at::model_token::model_version(&address, 1).to_string(),
        "offering": at::model_token::offering(&address).to_string(),
        "mint": at::model_token::mint(&address).to_string(),
        "pool": at::yield_distributor::pool(&address).to_string(),
        "vault": at::revenue_escrow::vault(&address).to_string(),
        "card": entry.url(api, ".json"),
        "weights": entry.url(api, ".imo"),
        "samples": entry.url(api, ".samples.json"),
    })
}
