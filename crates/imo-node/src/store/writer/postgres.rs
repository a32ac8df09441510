//! Writing into PostgreSQL: each statement is a way to the server and back, with as many answers as there are.

use sqlx::{Any, AnyPool, Transaction};

use super::{
    Row, StoreError,
    statements::{self, Value, inputs_of},
};

/// Rows of one statement are as many as one of these says, so that few statements are prepared and used again and again.
const ROWS: [usize; 4] = [64, 16, 4, 1];

/// Connections to the server.
pub struct Postgres(pub AnyPool);

impl Postgres {
    /// What became of each, once all of it is on disk.
    pub async fn write_together(&self, rows: &[&Row]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let mut transaction = self.0.begin().await?;
        if step_lanes(&mut transaction, rows).await? {
            insert_answers(&mut transaction, rows).await?;
            transaction.commit().await?;
            return Ok(rows.iter().map(|_| Ok(())).collect());
        }
        // Some lane is elsewhere already: once more, asking each.
        transaction.rollback().await?;
        let mut transaction = self.0.begin().await?;
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
}

async fn insert_answers(transaction: &mut Transaction<'_, Any>, rows: &[&Row]) -> Result<(), sqlx::Error> {
    for part in parts(rows) {
        let values = part.iter().map(|row| statements::request(row)).collect();
        execute(transaction, statements::insert_requests, values).await?;
    }
    for part in parts(&inputs_of(rows)) {
        let values = part.iter().map(statements::input).collect();
        execute(transaction, statements::insert_inputs, values).await?;
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
        let values = part.iter().map(|row| statements::lane(row)).collect();
        stepped += execute(transaction, statements::step_lanes, values).await?;
    }
    Ok(stepped == rows.len() as u64)
}

/// Has rows of values written, and returns how many were.
async fn execute<const N: usize>(
    transaction: &mut Transaction<'_, Any>,
    statement: fn(&str) -> String,
    rows: Vec<[Value; N]>,
) -> Result<u64, sqlx::Error> {
    let sql = statement(&places(rows.len(), N));
    let mut query = sqlx::query(&sql);
    for value in rows.into_iter().flatten() {
        query = match value {
            Value::Number(number) => query.bind(number),
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Nothing => query.bind(None::<Vec<u8>>),
        };
    }
    Ok(query.execute(&mut **transaction).await?.rows_affected())
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
