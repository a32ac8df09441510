//! What an operator hands out with each output, and a payer keeps: the answer with its signature.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_protocol::Answer;

use crate::voucher::{SIGNATURE_BYTES, verify_signature};

/// An answer with the signature of the key that the operator serves with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedAnswer {
    pub answer: Answer,
    /// The key; the operator's account holds its SHA-256.
    pub key: Pubkey,
    /// Of [`Answer::message`].
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedAnswer {
    /// Has the Ed25519 program check the signature.
    pub fn verify_instruction(&self) -> Instruction {
        verify_signature(&self.key, &self.signature, &self.answer.message())
    }
}
