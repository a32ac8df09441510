//! Answers that an operator signed, as the Ed25519 program checks them in the same transaction.

use anchor_lang::prelude::*;
use imo_protocol::{Answer, Now, Signed, answer_key_hash, preceding_signed};
use model_token::state::Protocol;
use opml::{Claim, Hash};

use crate::{errors::OracleError, state::Operator};

/// What an operator stands by, and with which of its keys.
pub struct SignedAnswer {
    pub claim: Claim,
    pub key_hash: Hash,
}

/// The answer whose signature is checked `back` instructions before the current one. Refuses everything but an answer of this operator on this cluster, under the
/// key that it serves with or the one before it in its time.
pub fn read_answer(
    instructions_sysvar: &AccountInfo,
    back: u16,
    protocol: &Protocol,
    operator: &Account<Operator>,
    now: &Now,
) -> Result<SignedAnswer> {
    let Signed { signer, message } = preceding_signed(instructions_sysvar, back)?;
    let answer = Answer::parse(&message).ok_or(OracleError::NotAnAnswer)?;
    let expected = Answer {
        cluster: protocol.cluster,
        oracle: crate::ID,
        operator: operator.key(),
        claim: answer.claim,
    };
    require!(answer == expected, OracleError::NotAnAnswer);
    let key_hash = answer_key_hash(&signer);
    require!(operator.answers_with(&key_hash, now), OracleError::WrongAnswerKey);
    Ok(SignedAnswer {
        claim: answer.claim,
        key_hash,
    })
}
