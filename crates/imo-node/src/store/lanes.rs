//! Vouchers, questions, answers.

use std::ops::Range;

use anchor_lang::prelude::Pubkey;
use bytes::Bytes;
use imo_client::voucher::SignedVoucher;
use imo_protocol::{Receipt, Request};
use opml::{Claim, Hash};
use sqlx::{Row, any::AnyRow};

use super::{Blobs, Store, StoreError, hash, number, stored};

/// Receipts of one page.
const PAGE: u64 = 1_024;

/// What of a receipt does not follow from its place: four hashes.
const RECEIPT_BYTES: usize = 128;

/// A lane as the node has served it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLane {
    pub credit: Pubkey,
    pub model: Pubkey,
    /// The version that the questions not yet collected are about.
    pub model_root: Hash,
    /// Whether questions and answers are shown only with the payer's permission.
    pub private: bool,
    /// What the chain has collected, when the node last looked.
    pub collected_count: u64,
    pub collected_units: u64,
    /// Unix seconds of the first answer that is not collected.
    pub first_owed_unix: i64,
    /// The newest.
    pub voucher: SignedVoucher,
}

impl StoredLane {
    pub fn address(&self) -> Pubkey {
        self.voucher.voucher.lane
    }

    pub fn generation(&self) -> u64 {
        self.voucher.voucher.lane_generation
    }

    /// Questions so far, and sequence of the next.
    pub fn count(&self) -> u64 {
        self.voucher.voucher.cumulative_count
    }

    /// Price of all questions so far.
    pub fn amount_units(&self) -> u64 {
        self.voucher.voucher.cumulative_amount_units
    }

    /// Served and not yet collected.
    pub fn owed_units(&self) -> u64 {
        self.amount_units().saturating_sub(self.collected_units)
    }
}

/// A question and the root of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredRequest {
    pub request: Request,
    pub output_root: Hash,
}

impl StoredRequest {
    pub fn receipt(&self) -> Receipt {
        Receipt {
            lane: self.request.lane,
            sequence: self.request.sequence,
            claim: Claim {
                model_root: self.request.model_root,
                input_root: self.request.input_root,
                output_root: self.output_root,
            },
            salt: self.request.salt,
        }
    }
}

/// A question that was paid for and answered.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub lane: StoredLane,
    pub answered: StoredRequest,
    /// The input's elements, when it is small enough to be kept in the database.
    pub input: Option<Bytes>,
}

/// An input that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInput {
    /// Whether anyone may have it: then it was asked about on a lane that is not private.
    pub public: bool,
    /// `None` when it is a file.
    pub bytes: Option<Bytes>,
}

impl StoredInput {
    /// The elements, from the database or the file; `None` when the file is missing.
    pub async fn elements(self, root: &Hash, blobs: &Blobs) -> Result<Option<Bytes>, StoreError> {
        match self.bytes {
            Some(bytes) => Ok(Some(bytes)),
            None => blobs.input(root).await,
        }
    }
}

impl Store {
    /// Keeps voucher, question, answer and input, all or nothing, on disk when this returns. [`StoreError::Conflict`] when the lane is not where the voucher steps on
    /// from, because somebody else was faster.
    pub async fn accept(&self, accepted: Accepted, now_unix: i64) -> Result<(), StoreError> {
        self.writer.write(accepted, now_unix).await
    }

    pub async fn lane(&self, lane: &Pubkey, generation: u64) -> Result<Option<StoredLane>, StoreError> {
        let row = sqlx::query("SELECT * FROM lanes WHERE lane = $1 AND generation = $2")
            .bind(lane.to_bytes().to_vec())
            .bind(stored(generation)?)
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(stored_lane).transpose()
    }

    /// Lanes with answers that are not collected, those that wait longest first.
    pub async fn owing_lanes(&self) -> Result<Vec<StoredLane>, StoreError> {
        let rows = sqlx::query("SELECT * FROM lanes WHERE count > collected_count ORDER BY first_owed_unix, lane")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(stored_lane).collect()
    }

    /// Served and not yet collected on all lanes, in units.
    pub async fn owed_units(&self) -> Result<u64, StoreError> {
        let row =
            sqlx::query("SELECT CAST(COALESCE(SUM(amount_units - collected_units), 0) AS BIGINT) AS owed FROM lanes")
                .fetch_one(&self.pool)
                .await?;
        number(&row, "owed")
    }

