//! One writer: answers that come while the disk is busy are written together, in one transaction, and each is told what became of it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::{mpsc, oneshot};

use super::{Accepted, StoreError, stored};

/// Answers of one transaction, at most.
const BATCH: usize = 256;

/// Rows of one statement are as many as one of these says, so that few statements are prepared and used again and again.
const ROWS: [usize; 4] = [64, 16, 4, 1];

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
    pub fn start(pool: AnyPool) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Waiting>(BATCH);
        tokio::spawn(async move {
            let mut waiting = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut waiting, BATCH).await > 0 {
                write(&pool, std::mem::take(&mut waiting)).await;
            }
        });
        Self(sender)
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

async fn write(pool: &AnyPool, mut batch: Vec<Waiting>) {
    // In one order everywhere, so that several gateways on one database never wait for each other in a circle.
    batch.sort_by_key(|waiting| (waiting.row.accepted.answered.request.lane, waiting.row.sequence));
    let rows: Vec<&Row> = batch.iter().map(|waiting| &waiting.row).collect();
    let results = match write_together(pool, &rows).await {
        Ok(results) => results,
        // Something about one of them, perhaps: each by itself.
        Err(StoreError::Database(sqlx::Error::Database(_))) if rows.len() > 1 => {
            let mut results = Vec::with_capacity(rows.len());
            for row in rows {
                let alone = write_together(pool, &[row]).await;
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

/// What became of each, once all of it is on disk.
async fn write_together(pool: &AnyPool, rows: &[&Row]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut transaction = pool.begin().await?;
    let mut results = Vec::with_capacity(rows.len());
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        if step_lane(&mut transaction, row).await? {
            taken.push(*row);
            results.push(Ok(()));
        } else {
            results.push(Err(StoreError::Conflict));
        }
    }
    for part in parts(&taken) {
        insert_requests(&mut transaction, part).await?;
    }
    for part in parts(&inputs_of(&taken)) {
        insert_inputs(&mut transaction, part).await?;
    }
    transaction.commit().await?;
    Ok(results)
}

/// All of them, in parts as long as [`ROWS`] has.
fn parts<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut parts = Vec::new();
    for size in ROWS {
        while let Some((part, rest)) = rows.split_at_checked(size) {
            parts.push(part);
            rows = rest;
        }
    }
    parts
}

/// Whether the lane was where the voucher steps on from; then it has stepped on.
async fn step_lane(transaction: &mut Transaction<'_, Any>, row: &Row) -> Result<bool, sqlx::Error> {
    let lane = &row.accepted.lane;
    let voucher = &lane.voucher.voucher;
    let bytes = lane.voucher.bytes();
    let query = if row.sequence == 0 {
        sqlx::query(
            "INSERT INTO lanes (lane, generation, credit, model, model_root, private, count, amount_units, collected_count, collected_units, expires_unix, \
             first_owed_unix, voucher) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, $10, $11) ON CONFLICT (lane, generation) DO NOTHING",
        )
        .bind(voucher.lane.to_bytes().to_vec())
        .bind(row.generation)
        .bind(lane.credit.to_bytes().to_vec())
        .bind(lane.model.to_bytes().to_vec())
        .bind(lane.model_root.to_vec())
        .bind(i64::from(lane.private))
        .bind(row.count)
        .bind(row.amount_units)
        .bind(voucher.expires_unix)
        .bind(row.now_unix)
        .bind(bytes.to_vec())
    } else {
        sqlx::query(
            "UPDATE lanes SET count = $1, amount_units = $2, expires_unix = $3, voucher = $4, model_root = $5, \
             first_owed_unix = CASE WHEN count = collected_count THEN $6 ELSE first_owed_unix END \
             WHERE lane = $7 AND generation = $8 AND count = $9",
        )
        .bind(row.count)
        .bind(row.amount_units)
        .bind(voucher.expires_unix)
        .bind(bytes.to_vec())
        .bind(lane.model_root.to_vec())
        .bind(row.now_unix)
        .bind(voucher.lane.to_bytes().to_vec())
        .bind(row.generation)
        .bind(row.sequence)
    };
    Ok(query.execute(&mut **transaction).await?.rows_affected() == 1)
}

async fn insert_requests(transaction: &mut Transaction<'_, Any>, rows: &[&Row]) -> Result<(), sqlx::Error> {
    let sql = format!(
        "INSERT INTO requests (lane, generation, sequence, model_root, input_root, output_root, price_units, salt) VALUES {}",
        places(rows.len(), 8)
    );
    let mut query = sqlx::query(&sql);
    for row in rows {
        let answered = &row.accepted.answered;
        let request = &answered.request;
        query = query
            .bind(request.lane.to_bytes().to_vec())
            .bind(row.generation)
            .bind(row.sequence)
            .bind(request.model_root.to_vec())
            .bind(request.input_root.to_vec())
            .bind(answered.output_root.to_vec())
            .bind(row.price_units)
            .bind(request.salt.to_vec());
    }
    query.execute(&mut **transaction).await?;
    Ok(())
}

/// Places for so many rows of so many values: `($1, $2), ($3, $4)`.
fn places(rows: usize, values: usize) -> String {
    let row = |first: usize| {
        let numbers: Vec<String> = (first..first + values).map(|number| format!("${number}")).collect();
        format!("({})", numbers.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(|index| row(1 + index * values)).collect();
    rows.join(", ")
}

/// An input, whether anyone may have it, and its bytes where they are kept here.
type Input = ([u8; 32], bool, Option<Bytes>);

/// Each input once, in the order of their roots.
fn inputs_of(rows: &[&Row]) -> Vec<Input> {
    let mut inputs: BTreeMap<[u8; 32], (bool, Option<Bytes>)> = BTreeMap::new();
    for row in rows {
        let (public, bytes) = inputs.entry(row.accepted.answered.request.input_root).or_default();
        *public |= !row.accepted.lane.private;
        if bytes.is_none() {
            bytes.clone_from(&row.accepted.input);
        }
    }
    inputs
        .into_iter()
        .map(|(root, (public, bytes))| (root, public, bytes))
        .collect()
}

async fn insert_inputs(transaction: &mut Transaction<'_, Any>, rows: &[Input]) -> Result<(), sqlx::Error> {
    let sql = format!(
        "INSERT INTO inputs (root, public, bytes) VALUES {} \
         ON CONFLICT (root) DO UPDATE SET public = CASE WHEN inputs.public = 1 THEN 1 ELSE excluded.public END, \
         bytes = COALESCE(inputs.bytes, excluded.bytes)",
        places(rows.len(), 3)
    );
    let mut query = sqlx::query(&sql);
    for (root, public, bytes) in rows {
        query = query
            .bind(root.to_vec())
            .bind(i64::from(*public))
            .bind(bytes.as_ref().map(|bytes| bytes.to_vec()));
    }
    query.execute(&mut **transaction).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_rows_when_parted_then_all_of_them_in_order_in_few_sizes() {
        for count in [0, 1, 5, 63, 64, 65, 256] {
            let rows: Vec<usize> = (0..count).collect();
            let parts = parts(&rows);
            assert_eq!(parts.concat(), rows);
            assert!(parts.iter().all(|part| ROWS.contains(&part.len())));
        }
    }

    #[test]
    fn given_rows_and_values_when_places_are_named_then_each_once() {
        assert_eq!(places(1, 2), "($1, $2)");
        assert_eq!(places(3, 2), "($1, $2), ($3, $4), ($5, $6)");
    }
}
