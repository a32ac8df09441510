//! The HTTP side of an operator: sells answers, and shows what it answered to whoever may see it.
//!
//! A request without payment gets the terms (402). A paid one is checked from its headers first, so that nobody without a funded lane makes the node read a
//! body, let alone compute. The answer leaves only when voucher, question and answer are stored.

pub mod completions;
mod documents;
pub mod engine;
mod exposure;
pub mod infer;
mod lanes;
mod openai;
mod openapi;
pub mod pay;
mod payment;
mod refusal;
mod server;

use std::{sync::Arc, time::Duration};

use anchor_lang::prelude::Pubkey;
use axum::{
    Router,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;

pub use {
    payment::{Demands, PaymentError},
    server::serve,
};

use crate::{
    chain::Cache,
    metrics::Metrics,
    model::ServedModel,
    store::{Blobs, Store},
};

/// What the gateway bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Requests at once; further ones are refused with 429.
    pub requests: usize,
    /// Questions that are computed at once; 0 is one a core.
    pub concurrency: usize,
    /// Questions that wait to be computed.
    pub queue: usize,
    /// Requests of one lane at once.
    pub requests_per_lane: usize,
    /// Most that one lane may owe, in units.
    pub lane_exposure_units: u64,
    /// How long a voucher must be collectable at least, in seconds.
    pub min_voucher_seconds: i64,
    /// How old what the chain said may be, in milliseconds.
    pub chain_age_ms: u64,
    /// How long headers, and then a body, may take, and how long a client may take nothing of its answer, in seconds.
    pub read_seconds: u64,
    /// How long a request may take in all, in seconds.
    pub request_seconds: u64,
    /// How often the newest question of a lane is answered again to whoever lost the answer.
    pub repeats: u32,
    /// Answers of decoders that go on at once.
    pub completions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            requests: 256,
            concurrency: 0,
            queue: 64,
            requests_per_lane: 4,
            lane_exposure_units: u64::MAX,
            min_voucher_seconds: 6 * 60 * 60,
            chain_age_ms: 2_000,
            read_seconds: 10,
            request_seconds: 120,
            repeats: 3,
            completions: 256,
        }
    }
}

/// Who answers.
pub struct Identity {
    pub cluster: [u8; 32],
    pub authority: Pubkey,
    /// The operator account.
    pub operator: Pubkey,
    /// The mint of stake and revenue.
    pub mint: Pubkey,
    /// Signs answers; the operator account holds its hash.
    pub answer_key: Keypair,
}

/// Everything that a request may need.
pub struct Gateway {
    pub identity: Identity,
    pub models: Vec<Arc<ServedModel>>,
    pub store: Store,
    pub blobs: Blobs,
    pub chain: Cache,
    pub limits: Limits,
    pub metrics: Arc<Metrics>,
    engine: Arc<engine::Engine>,
    lanes: lanes::Lanes,
    exposure: exposure::Exposure,
    completions: completions::Completions,
    admitted: Arc<tokio::sync::Semaphore>,
}

impl Gateway {
    pub fn new(
        identity: Identity,
        models: Vec<Arc<ServedModel>>,
        store: Store,
        blobs: Blobs,
        chain: Cache,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let concurrency = match limits.concurrency {
            0 => cores,
            concurrency => concurrency,
        };
        Arc::new(Self {
            identity,
            models,
            store,
            blobs,
            chain,
            metrics,
            engine: engine::Engine::new(concurrency, limits.queue),
            lanes: lanes::Lanes::default(),
            exposure: exposure::Exposure::default(),
            completions: completions::Completions::default(),
            admitted: Arc::new(tokio::sync::Semaphore::new(limits.requests)),
            limits,
        })
    }

    fn demands(&self) -> Demands {
        Demands {
            cluster: self.identity.cluster,
            operator: self.identity.operator,
            min_voucher_seconds: self.limits.min_voucher_seconds,
            lane_exposure_units: self.limits.lane_exposure_units,
        }
    }

    fn read_time(&self) -> Duration {
        Duration::from_secs(self.limits.read_seconds)
    }
}

/// All routes.
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/v1/infer", post(infer::infer))
        .route("/v1/classify", post(openai::classify))
        .route("/v1/embeddings", post(openai::embeddings))
        .route("/v1/completions", post(completions::begin))
        .route("/v1/completions/{id}", post(completions::step))
        .route("/v1/models", get(documents::models))
        .route("/v1/receipts/{report}", get(documents::lanes_of_report))
        .route("/v1/receipts/{report}/{lane}", get(documents::receipts))
        .route("/v1/inputs/{root}", get(documents::input))
        .route("/health", get(documents::health))
        .route("/metrics", get(documents::metrics))
        .route("/openapi.json", get(openapi::document))
        .layer(axum::middleware::from_fn_with_state(gateway.clone(), server::admit))
        .layer(axum::middleware::from_fn(crate::cors::allow_any_origin))
        .with_state(gateway)
}
