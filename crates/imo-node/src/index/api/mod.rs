//! The index over HTTP. Everything is read from the database alone, and everybody may read.

mod accounts;
mod disputes;
mod models;
mod operators;
mod reports;

use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    database::Database,
    query::{Bind, Event, Reader, Stamp},
};
use crate::cors;

/// Most things on a page.
const MOST: i64 = 100;

const USUAL: i64 = 25;

pub fn router(database: Database) -> Router {
    Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/models/{model}", get(models::one))
        .route("/v1/reports", get(reports::list))
        .route("/v1/reports/{report}", get(reports::one))
        .route("/v1/disputes", get(disputes::list))
        .route("/v1/disputes/{dispute}", get(disputes::one))
        .route("/v1/operators", get(operators::list))
        .route("/v1/operators/{operator}", get(operators::one))
        .route("/v1/owners/{owner}/history", get(accounts::history))
        .route("/v1/events", get(accounts::events))
        .route("/v1/status", get(status))
        .route("/health", get(health))
        .route("/openapi.json", get(document))
        .layer(middleware::from_fn(cors::allow_any_origin))
        .with_state(Arc::new(database))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "IMO index",
        description = "What happened to models, reports, disputes and operators, from the programs' events. Amounts (`_units`) are decimal digits in units of the mint; addresses and signatures are base58. \
                       Lists give the newest first; `next` of a page is `before` of the page that follows."
    ),
    paths(
        models::list,
        models::one,
        reports::list,
        reports::one,
        disputes::list,
        disputes::one,
        operators::list,
        operators::one,
        accounts::history,
        accounts::events,
        status
    )
)]
struct Document;

async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Problem {
    Bad(String),
    NotFound(&'static str),
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::Bad(rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, sentence) = match self {
            Self::Bad(sentence) => (StatusCode::BAD_REQUEST, sentence),
            Self::NotFound(what) => (StatusCode::NOT_FOUND, format!("There is no such {what} in the index.")),
            Self::Failed(error) => {
                tracing::error!(%error, "a question was not answered");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The database does not answer.".to_owned(),
                )
            }
        };
        (status, Json(json!({ "error": sentence }))).into_response()
    }
}

type Answer<T> = Result<Json<T>, Problem>;

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct Paging {
    /// How many, 1 to 100; 25 if it is not said
    limit: Option<i64>,
    /// `next` of the page before
    before: Option<i64>,
    /// Count and show only what is final on the chain
    #[serde(default)]
    finalised: bool,
}

impl Paging {
    fn limit(&self) -> Result<i64, Problem> {
        let limit = self.limit.unwrap_or(USUAL);
        if (1..=MOST).contains(&limit) {
            return Ok(limit);
        }
        Err(Problem::Bad(format!("A page has from 1 to {MOST} items.")))
    }

    fn before(&self) -> i64 {
        self.before.unwrap_or(i64::MAX)
    }

    fn reader<'a>(&self, database: &'a Database) -> Reader<'a> {
        Reader {
            database,
            finalised_only: self.finalised,
        }
    }
}

/// Only whether what is not final counts.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct Finality {
    /// Count and show only what is final on the chain
    #[serde(default)]
    finalised: bool,
}

impl Finality {
    fn reader<'a>(&self, database: &'a Database) -> Reader<'a> {
        Reader {
            database,
            finalised_only: self.finalised,
        }
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What `before` of the next page is; `null` on the last one.
    pub next: Option<i64>,
}

/// A page of the things that began with these events, of which one more than the limit was looked for.
fn split(mut found: Vec<Event>, limit: i64) -> (Vec<Event>, Option<i64>) {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|event| event.place);
    (found, next)
}

/// Text that is an address.
fn address(text: &str) -> Result<String, Problem> {
    let parsed: Result<Pubkey, _> = text.parse();
    parsed
        .map(|key| key.to_string())
        .map_err(|_| Problem::Bad(format!("{text} is not an address.")))
}

fn units(units: i64) -> String {
    units.to_string()
}

/// An event as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventView {
    #[serde(flatten)]
    pub stamp: Stamp,
    pub program: String,
    /// As the program calls it, such as `Staked`.
    pub name: String,
    /// The event's own fields.
    #[schema(value_type = Object)]
    pub fields: Value,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            stamp: event.stamp,
            program: event.program,
            name: event.name,
            fields: event.body,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    pub events: i64,
    pub transactions: i64,
    /// Transactions that are not final yet.
    pub pending: i64,
    /// Transactions whose logs the cluster had cut: their events may be missing here.
    pub incomplete: i64,
    /// Events of a newer version of the programs, kept in their bytes.
    pub unknown: i64,
    /// Slot of the newest transaction.
    pub newest_slot: i64,
}

/// How much is indexed
#[utoipa::path(get, path = "/v1/status", responses((status = 200, body = Status)))]
async fn status(State(database): State<Arc<Database>>) -> Answer<Status> {
    let reader = Finality::default().reader(&database);
    let total = async |statement: &str| reader.total(statement, &[] as &[Bind]).await;
    Ok(Json(Status {
        events: total("SELECT COUNT(*) AS total FROM events").await?,
        transactions: total("SELECT COUNT(*) AS total FROM transactions").await?,
        pending: total("SELECT COUNT(*) AS total FROM transactions WHERE finalised = 0").await?,
        incomplete: total("SELECT COUNT(*) AS total FROM transactions WHERE complete = 0").await?,
        unknown: total("SELECT COUNT(*) AS total FROM events WHERE name = 'Unknown'").await?,
        newest_slot: total("SELECT COALESCE(MAX(slot), 0) AS total FROM transactions").await?,
    }))
}

async fn health(State(database): State<Arc<Database>>) -> Result<&'static str, Problem> {
    let reader = Finality::default().reader(&database);
    reader.total("SELECT COUNT(*) AS total FROM cursors", &[]).await?;
    Ok("ok\n")
}

type Asked<T> = Result<Query<T>, QueryRejection>;
type Named = Path<String>;
type Index = State<Arc<Database>>;
