//! Writing into SQLite: a whole transaction is one command to the thread that has the file, since the way there and back takes as long as writing an answer does.

use std::{str::FromStr, sync::LazyLock, time::Duration};

use sqlx::{
    ConnectOptions, Connection, Executor, SqliteConnection,
    error::ErrorKind,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    BATCH, Row, StoreError,
    statements::{
        self, INPUT_VALUES, LANE_VALUES, REQUEST_VALUES, Value, inputs_of, insert_inputs, insert_requests, step_lanes,
    },
};

/// How long to wait for others that write into the file.
const BUSY: Duration = Duration::from_secs(10);

/// The transaction for 1, 2, 4, … rows. A few are prepared and used again and again: what is missing in one is filled up with rows of nothing.
static TRANSACTIONS: LazyLock<Vec<(usize, String)>> = LazyLock::new(|| {
    let sizes = (0..).map(|power| 1 << power).take_while(|size| *size <= BATCH);
    sizes.map(|size| (size, transaction(size))).collect()
});

/// Everything about so many answers, all or nothing.
fn transaction(rows: usize) -> String {
    let places = |values: usize| vec![format!("({})", vec!["?"; values].join(",")); rows].join(",");
    [
        "BEGIN IMMEDIATE",
        &step_lanes(&places(LANE_VALUES)),
        &insert_requests(&places(REQUEST_VALUES)),
        &insert_inputs(&places(INPUT_VALUES)),
        "COMMIT",
    ]
    .join(";")
}

/// The connection that answers are written through.
pub struct Sqlite {
    options: SqliteConnectOptions,
    connection: SqliteConnection,
}

impl Sqlite {
    /// The file has to be there already.
    pub async fn open(url: &str) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::from_str(url)?
            .journal_mode(SqliteJournalMode::Wal)
            // An answer that is told to be written is on disk, whatever happens to the machine.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let connection = options.connect().await?;
        Ok(Self { options, connection })
    }

    /// What became of each, once all of it is on disk. Only of one alone it can be told that it is a conflict; of many, that there is one among them.
    pub async fn write_together(&mut self, rows: &[&Row]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let Err(error) = self.try_to_write(rows).await else {
            return Ok(rows.iter().map(|_| Ok(())).collect());
        };
        self.roll_back().await?;
        let kind = error.as_database_error().map(|error| error.kind());
        match (kind, rows) {
            // See `insert_requests`.
            (Some(ErrorKind::UniqueViolation | ErrorKind::NotNullViolation), [_]) => {
                Ok(vec![Err(StoreError::Conflict)])
            }
            _ => Err(error.into()),
        }
    }

    async fn try_to_write(&mut self, rows: &[&Row]) -> sqlx::Result<()> {
        let Some((size, sql)) = TRANSACTIONS.iter().find(|(size, _)| *size >= rows.len()) else {
            return Err(sqlx::Error::Protocol("more rows than a transaction takes".into()));
        };
        let values = sqlx::query_with(sql, values(*size, rows)?);
        values.execute(&mut self.connection).await?;
        Ok(())
    }

    /// Whatever a transaction that failed has begun is gone after this.
    async fn roll_back(&mut self) -> sqlx::Result<()> {
        if self.connection.execute("ROLLBACK").await.is_err() {
            // There was nothing to take back, or the connection is of no use.
            let fresh = self.options.connect().await?;
            std::mem::replace(&mut self.connection, fresh).close().await?;
        }
        Ok(())
    }
}

/// What stands in the places of the transaction for so many rows.
fn values(size: usize, rows: &[&Row]) -> sqlx::Result<SqliteArguments<'static>> {
    let inputs = inputs_of(rows);
    let mut arguments = SqliteArguments::default();
    fill(&mut arguments, size, rows.iter().map(|row| statements::lane(row)))?;
    fill(&mut arguments, size, rows.iter().map(|row| statements::request(row)))?;
    fill(&mut arguments, size, inputs.iter().map(statements::input))?;
    Ok(arguments)
}

/// Adds so many rows, those that are missing of nothing.
fn fill<const N: usize>(
    arguments: &mut SqliteArguments<'_>,
    size: usize,
    rows: impl ExactSizeIterator<Item = [Value; N]>,
) -> sqlx::Result<()> {
    use sqlx::Arguments;
    let missing = size.saturating_sub(rows.len()) * N;
    let nothing = std::iter::repeat_with(|| Value::Nothing).take(missing);
    for value in rows.flatten().chain(nothing) {
        let added = match value {
            Value::Number(number) => arguments.add(number),
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Nothing => arguments.add(None::<i64>),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn given_the_connection_of_answers_when_opened_then_every_transaction_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("node.db").display());
        crate::store::Store::open(&url).await.unwrap();
        let mut sqlite = Sqlite::open(&url).await.unwrap();
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(&mut sqlite.connection)
            .await
            .unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut sqlite.connection)
            .await
            .unwrap();
        assert_eq!((synchronous, journal.as_str()), (2, "wal"), "2 is FULL");
    }

    #[tokio::test]
    async fn given_nothing_to_take_back_when_rolled_back_then_the_next_transaction_can_begin() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("node.db").display());
        crate::store::Store::open(&url).await.unwrap();
        let mut sqlite = Sqlite::open(&url).await.unwrap();
        sqlite.roll_back().await.unwrap();
        for _ in 0..2 {
            sqlite.connection.execute("BEGIN IMMEDIATE").await.unwrap();
            sqlite.roll_back().await.unwrap();
        }
    }

    #[test]
    fn given_any_number_of_answers_when_written_then_a_transaction_has_room_for_them() {
        for rows in 1..=BATCH {
            let (size, _) = TRANSACTIONS.iter().find(|(size, _)| *size >= rows).unwrap();
            assert!(*size < 2 * rows, "{rows}");
        }
    }
}
