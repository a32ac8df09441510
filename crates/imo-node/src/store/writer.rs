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

async fn write(pool: &AnyPool, mut batch: Vec<Waiting>) {
    // In one order everywhere, so that several gateways on one database never wait for each other in a circle.
    batch.sort_by_key(|waiting| {
        (
            waiting.row.accepted.answered.request.lane,
            waiting.row.generation,
            waiting.row.sequence,
        )
    });
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
    if step_lanes(&mut transaction, rows).await? {
        insert_answers(&mut transaction, rows).await?;
        transaction.commit().await?;
        return Ok(rows.iter().map(|_| Ok(())).collect());
    }
    // Some lane is elsewhere already: once more, asking each.
    transaction.rollback().await?;
    let mut transaction = pool.begin().await?;
    let mut results = Vec::with_capacity(rows.len());
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        if step_lanes(&mut transaction, &[row]).await? {
            taken.push(*row);
            results.push(Ok(()));
        } else {
            results.push(Err(StoreError::Conflict));
        }
    }
    insert_answers(&mut transaction, &taken).await?;
    transaction.commit().await?;
    Ok(results)
}

async fn insert_answers(transaction: &mut Transaction<'_, Any>, rows: &[&Row]) -> Result<(), sqlx::Error> {
    for part in parts(rows) {
        insert_requests(transaction, part).await?;
    }
    for part in parts(&inputs_of(rows)) {
        insert_inputs(transaction, part).await?;
    }
    Ok(())
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

/// Whether every lane was where its voucher steps on from; those that were have stepped on.
async fn step_lanes(transaction: &mut Transaction<'_, Any>, rows: &[&Row]) -> Result<bool, sqlx::Error> {
    // Sorted by lane: a database takes each once in a statement.
    let lane = |row: &Row| (row.accepted.answered.request.lane, row.generation);
    if rows.windows(2).any(|pair| lane(pair[0]) == lane(pair[1])) {
        return Ok(false);
    }
    let mut stepped = 0;
    for part in parts(rows) {
        stepped += step_part(transaction, part).await?;
    }
    Ok(stepped == rows.len() as u64)
}

/// How many of them stepped on. Both databases call the columns of `VALUES` as here.
async fn step_part(transaction: &mut Transaction<'_, Any>, rows: &[&Row]) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "INSERT INTO lanes (lane, generation, credit, model, model_root, private, count, amount_units, collected_count, collected_units, expires_unix, \
         first_owed_unix, voucher) \
         SELECT column1, column2, column3, column4, column5, column6, column7, column8, 0, 0, column9, column10, column11 FROM (VALUES {}) AS taken \
         WHERE column7 = 1 OR EXISTS (SELECT 1 FROM lanes WHERE lanes.lane = column1 AND lanes.generation = column2) \
         ON CONFLICT (lane, generation) DO UPDATE SET count = excluded.count, amount_units = excluded.amount_units, expires_unix = excluded.expires_unix, \
         voucher = excluded.voucher, model_root = excluded.model_root, \
         first_owed_unix = CASE WHEN lanes.count = lanes.collected_count THEN excluded.first_owed_unix ELSE lanes.first_owed_unix END \
         WHERE lanes.count = excluded.count - 1",
        places(rows.len(), 11)
    );
    let mut query = sqlx::query(&sql);
    for row in rows {
        let lane = &row.accepted.lane;
        let voucher = &lane.voucher.voucher;
        query = query
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
            .bind(lane.voucher.bytes().to_vec());
    }
    Ok(query.execute(&mut **transaction).await?.rows_affected())
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
