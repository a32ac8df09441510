//! One writer: answers that come while the disk is busy are written together, in one transaction, and each is told what became of it.

mod postgres;
mod sqlite;
mod statements;

use std::sync::Arc;

use sqlx::AnyPool;
use tokio::sync::{mpsc, oneshot};

use self::{postgres::Postgres, sqlite::Sqlite};
use super::{Accepted, StoreError, stored};
use crate::sql;

/// Answers of one transaction, at most.
const BATCH: usize = 256;

/// An answer that waits to be written.
struct Waiting {
    row: Row,
    told: oneshot::Sender<Result<(), StoreError>>,
}

/// An answer in the database's own numbers.
struct Row {
    accepted: Accepted,
    generation: i64,
    sequence: i64,
    count: i64,
    amount_units: i64,
    price_units: i64,
    now_unix: i64,
}

impl Row {
    /// Checked before it joins others: a number that does not fit is nobody else's trouble.
    fn new(accepted: Accepted, now_unix: i64) -> Result<Self, StoreError> {
        let voucher = &accepted.lane.voucher.voucher;
        let request = &accepted.answered.request;
        Ok(Self {
            generation: stored(voucher.lane_generation)?,
            sequence: stored(request.sequence)?,
            count: stored(voucher.cumulative_count)?,
            amount_units: stored(voucher.cumulative_amount_units)?,
            price_units: stored(request.price_units)?,
            now_unix,
            accepted,
        })
    }
}

/// Hands answers to the task that writes them. The task ends with the last of these.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<Waiting>);

impl Writer {
    /// For a database that is open and laid out: its URL and connections to it.
    pub async fn start(url: &str, pool: AnyPool) -> sqlx::Result<Self> {
        let mut database = match sql::is_sqlite(url) {
            true => Database::Sqlite(Box::new(Sqlite::open(url).await?)),
            false => Database::Postgres(Postgres(pool)),
        };
        let (sender, mut receiver) = mpsc::channel::<Waiting>(BATCH);
        tokio::spawn(async move {
            let mut waiting = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut waiting, BATCH).await > 0 {
                wait_for_others(&mut receiver, &mut waiting).await;
                write(&mut database, std::mem::take(&mut waiting)).await;
            }
        });
        Ok(Self(sender))
    }

    /// Whether anybody still writes.
    pub fn is_running(&self) -> bool {
        !self.0.is_closed()
    }

    pub async fn write(&self, accepted: Accepted, now_unix: i64) -> Result<(), StoreError> {
        let row = Row::new(accepted, now_unix)?;
        let (told, result) = oneshot::channel();
        let stopped = |_| StoreError::Stopped;
        let waiting = Waiting { row, told };
        self.0.send(waiting).await.map_err(|_| StoreError::Stopped)?;
        result.await.map_err(stopped)?
    }
}

/// Takes in the answers of whoever is about to have one: everybody who can go on goes first, for as long as that brings more. Alone, nobody is waited for.
async fn wait_for_others(receiver: &mut mpsc::Receiver<Waiting>, waiting: &mut Vec<Waiting>) {
    let mut before = 0;
    while before < waiting.len() {
        before = waiting.len();
        tokio::task::yield_now().await;
        while waiting.len() < BATCH
            && let Ok(next) = receiver.try_recv()
        {
            waiting.push(next);
        }
    }
}

/// Where answers are written.
enum Database {
    Sqlite(Box<Sqlite>),
    Postgres(Postgres),
}

impl Database {
    /// What became of each, once all of it is on disk.
    async fn write_together(&mut self, rows: &[&Row]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write_together(rows).await,
            Self::Postgres(postgres) => postgres.write_together(rows).await,
        }
    }
}

async fn write(database: &mut Database, mut batch: Vec<Waiting>) {
    // In one order everywhere, so that several gateways on one database never wait for each other in a circle.
    batch.sort_by_key(|waiting| {
        (
            waiting.row.accepted.answered.request.lane,
            waiting.row.generation,
            waiting.row.sequence,
        )
    });
    let rows: Vec<&Row> = batch.iter().map(|waiting| &waiting.row).collect();
    let results = match database.write_together(&rows).await {
        Ok(results) => results,
        // Something about one of them, perhaps: each by itself.
        Err(StoreError::Database(sqlx::Error::Database(_))) if rows.len() > 1 => {
            let mut results = Vec::with_capacity(rows.len());
            for row in rows {
                let alone = database.write_together(&[row]).await;
                results.push(alone.and_then(|mut results| results.pop().unwrap_or(Err(StoreError::Stopped))));
            }
            results
        }
        Err(error) => {
            let error = Arc::new(error);
            rows.iter().map(|_| Err(StoreError::Shared(error.clone()))).collect()
        }
    };
    for (waiting, result) in batch.into_iter().zip(results) {
        // Who asked may be gone; what is written stays.
        let _ = waiting.told.send(result);
    }
}