    /// Notes what the chain says is collected. It never goes back.
    pub async fn note_collected(
        &self,
        lane: &Pubkey,
        generation: u64,
        count: u64,
        units: u64,
        now_unix: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE lanes SET collected_count = $1, collected_units = $2, first_owed_unix = $3 \
             WHERE lane = $4 AND generation = $5 AND collected_count < $1",
        )
        .bind(stored(count)?)
        .bind(stored(units)?)
        .bind(now_unix)
        .bind(lane.to_bytes().to_vec())
        .bind(stored(generation)?)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The questions of a lane at these sequences that are there, in order.
    pub async fn requests(
        &self,
        lane: &Pubkey,
        generation: u64,
        sequences: Range<u64>,
    ) -> Result<Vec<StoredRequest>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM requests WHERE lane = $1 AND generation = $2 AND sequence >= $3 AND sequence < $4 ORDER BY sequence",
        )
        .bind(lane.to_bytes().to_vec())
        .bind(stored(generation)?)
        .bind(stored(sequences.start)?)
        .bind(stored(sequences.end)?)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| stored_request(lane, row)).collect()
    }

    /// The receipts of a lane at these sequences, in order. They come in pages of one value each: a row for each would take much longer than to hash them.
    pub async fn receipts(
        &self,
        lane: &Pubkey,
        generation: u64,
        sequences: Range<u64>,
    ) -> Result<Vec<Receipt>, StoreError> {
        let all = "model_root || input_root || output_root || salt";
        // SQLite joins bytes as text without looking at them, and gives them back as bytes.
        let page = match self.sqlite {
            true => format!("CAST(string_agg({all}, '' ORDER BY sequence) AS BLOB)"),
            false => format!("string_agg({all}, ''::BYTEA ORDER BY sequence)"),
        };
        let sql = format!(
            "SELECT {page} AS page FROM requests WHERE lane = $1 AND generation = $2 AND sequence >= $3 AND sequence < $4"
        );
        let mut receipts = Vec::new();
        let mut first = sequences.start;
        while first < sequences.end {
            let end = sequences.end.min(first + PAGE);
            let row = sqlx::query(&sql)
                .bind(lane.to_bytes().to_vec())
                .bind(stored(generation)?)
                .bind(stored(first)?)
                .bind(stored(end)?)
                .fetch_one(&self.pool)
                .await?;
            let page: Option<Vec<u8>> = row.try_get("page")?;
            let (page, []) = page.as_deref().unwrap_or_default().as_chunks::<RECEIPT_BYTES>() else {
                return Err(StoreError::Malformed("receipts"));
            };
            // No sequence is there twice, so that as many as were asked for are all of them.
            if page.len() as u64 != end - first {
                return Err(StoreError::Missing(*lane));
            }
            receipts.extend(
                page.iter()
                    .zip(first..)
                    .map(|(bytes, sequence)| receipt(lane, sequence, bytes)),
            );
            first = end;
        }
        Ok(receipts)
    }

    /// `None` when it was never asked about.
    pub async fn input(&self, root: &Hash) -> Result<Option<StoredInput>, StoreError> {
        let row = sqlx::query("SELECT public, bytes FROM inputs WHERE root = $1")
            .bind(root.to_vec())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| {
            let bytes: Option<Vec<u8>> = row.try_get("bytes")?;
            Ok(StoredInput {
                public: number(&row, "public")? == 1,
                bytes: bytes.map(Bytes::from),
            })
        })
        .transpose()
    }
}

fn receipt(lane: &Pubkey, sequence: u64, bytes: &[u8; RECEIPT_BYTES]) -> Receipt {
    let hash = |place: usize| std::array::from_fn(|byte| bytes[place * 32 + byte]);
    Receipt {
        lane: *lane,
        sequence,
        claim: Claim {
            model_root: hash(0),
            input_root: hash(1),
            output_root: hash(2),
        },
        salt: hash(3),
    }
}

fn stored_lane(row: &AnyRow) -> Result<StoredLane, StoreError> {
    let voucher: Vec<u8> = row.try_get("voucher")?;
    Ok(StoredLane {
        credit: Pubkey::new_from_array(hash(row, "credit")?),
        model: Pubkey::new_from_array(hash(row, "model")?),
        model_root: hash(row, "model_root")?,
        private: number(row, "private")? == 1,
        collected_count: number(row, "collected_count")?,
        collected_units: number(row, "collected_units")?,
        first_owed_unix: row.try_get("first_owed_unix")?,
        voucher: SignedVoucher::parse(&voucher).ok_or(StoreError::Malformed("voucher"))?,
    })
}

fn stored_request(lane: &Pubkey, row: &AnyRow) -> Result<StoredRequest, StoreError> {
    Ok(StoredRequest {
        request: Request {
            lane: *lane,
            sequence: number(row, "sequence")?,
            model_root: hash(row, "model_root")?,
            input_root: hash(row, "input_root")?,
            price_units: number(row, "price_units")?,
            salt: hash(row, "salt")?,
        },
        output_root: hash(row, "output_root")?,
    })
}
