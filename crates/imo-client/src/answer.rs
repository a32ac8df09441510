//! What an operator hands out with each output, and a payer keeps: the answer with its signature.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_protocol::{ANSWER_BYTES, Answer};

use crate::voucher::{SIGNATURE_BYTES, verify_signature};

/// Bytes of a signed answer as it is handed on: message 208 ‖ key 32 ‖ signature 64.
pub const SIGNED_ANSWER_BYTES: usize = ANSWER_BYTES + 32 + SIGNATURE_BYTES;

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
    pub fn bytes(&self) -> Vec<u8> {
        [self.answer.message().as_slice(), self.key.as_ref(), &self.signature].concat()
    }

    /// What [`Self::bytes`] wrote; `None` for bytes of another form. The signature is not checked.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (message, rest) = bytes.split_at_checked(ANSWER_BYTES)?;
        let (key, signature) = rest.split_first_chunk::<32>()?;
        Some(Self {
            answer: Answer::parse(message)?,
            key: Pubkey::new_from_array(*key),
            signature: signature.try_into().ok()?,
        })
    }

    /// Has the Ed25519 program check the signature.
    pub fn verify_instruction(&self) -> Instruction {
        verify_signature(&self.key, &self.signature, &self.answer.message())
    }
}
