//! What a watcher must not forget: the places it committed to, and the moves it saw.

use anchor_lang::prelude::Pubkey;
use imo_client::{answer::SignedAnswer, instructions::opml_oracle::Place};
use imo_protocol::Answer;
use opml::{Claim, Hash};
use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, hash, number, stored};

/// With what a dispute is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fraud {
    /// An element of the trace that the model does not give, to be walked to.
    WrongOutput,
    /// The receipt answers another question than the payer's: the witness that shows both.
    WrongQuestion { witness: Vec<u8> },
    /// The operator signed another answer to the receipt's question.
    Equivocation { answer: Box<SignedAnswer> },
    /// The model breaks a rule of its arithmetic.
    Malformed,
}

impl Fraud {
    fn stored(&self) -> (i64, Option<Vec<u8>>) {
        match self {
            Self::WrongOutput => (0, None),
            Self::WrongQuestion { witness } => (1, Some(witness.clone())),
            Self::Equivocation { answer } => {
                let SignedAnswer { answer, key, signature } = answer.as_ref();
                (
                    2,
                    Some([answer.message().as_slice(), key.as_ref(), signature.as_slice()].concat()),
                )
            }
            Self::Malformed => (3, None),
        }
    }

    fn restore(kind: u64, evidence: Option<Vec<u8>>) -> Option<Self> {
        let evidence = evidence.unwrap_or_default();
        Some(match kind {
            0 => Self::WrongOutput,
            1 => Self::WrongQuestion { witness: evidence },
            2 => {
                let (rest, signature) = evidence.split_last_chunk::<64>()?;
                let (message, key) = rest.split_last_chunk::<32>()?;
                let answer = SignedAnswer {
                    answer: Answer::parse(message)?,
                    key: Pubkey::new_from_array(*key),
                    signature: *signature,
                };
                Self::Equivocation {
                    answer: Box::new(answer),
                }
            }
            3 => Self::Malformed,
            _ => return None,
        })
    }
}

/// A dispute of this watcher. It is stored before it is opened, for nobody can continue one whose place is forgotten.
#[derive(Clone, Debug)]
pub struct StoredDispute {
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub nonce: u64,
    pub place: Place,
    pub fraud: Fraud,
    /// Seed of the key of the account that the proof is staged in, the same whenever the staging is begun again.
    pub witness_key: [u8; 32],
    pub over: bool,
}

impl Store {
    pub async fn add_dispute(&self, dispute: &StoredDispute) -> Result<(), StoreError> {
        let place = &dispute.place;
        let claim = [place.claim.model_root, place.claim.input_root, place.claim.output_root].concat();
        let (fraud, evidence) = dispute.fraud.stored();
        sqlx::query(
            "INSERT INTO disputes (dispute, report, nonce, collection, receipt_index, salt, claim, receipt_salt, path, witness_key, over, fraud, evidence) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12)",
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
        .bind(fraud)
        .bind(evidence)
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

    /// Keeps what an operator showed on demand: the node that was demanded (level, index) and the bytes.
    pub async fn add_shown(&self, inquiry: &Pubkey, level: u8, index: u32, bytes: &[u8]) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO shown (inquiry, level, position, bytes) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (inquiry, level, position) DO NOTHING",
        )
        .bind(inquiry.to_bytes().to_vec())
        .bind(i64::from(level))
        .bind(i64::from(index))
        .bind(bytes.to_vec())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// All that was shown in an inquiry.
    pub async fn shown(&self, inquiry: &Pubkey) -> Result<Vec<(u8, u32, Vec<u8>)>, StoreError> {
        let rows =
            sqlx::query("SELECT level, position, bytes FROM shown WHERE inquiry = $1 ORDER BY level DESC, position")
                .bind(inquiry.to_bytes().to_vec())
                .fetch_all(&self.pool)
                .await?;
        let part = |row: &AnyRow| {
            let level = u8::try_from(number(row, "level")?).map_err(|_| StoreError::Malformed("level"))?;
            let index = u32::try_from(number(row, "position")?).map_err(|_| StoreError::Malformed("position"))?;
            Ok((level, index, row.try_get("bytes")?))
        };
        rows.iter().map(part).collect()
    }

    /// Forgets an inquiry that is over.
    pub async fn forget_shown(&self, inquiry: &Pubkey) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM shown WHERE inquiry = $1")
            .bind(inquiry.to_bytes().to_vec())
            .execute(&self.pool)
            .await?;
        Ok(())
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
        fraud: Fraud::restore(number(row, "fraud")?, row.try_get("evidence")?).ok_or(StoreError::Malformed("fraud"))?,
        witness_key: hash(row, "witness_key")?,
        over: number(row, "over")? == 1,
    })
}
