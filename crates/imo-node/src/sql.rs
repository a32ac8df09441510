//! Opening a database of the node: SQLite in a file or PostgreSQL by URL, through the same statements.

use std::{borrow::Cow, fmt};

use futures_util::future::BoxFuture;
use sqlx::{
    AnyPool, Executor,
    any::AnyPoolOptions,
    error::BoxDynError,
    migrate::{Migration, MigrationSource, MigrationType, Migrator},
};

/// Number, description and statements of a migration; in order, never changed once released.
pub type Script = (i64, &'static str, &'static str);

/// What SQLite has written when a transaction is over. PostgreSQL has its own setting.
#[derive(Clone, Copy, Debug)]
pub enum Durability {
    /// It is on disk, whatever happens to the machine.
    Disk,
    /// A power cut takes the newest; for what can be had again.
    Process,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Self::Disk => "synchronous = FULL",
            Self::Process => "synchronous = NORMAL",
        }
    }
}

/// Whether the URL names a SQLite file.
pub fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

/// Opens a database, makes it if it is a file that is not there, and plays the migrations that it does not have.
pub async fn open(
    url: &str,
    connections: u32,
    durability: Durability,
    scripts: &'static [Script],
) -> sqlx::Result<AnyPool> {
    sqlx::any::install_default_drivers();
    let sqlite = is_sqlite(url);
    let url = match sqlite && !url.contains('?') {
        true => Cow::Owned(format!("{url}?mode=rwc")),
        false => Cow::Borrowed(url),
    };
    let pool = AnyPoolOptions::new()
        .max_connections(connections)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if sqlite {
                    // Readers do not wait for the writer.
                    for pragma in ["journal_mode = WAL", durability.pragma(), "busy_timeout = 10000"] {
                        connection.execute(format!("PRAGMA {pragma}").as_str()).await?;
                    }
                }
                Ok(())
            })
        })
        .connect(&url)
        .await?;
    Migrator::new(Embedded { sqlite, scripts }).await?.run(&pool).await?;
    Ok(pool)
}

struct Embedded {
    sqlite: bool,
    scripts: &'static [Script],
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("migrations")
    }
}

impl MigrationSource<'static> for Embedded {
    fn resolve(self) -> BoxFuture<'static, Result<Vec<Migration>, BoxDynError>> {
        let migrations = self.scripts.iter().map(|(version, description, sql)| {
            let sql = match self.sqlite {
                true => Cow::Borrowed(*sql),
                false => Cow::Owned(sql.replace(" BLOB", " BYTEA")),
            };
            let description = Cow::Borrowed(*description);
            Migration::new(*version, description, MigrationType::Simple, sql, false)
        });
        let migrations = migrations.collect();
        Box::pin(async move { Ok(migrations) })
    }
}
