//! The database of the index: SQLite in a file by default, PostgreSQL by URL, through the same statements.

use serde_json::Value;
use sqlx::{AnyPool, Row};

use super::fields::Fields;
use crate::sql::{self, Durability, Script};

const MIGRATIONS: [Script; 1] = [(1, "events", include_str!("schema.sql"))];

const CONNECTIONS: u32 = 8;

/// An event with its place in its transaction.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub program: &'static str,
    pub name: &'static str,
    pub fields: Fields,
    /// The fields, and what the transaction says beyond them.
    pub body: Value,
}

/// A transaction that succeeded, with the events of the four programs.
#[derive(Clone, Debug)]
pub struct NewTransaction {
    pub signature: String,
    pub slot: u64,
    pub unix: Option<i64>,
    pub finalised: bool,
    /// Whether the cluster kept all of its logs.
    pub complete: bool,
    pub events: Vec<NewEvent>,
}

/// One writer and many readers.
#[derive(Clone, Debug)]
pub struct Database {
    pub(super) pool: AnyPool,
}

impl Database {
    /// Opens the database, makes it if it is a file that is not there, and brings it to this version's layout.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        // What a power cut takes is read from the chain again.
        let pool = sql::open(url, CONNECTIONS, Durability::Process, &MIGRATIONS).await?;
        Ok(Self { pool })
    }

    /// Up to which transaction everything of a program was read and is final.
    pub async fn cursor(&self, program: &str) -> sqlx::Result<Option<String>> {
        let row = sqlx::query("SELECT signature FROM cursors WHERE program = $1")
            .bind(program)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| row.try_get("signature")).transpose()
    }

    pub async fn set_cursor(&self, program: &str, signature: &str) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO cursors (program, signature) VALUES ($1, $2) \
             ON CONFLICT (program) DO UPDATE SET signature = excluded.signature",
        )
        .bind(program)
        .bind(signature)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whether a transaction is here, and if so whether it is final.
    pub async fn is_finalised(&self, signature: &str) -> sqlx::Result<Option<bool>> {
        let row = sqlx::query("SELECT finalised FROM transactions WHERE signature = $1")
            .bind(signature)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get::<i64, _>("finalised")? == 1)).transpose()
    }

    /// Adds a transaction as a whole. Nothing happens when it is here already.
    pub async fn add(&self, new: &NewTransaction) -> anyhow::Result<()> {
        let mut writing = self.pool.begin().await?;
        let slot = i64::try_from(new.slot)?;
        let added = sqlx::query(
            "INSERT INTO transactions (signature, slot, unix, finalised, complete) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (signature) DO NOTHING",
        )
        .bind(&new.signature)
        .bind(slot)
        .bind(new.unix)
        .bind(i64::from(new.finalised))
        .bind(i64::from(new.complete))
        .execute(&mut *writing)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(());
        }
        let last: i64 = sqlx::query("SELECT COALESCE(MAX(place), 0) AS place FROM events")
            .fetch_one(&mut *writing)
            .await?
            .try_get("place")?;
        for (position, event) in (0..).zip(&new.events) {
            let place = last + 1 + position;
            sqlx::query(
                "INSERT INTO events (place, signature, position, slot, unix, finalised, program, name, body) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )
            .bind(place)
            .bind(&new.signature)
            .bind(position)
            .bind(slot)
            .bind(new.unix)
            .bind(i64::from(new.finalised))
            .bind(event.program)
            .bind(event.name)
            .bind(event.body.to_string())
            .execute(&mut *writing)
            .await?;
            for (field, key) in event.fields.keys() {
                sqlx::query("INSERT INTO mentions (address, field, place) VALUES ($1, $2, $3)")
                    .bind(key.to_string())
                    .bind(field)
                    .bind(place)
                    .execute(&mut *writing)
                    .await?;
            }
            for (field, value) in event.fields.numbers() {
                sqlx::query("INSERT INTO numbers (place, field, value) VALUES ($1, $2, $3)")
                    .bind(place)
                    .bind(field)
                    .bind(value)
                    .execute(&mut *writing)
                    .await?;
            }
        }
        writing.commit().await?;
        Ok(())
    }

    /// Notes that a transaction can never be dropped any more.
    pub async fn finalise(&self, signature: &str, unix: Option<i64>) -> sqlx::Result<()> {
        let mut writing = self.pool.begin().await?;
        for table in ["transactions", "events"] {
            sqlx::query(&format!(
                "UPDATE {table} SET finalised = 1, unix = COALESCE(unix, $2) WHERE signature = $1"
            ))
            .bind(signature)
            .bind(unix)
            .execute(&mut *writing)
            .await?;
        }
        writing.commit().await
    }

    /// Transactions up to a slot that are not final.
    pub async fn pending_until(&self, slot: u64) -> anyhow::Result<Vec<String>> {
        let rows = sqlx::query("SELECT signature FROM transactions WHERE finalised = 0 AND slot <= $1")
            .bind(i64::try_from(slot)?)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows
            .iter()
            .map(|row| row.try_get("signature"))
            .collect::<Result<_, _>>()?)
    }

    /// Forgets a transaction of a dropped fork.
    pub async fn forget(&self, signature: &str) -> sqlx::Result<()> {
        let mut writing = self.pool.begin().await?;
        for table in ["mentions", "numbers"] {
            sqlx::query(&format!(
                "DELETE FROM {table} WHERE place IN (SELECT place FROM events WHERE signature = $1)"
            ))
            .bind(signature)
            .execute(&mut *writing)
            .await?;
        }
        for table in ["events", "transactions"] {
            sqlx::query(&format!("DELETE FROM {table} WHERE signature = $1"))
                .bind(signature)
                .execute(&mut *writing)
                .await?;
        }
        writing.commit().await
    }
}
