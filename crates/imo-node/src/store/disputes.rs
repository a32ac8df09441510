//! What a watcher must not forget: the places it committed to, and the moves it saw.

use anchor_lang::prelude::Pubkey;
use imo_client::instructions::opml_oracle::Place;
use opml::{Claim, Hash};
use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, hash, number, stored};

/// A dispute of this watcher. It is stored before it is opened, for nobody can continue one whose place is forgotten.
#[derive(Clone, Debug)]
pub struct StoredDispute {
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub nonce: u64,
    pub place: Place,
    /// Seed of the key of the account that the proof is staged in, the same whenever the staging is begun again.
    pub witness_key: [u8; 32],
    pub over: bool,
}

impl Store {
    pub async fn add_dispute(&self, dispute: &StoredDispute) -> Result<(), StoreError> {
        let place = &dispute.place;
        let claim = [place.claim.model_root, place.claim.input_root, place.claim.output_root].concat();
        sqlx::query(
            "INSERT INTO disputes (dispute, report, nonce, collection, receipt_index, salt, claim, receipt_salt, path, witness_key, over) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
        )
        .bind(dispute.dispute.to_bytes().to_vec())
        .bind(dispute.report.to_bytes().to_vec())
        .bind(stored(dispute.nonce)?)
        .bind(place.collection.to_bytes().to_vec())
        .bind(i64::from(place.receipt_index))
        .bind(place.salt.to_vec())
        .bind(claim)
        .bind(place.receipt_salt.to_vec())
        .bind(place.path.concat())
        .bind(dispute.witness_key.to_vec())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Every dispute, or those that go on.
    pub async fn disputes(&self, also_over: bool) -> Result<Vec<StoredDispute>, StoreError> {
        let rows = sqlx::query("SELECT * FROM disputes WHERE over = 0 OR over = $1 ORDER BY nonce, dispute")
            .bind(i64::from(also_over))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(stored_dispute).collect()
    }

    pub async fn end_dispute(&self, dispute: &Pubkey) -> Result<(), StoreError> {
        sqlx::query("UPDATE disputes SET over = 1 WHERE dispute = $1")
            .bind(dispute.to_bytes().to_vec())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Notes the account of a dispute after a move.
    pub async fn add_dispute_state(&self, dispute: &Pubkey, digest: &Hash, account: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO dispute_states (dispute, digest, position, account) \
             VALUES ($1, $2, (SELECT COUNT(*) FROM dispute_states WHERE dispute = $1), $3) ON CONFLICT (dispute, digest) DO NOTHING",
        )
        .bind(dispute.to_bytes().to_vec())
        .bind(digest.to_vec())
        .bind(account.to_vec())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The account of a dispute after each move that was seen, in order.
    pub async fn dispute_states(&self, dispute: &Pubkey) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = sqlx::query("SELECT account FROM dispute_states WHERE dispute = $1 ORDER BY position")
            .bind(dispute.to_bytes().to_vec())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok(row.try_get("account")?)).collect()
    }

    /// Notes that a report needs no further look.
    pub async fn add_watched(&self, report: &Pubkey, checked: u64, wrong: u64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO watched (report, checked, wrong) VALUES ($1, $2, $3) ON CONFLICT (report) DO NOTHING")
            .bind(report.to_bytes().to_vec())
            .bind(stored(checked)?)
            .bind(stored(wrong)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    pub async fn is_watched(&self, report: &Pubkey) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT checked FROM watched WHERE report = $1")
            .bind(report.to_bytes().to_vec())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }
}

fn stored_dispute(row: &AnyRow) -> Result<StoredDispute, StoreError> {
    let claim: Vec<u8> = row.try_get("claim")?;
    let path: Vec<u8> = row.try_get("path")?;
    let ([model_root, input_root, output_root], []) = claim.as_chunks::<32>() else {
        return Err(StoreError::Malformed("claim"));
    };
    let (path, []) = path.as_chunks::<32>() else {
        return Err(StoreError::Malformed("path"));
    };
    let index = u32::try_from(number(row, "receipt_index")?).map_err(|_| StoreError::Malformed("receipt_index"))?;
    Ok(StoredDispute {
        dispute: Pubkey::new_from_array(hash(row, "dispute")?),
        report: Pubkey::new_from_array(hash(row, "report")?),
        nonce: number(row, "nonce")?,
        place: Place {
            collection: Pubkey::new_from_array(hash(row, "collection")?),
            receipt_index: index,
            salt: hash(row, "salt")?,
            claim: Claim {
                model_root: *model_root,
                input_root: *input_root,
                output_root: *output_root,
            },
            receipt_salt: hash(row, "receipt_salt")?,
            path: path.to_vec(),
        },
        witness_key: hash(row, "witness_key")?,
        over: number(row, "over")? == 1,
    })
}
