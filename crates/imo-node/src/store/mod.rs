//! What survives: vouchers, questions, answers and small inputs in a database, large inputs and receipts as files.
//!
//! SQLite in a file by default, PostgreSQL by URL, through the same statements. An answer leaves the node only when [`Store::accept`] has returned.

mod answers;
mod blobs;
mod disputes;
mod http;
mod lanes;
mod writer;

use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use sqlx::{AnyPool, Row, any::AnyRow};
use writer::Writer;

pub use {
    blobs::{Blob, Blobs, Place},
    disputes::{Fraud, StoredDispute},
    lanes::{Accepted, StoredInput, StoredLane, StoredRequest},
};

use crate::sql::{self, Durability, Script};

const MIGRATIONS: [Script; 3] = [
    (1, "lanes, requests, inputs, disputes", include_str!("schema.sql")),
    (2, "bytes of small inputs", include_str!("inputs.sql")),
    (3, "evidence of watchers", include_str!("watcher.sql")),
];

/// Connections that wait for one another are of no use: each transaction is one write to disk.
const CONNECTIONS: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("The database failed: {0}.")]
    Database(#[from] sqlx::Error),
    #[error("The database could not be brought to this version's layout: {0}.")]
    Migration(sqlx::migrate::MigrateError),
    #[error("The store of inputs and receipts failed: {0}.")]
    Blobs(#[from] object_store::Error),
    #[error("{0} names no bucket: s3://bucket or s3://bucket/prefix does.")]
    NoBucket(String),
    #[error("Another question was accepted on this lane meanwhile.")]
    Conflict,
    #[error("The database holds something that this version does not understand: {0}.")]
    Malformed(&'static str),
    #[error("Receipts of the lane {0} are missing in the store.")]
    Missing(Pubkey),
    #[error("A number does not fit the database.")]
    Range,
    /// Of one write for many.
    #[error("{0}")]
    Shared(Arc<StoreError>),
    #[error("The database is no longer written to.")]
    Stopped,
}

/// The database.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    sqlite: bool,
    writer: Writer,
}

impl Store {
    /// Opens the database, makes it if it is a file that is not there, and brings it to this version's layout.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let pool = sql::open(url, CONNECTIONS, Durability::Disk, &MIGRATIONS)
            .await
            .map_err(|error| match error {
                sqlx::Error::Migrate(error) => StoreError::Migration(*error),
                error => StoreError::Database(error),
            })?;
        let writer = Writer::start(url, pool.clone()).await?;
        Ok(Self {
            pool,
            sqlite: sql::is_sqlite(url),
            writer,
        })
    }

    /// Whether the database answers.
    pub async fn is_alive(&self) -> bool {
        self.writer.is_running() && sqlx::query("SELECT 1").fetch_one(&self.pool).await.is_ok()
    }

    /// A named value.
    pub async fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT value FROM facts WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get("value")?)).transpose()
    }

    /// Keeps the first value that is given for a name, and returns it.
    pub async fn fact_or(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        sqlx::query("INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
            .bind(name)
            .bind(value)
            .execute(&self.pool)
            .await?;
        self.fact(name).await?.ok_or(StoreError::Malformed("a fact"))
    }
}

/// A number as the database takes it.
fn stored(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Range)
}

fn number(row: &AnyRow, column: &'static str) -> Result<u64, StoreError> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|_| StoreError::Malformed(column))
}

fn hash(row: &AnyRow, column: &'static str) -> Result<[u8; 32], StoreError> {
    let value: Vec<u8> = row.try_get(column)?;
    value.try_into().map_err(|_| StoreError::Malformed(column))
}
