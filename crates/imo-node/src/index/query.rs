//! Looking up and adding up.

use serde::Serialize;
use serde_json::Value;
use sqlx::{Row, any::AnyRow};
use utoipa::ToSchema;

use super::database::Database;

/// The transaction of something, and whether it is final. What is not may still be dropped by the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stamp {
    /// Base58.
    pub signature: String,
    pub slot: i64,
    /// Unix seconds; `null` where the cluster does not know.
    pub unix: Option<i64>,
    pub finalised: bool,
}

/// An event as it is stored.
#[derive(Clone, Debug)]
pub struct Event {
    /// Order among all events.
    pub place: i64,
    pub stamp: Stamp,
    pub program: String,
    pub name: String,
    pub body: Value,
}

impl Event {
    /// A field's text: an address, bytes, or a u64.
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_default().to_owned()
    }

    pub fn number(&self, field: &str) -> i64 {
        let value = &self.body[field];
        let parsed = || value.as_str().and_then(|text| text.parse().ok());
        value.as_i64().or_else(parsed).unwrap_or(0)
    }
}

/// What takes the place of `$1`, `$2`, … in a statement.
#[derive(Clone, Debug)]
pub enum Bind {
    Text(String),
    Number(i64),
}

impl From<&str> for Bind {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Bind {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

const COLUMNS: &str = "e.place, e.signature, e.slot, e.unix, e.finalised, e.program, e.name, e.body";

/// Names for `IN`. They come from this program alone.
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(", ")
}

/// Readers see everything, or what is final alone.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub database: &'a Database,
    pub finalised_only: bool,
}

