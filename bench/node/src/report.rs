//! What a report over a million answers takes to build.

use std::{path::Path, time::Instant};

use anchor_lang::prelude::Pubkey;
use futures_util::{StreamExt, TryStreamExt, stream};
use imo_node::{
    operator::{ROOTS_AT_ONCE, receipts_root},
    store::Store,
};
use opml::PAD;
use sqlx::{Connection, SqliteConnection};

use crate::server::database;

const GENERATION: u64 = 11;

/// As many as one Collection takes, nearly.
const RECEIPTS_PER_LANE: u64 = 62_500;

/// Seconds from a database with so many answers to the roots that `collect` states.
/// As the operator's loop goes about it.
pub async fn build(receipts: u64, folder: &Path) -> anyhow::Result<f64> {
    let lanes = receipts.div_ceil(RECEIPTS_PER_LANE);
    let url = database(folder);
    let store = Store::open(&url).await?;
    fill(&url, lanes).await?;
    let began = Instant::now();
    let roots = stream::iter(0..lanes)
        .map(|lane| receipts_root(&store, address(lane), GENERATION, 0..RECEIPTS_PER_LANE))
        .buffered(ROOTS_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    let seconds = began.elapsed().as_secs_f64();
    anyhow::ensure!(roots.len() as u64 == lanes && roots.iter().all(|root| *root != PAD));
    Ok(seconds)
}

fn address(lane: u64) -> Pubkey {
    let mut address = [3; 32];
    address[..8].copy_from_slice(&lane.to_le_bytes());
    Pubkey::new_from_array(address)
}

/// Answers with roots that nobody can guess, made by the database.
async fn fill(url: &str, lanes: u64) -> anyhow::Result<()> {
    let mut connection = SqliteConnection::connect(url).await?;
    for lane in 0..lanes {
        sqlx::query(
            "WITH RECURSIVE counted(sequence) AS (SELECT 0 UNION ALL SELECT sequence + 1 FROM counted WHERE sequence + 1 < $1) \
             INSERT INTO requests (lane, generation, sequence, model_root, input_root, output_root, price_units, salt) \
             SELECT $2, $3, sequence, zeroblob(32), randomblob(32), randomblob(32), 100, zeroblob(32) FROM counted",
        )
        .bind(RECEIPTS_PER_LANE as i64)
        .bind(address(lane).to_bytes().to_vec())
        .bind(GENERATION as i64)
        .execute(&mut connection)
        .await?;
    }
    connection.close().await?;
    Ok(())
}
