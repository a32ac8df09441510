//! The HTTP interface of a local cluster: what it consists of, money for everybody, and its clock.
//!
//! There is no such thing on any other cluster, and no check of who asks.

use std::{path::PathBuf, sync::Arc};

use anchor_lang::prelude::Pubkey;
use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use imo_node::{chain::Rpc, cors};
use opml_oracle::state::Dispute;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    people::FAUCET,
    scene::{ONE, SOL, give_dollars},
};
use crate::cluster::{Cluster, SLOT_MILLISECONDS};

/// Most whole tokens that one gets at a time.
const MOST: f64 = 1_000_000.0;

/// Farthest one can travel at a time, in slots: ten years.
const FARTHEST: u64 = 10 * 366 * 24 * 60 * 60 * 1_000 / SLOT_MILLISECONDS;

pub struct Api {
    pub cluster: Arc<Cluster>,
    pub description: Value,
    /// Files of the models.
    pub models: PathBuf,
}

pub fn router(api: Api) -> Router {
    Router::new()
        .route("/", get(description))
        .route("/localnet.json", get(description))
        .route("/airdrop", post(airdrop))
        .route("/time", get(time))
        .route("/time-travel", post(time_travel))
        .route("/models/{file}", get(model_file))
        .layer(middleware::from_fn(cors::allow_any_origin))
        .with_state(Arc::new(api))
}

/// What went wrong, in one sentence.
struct Failure(StatusCode, String);

impl Failure {
    fn bad(sentence: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, sentence.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

async fn description(State(api): State<Arc<Api>>) -> Json<Value> {
    Json(api.description.clone())
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AirdropRequest {
    pub address: String,
    #[serde(default)]
    pub sol: f64,
    #[serde(default)]
    pub usdc: f64,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct AirdropResponse {
    /// Base58, of the transactions that did it.
    pub signatures: Vec<String>,
}

async fn airdrop(
    State(api): State<Arc<Api>>,
    request: Result<Json<AirdropRequest>, JsonRejection>,
) -> Result<Json<AirdropResponse>, Failure> {
    let Json(AirdropRequest { address, sol, usdc }) = request?;
    let owner: Pubkey = address
        .parse()
        .map_err(|_| Failure::bad(format!("{address} is not an address.")))?;
    let (lamports, units) = (amount(sol, SOL)?, amount(usdc, ONE)?);
    if lamports == 0 && units == 0 {
        return Err(Failure::bad("Nothing is asked for: say how many sol or usdc."));
    }
    let cluster = api.cluster.clone();
    let signatures = blocking(move || give(&cluster, &owner, lamports, units)).await?;
    Ok(Json(AirdropResponse { signatures }))
}

fn give(cluster: &Cluster, owner: &Pubkey, lamports: u64, units: u64) -> anyhow::Result<Vec<String>> {
    let mut signatures = Vec::new();
    if lamports > 0 {
        signatures.push(cluster.airdrop(owner, lamports)?);
    }
    if units > 0 {
        let faucet = FAUCET.key();
        let landed = cluster.send(&give_dollars(owner, units)?, &FAUCET.address(), &[&faucet])?;
        signatures.push(landed.signature);
    }
    Ok(signatures)
}

/// Units of an amount of whole tokens.
fn amount(whole: f64, one: u64) -> Result<u64, Failure> {
    if !(0.0..=MOST).contains(&whole) {
        return Err(Failure::bad(format!("An amount is a number from 0 to {MOST}.")));
    }
    Ok((whole * one as f64).round() as u64)
}

#[derive(Debug, Serialize)]
struct TimeResponse {
    slot: u64,
    unix: i64,
}

async fn time(State(api): State<Arc<Api>>) -> Result<Json<TimeResponse>, Failure> {
    let cluster = api.cluster.clone();
    let now = blocking(move || cluster.now()).await?;
    Ok(Json(TimeResponse {
        slot: now.slot,
        unix: now.unix,
    }))
}

/// One of the four says how far.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TravelRequest {
    seconds: Option<u64>,
    slots: Option<u64>,
    to_unix: Option<i64>,
    to_slot: Option<u64>,
    /// Also while a dispute goes on, of which somebody may then lose by silence.
    #[serde(default)]
    force: bool,
}

async fn time_travel(
    State(api): State<Arc<Api>>,
    request: Result<Json<TravelRequest>, JsonRejection>,
) -> Result<Json<TimeResponse>, Failure> {
    let Json(request) = request?;
    if !request.force && dispute_goes_on(api.cluster.url()).await? {
        return Err(Failure(
            StatusCode::CONFLICT,
            "A dispute goes on, and who does not move in time loses it: wait, or send \"force\": true.".into(),
        ));
    }
    let cluster = api.cluster.clone();
    let now = blocking(move || cluster.now()).await?;
    let in_slots = |seconds: u64| seconds.saturating_mul(1_000).div_ceil(SLOT_MILLISECONDS);
    let slots = match (request.seconds, request.slots, request.to_unix, request.to_slot) {
        (Some(seconds), None, None, None) => in_slots(seconds),
        (None, Some(slots), None, None) => slots,
        (None, None, Some(unix), None) => in_slots(u64::try_from(unix.saturating_sub(now.unix)).unwrap_or(0)),
        (None, None, None, Some(slot)) => slot.saturating_sub(now.slot),
        _ => {
            return Err(Failure::bad(
                "Say how far with one of seconds, slots, to_unix and to_slot.",
            ));
        }
    };
    if slots == 0 || slots > FARTHEST {
        return Err(Failure::bad(format!(
            "One travels from 1 to {FARTHEST} slots into the future, and never back."
        )));
    }
    let cluster = api.cluster.clone();
    let now = blocking(move || {
        cluster.travel_to(now.slot + slots)?;
        cluster.now()
    })
    .await?;
    Ok(Json(TimeResponse {
        slot: now.slot,
        unix: now.unix,
    }))
}

async fn dispute_goes_on(rpc: &str) -> Result<bool, Failure> {
    let disputes = Rpc::new(rpc)
        .all::<Dispute>()
        .await
        .map_err(|error| Failure::from(anyhow::anyhow!(error)))?;
    Ok(disputes.iter().any(|(_, dispute)| !dispute.is_finished()))
}

async fn model_file(State(api): State<Arc<Api>>, Path(file): Path<String>) -> Response {
    let content = match file.rsplit_once('.') {
        Some((_, "json")) => "application/json",
        _ => "application/octet-stream",
    };
    // A name, and nothing that leads elsewhere.
    let is_name = file
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && !file.starts_with('.');
    let read = match is_name {
        true => tokio::task::spawn_blocking(move || std::fs::read(api.models.join(file)))
            .await
            .ok(),
        false => None,
    };
    match read {
        Some(Ok(bytes)) => ([(header::CONTENT_TYPE, content)], bytes).into_response(),
        _ => Failure(StatusCode::NOT_FOUND, "There is no such file of a model.".into()).into_response(),
    }
}

/// The cluster is asked in ways that wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(anyhow::anyhow!(error).into()),
    }
}