impl Reader<'_> {
    fn floor(&self) -> i64 {
        i64::from(self.finalised_only)
    }

    /// Whether something has happened to what a column, which is an address, names in a field.
    pub fn has(&self, field: &str, column: &str, names: &[&str]) -> String {
        let floor = self.floor();
        format!(
            "EXISTS (SELECT 1 FROM mentions s JOIN events x ON x.place = s.place \
             WHERE x.finalised >= {floor} AND s.address = {column} AND s.field = '{field}' AND x.name IN ({}))",
            list(names)
        )
    }

    async fn rows(&self, statement: &str, binds: &[Bind]) -> sqlx::Result<Vec<AnyRow>> {
        let query = binds.iter().fold(sqlx::query(statement), |query, bind| match bind {
            Bind::Text(text) => query.bind(text.clone()),
            Bind::Number(number) => query.bind(*number),
        });
        query.fetch_all(&self.database.pool).await
    }

    /// Events, of which `rest` says which and in what order. It begins after `WHERE … AND`.
    pub async fn events(&self, from: &str, rest: &str, binds: &[Bind]) -> sqlx::Result<Vec<Event>> {
        let floor = self.floor();
        let statement = format!("SELECT {COLUMNS} FROM {from} WHERE e.finalised >= {floor} AND {rest}");
        self.rows(&statement, binds).await?.iter().map(event).collect()
    }

    /// The events of these names in which an address is in a field, in order.
    pub async fn about(&self, field: &str, address: &str, names: &[&str]) -> sqlx::Result<Vec<Event>> {
        let rest = format!(
            "m.address = $1 AND m.field = $2 AND e.name IN ({}) ORDER BY e.place",
            list(names)
        );
        self.events(
            "mentions m JOIN events e ON e.place = m.place",
            &rest,
            &[address.into(), field.into()],
        )
        .await
    }

    /// The newest of them.
    pub async fn newest(&self, field: &str, address: &str, names: &[&str]) -> sqlx::Result<Option<Event>> {
        let rest = format!(
            "m.address = $1 AND m.field = $2 AND e.name IN ({}) ORDER BY e.place DESC LIMIT 1",
            list(names)
        );
        let found = self
            .events(
                "mentions m JOIN events e ON e.place = m.place",
                &rest,
                &[address.into(), field.into()],
            )
            .await?;
        Ok(found.into_iter().next())
    }

    /// What a number adds up to in events of a name in which an address is in a field.
    pub async fn sum(&self, field: &str, address: &str, name: &str, number: &str) -> sqlx::Result<i64> {
        let floor = self.floor();
        let statement = format!(
            "SELECT CAST(COALESCE(SUM(n.value), 0) AS BIGINT) AS total \
             FROM mentions m JOIN events e ON e.place = m.place JOIN numbers n ON n.place = e.place \
             WHERE e.finalised >= {floor} AND m.address = $1 AND m.field = $2 AND e.name = $3 AND n.field = $4"
        );
        self.total(&statement, &[address.into(), field.into(), name.into(), number.into()])
            .await
    }

    pub async fn count(&self, field: &str, address: &str, name: &str) -> sqlx::Result<i64> {
        let floor = self.floor();
        let statement = format!(
            "SELECT COUNT(*) AS total FROM mentions m JOIN events e ON e.place = m.place \
             WHERE e.finalised >= {floor} AND m.address = $1 AND m.field = $2 AND e.name = $3"
        );
        self.total(&statement, &[address.into(), field.into(), name.into()])
            .await
    }

    /// What was collected, and not retracted, for the reports in which an address is in a field of `ReportPosted`; `states` says for which of these reports, by the column `r.address`.
    pub async fn collected(&self, field: &str, address: &str, number: &str, states: &str) -> sqlx::Result<i64> {
        let (floor, retracted) = (
            self.floor(),
            self.has("collection", "k.address", &["RetractionAnnounced"]),
        );
        let statement = format!(
            "SELECT CAST(COALESCE(SUM(n.value), 0) AS BIGINT) AS total \
             FROM mentions m JOIN events p ON p.place = m.place AND p.name = 'ReportPosted' \
             JOIN mentions r ON r.place = p.place AND r.field = 'report' \
             JOIN mentions c ON c.address = r.address AND c.field = 'report' \
             JOIN events e ON e.place = c.place AND e.name = 'Collected' \
             JOIN mentions k ON k.place = e.place AND k.field = 'collection' \
             JOIN numbers n ON n.place = e.place AND n.field = $3 \
             WHERE e.finalised >= {floor} AND m.address = $1 AND m.field = $2 AND {states} AND NOT {retracted}"
        );
        self.total(&statement, &[address.into(), field.into(), number.into()])
            .await
    }

    /// How many reports there are in which an address is in a field of `ReportPosted`, and for which `states` holds.
    pub async fn reports(&self, field: &str, address: &str, states: &str) -> sqlx::Result<i64> {
        let floor = self.floor();
        let statement = format!(
            "SELECT COUNT(*) AS total FROM mentions m JOIN events e ON e.place = m.place AND e.name = 'ReportPosted' \
             JOIN mentions r ON r.place = e.place AND r.field = 'report' \
             WHERE e.finalised >= {floor} AND m.address = $1 AND m.field = $2 AND {states}"
        );
        self.total(&statement, &[address.into(), field.into()]).await
    }

    /// Holders' revenue per unit of a pool's token, over all deposits.
    pub async fn yield_per_unit(&self, pool: &str) -> sqlx::Result<f64> {
        let floor = self.floor();
        let statement = format!(
            "SELECT CAST(COALESCE(SUM(CAST(h.value AS DOUBLE PRECISION) / s.value), 0) AS DOUBLE PRECISION) AS total \
             FROM mentions m JOIN events e ON e.place = m.place AND e.name = 'Deposited' \
             JOIN numbers h ON h.place = e.place AND h.field = 'holders_units' \
             JOIN numbers s ON s.place = e.place AND s.field = 'supply_units' \
             WHERE e.finalised >= {floor} AND m.address = $1 AND m.field = 'pool' AND s.value > 0"
        );
        let rows = self.rows(&statement, &[pool.into()]).await?;
        rows.first().map_or(Ok(0.0), |row| row.try_get("total"))
    }

    pub async fn total(&self, statement: &str, binds: &[Bind]) -> sqlx::Result<i64> {
        let rows = self.rows(statement, binds).await?;
        rows.first().map_or(Ok(0), |row| row.try_get("total"))
    }

    /// Events that mention one of these addresses, the newest first.
    pub async fn mentioning(&self, addresses: &[String], before: i64, limit: i64) -> sqlx::Result<Vec<Event>> {
        let places: Vec<String> = (0..addresses.len()).map(|index| format!("${}", index + 3)).collect();
        let rest = format!(
            "e.place < $1 AND e.place IN (SELECT place FROM mentions WHERE address IN ({})) ORDER BY e.place DESC LIMIT $2",
            places.join(", ")
        );
        let mut binds: Vec<Bind> = vec![before.into(), limit.into()];
        binds.extend(addresses.iter().map(|address| address.as_str().into()));
        self.events("events e", &rest, &binds).await
    }
}

fn event(row: &AnyRow) -> sqlx::Result<Event> {
    let body: String = row.try_get("body")?;
    Ok(Event {
        place: row.try_get("place")?,
        stamp: Stamp {
            signature: row.try_get("signature")?,
            slot: row.try_get("slot")?,
            unix: row.try_get("unix")?,
            finalised: row.try_get::<i64, _>("finalised")? == 1,
        },
        program: row.try_get("program")?,
        name: row.try_get("name")?,
        body: serde_json::from_str(&body).unwrap_or_default(),
    })
}
