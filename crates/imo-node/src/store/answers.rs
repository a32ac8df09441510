//! Signed answers of operators, for a watcher to compare.

use anchor_lang::prelude::Pubkey;
use imo_client::answer::SignedAnswer;
use imo_protocol::{Answer, question_hash};
use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, hash, number};

impl Store {
    /// Keeps an answer whose signature holds. The first one with an output stays.
    pub async fn add_answer(&self, signed: &SignedAnswer) -> Result<(), StoreError> {
        let answer = &signed.answer;
        sqlx::query(
            "INSERT INTO answers (operator, question, output_root, message, signer, signature) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (operator, question, output_root) DO NOTHING",
        )
        .bind(answer.operator.to_bytes().to_vec())
        .bind(question_hash(&answer.claim).to_vec())
        .bind(answer.claim.output_root.to_vec())
        .bind(answer.message().to_vec())
        .bind(signed.key.to_bytes().to_vec())
        .bind(signed.signature.to_vec())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How many answers of an operator are kept.
    pub async fn count_answers(&self, operator: &Pubkey) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS kept FROM answers WHERE operator = $1")
            .bind(operator.to_bytes().to_vec())
            .fetch_one(&self.pool)
            .await?;
        number(&row, "kept")
    }

    /// All answers of an operator that are kept.
    pub async fn answers_of(&self, operator: &Pubkey) -> Result<Vec<SignedAnswer>, StoreError> {
        let rows = sqlx::query("SELECT * FROM answers WHERE operator = $1")
            .bind(operator.to_bytes().to_vec())
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(signed_answer).collect()
    }

    /// Two answers to one question, for each operator and question that has two.
    pub async fn equivocations(&self) -> Result<Vec<[SignedAnswer; 2]>, StoreError> {
        let rows = sqlx::query(
            "SELECT a.* FROM answers a JOIN (SELECT operator, question FROM answers GROUP BY operator, question HAVING COUNT(*) > 1) b \
             ON a.operator = b.operator AND a.question = b.question ORDER BY a.operator, a.question, a.output_root",
        )
        .fetch_all(&self.pool)
        .await?;
        let answers: Vec<SignedAnswer> = rows.iter().map(signed_answer).collect::<Result<_, _>>()?;
        let same = |a: &SignedAnswer, b: &SignedAnswer| {
            (a.answer.operator, question_hash(&a.answer.claim)) == (b.answer.operator, question_hash(&b.answer.claim))
        };
        let pairs = answers.chunk_by(same).filter_map(|group| group.first_chunk::<2>());
        Ok(pairs.copied().collect())
    }
}

fn signed_answer(row: &AnyRow) -> Result<SignedAnswer, StoreError> {
    let message: Vec<u8> = row.try_get("message")?;
    let signature: Vec<u8> = row.try_get("signature")?;
    Ok(SignedAnswer {
        answer: Answer::parse(&message).ok_or(StoreError::Malformed("message"))?,
        key: Pubkey::new_from_array(hash(row, "signer")?),
        signature: signature.try_into().map_err(|_| StoreError::Malformed("signature"))?,
    })
}
