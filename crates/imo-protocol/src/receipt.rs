//! What an operator answered.

use anchor_lang::prelude::*;
use opml::{
    Claim, Hash,
    merkle::{self, Domain},
};

use crate::errors::ProtocolError;

/// Bytes of a receipt.
pub const RECEIPT_BYTES: usize = 168;

/// One answer: leaf `sequence - first_sequence` of a Collection's receipt tree. It says nothing that whoever checks it does not derive, except
/// the claim's roots and the salt of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub lane: Pubkey,
    /// Sequence of the request that it answers.
    pub sequence: u64,
    pub claim: Claim,
    /// The request's, without which nobody can tell from the tree whether a guessed input or output is the one.
    pub salt: [u8; 32],
}

impl Receipt {
    /// lane ‖ sequence ‖ model_root ‖ input_root ‖ output_root ‖ salt.
    pub fn bytes(&self) -> [u8; RECEIPT_BYTES] {
        let Self {
            lane,
            sequence,
            claim:
                Claim {
                    model_root,
                    input_root,
                    output_root,
                },
            salt,
        } = self;
        let mut bytes = [0; RECEIPT_BYTES];
        bytes[..32].copy_from_slice(lane.as_ref());
        bytes[32..40].copy_from_slice(&sequence.to_le_bytes());
        bytes[40..72].copy_from_slice(model_root);
        bytes[72..104].copy_from_slice(input_root);
        bytes[104..136].copy_from_slice(output_root);
        bytes[136..].copy_from_slice(salt);
        bytes
    }

    /// Place of this receipt in the tree of a Collection that starts at `first_sequence`.
    pub fn index(&self, first_sequence: u64) -> Result<u32> {
        self.sequence
            .checked_sub(first_sequence)
            .and_then(|index| u32::try_from(index).ok())
            .ok_or(error!(ProtocolError::SequenceOutOfRange))
    }

    /// The leaf at [`index`](Self::index).
    pub fn leaf(&self, first_sequence: u64) -> Result<Hash> {
        Ok(merkle::leaf(
            Domain::Receipt,
            self.index(first_sequence)?,
            &[&self.bytes()],
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Receipt {
        Receipt {
            lane: Pubkey::new_from_array([1; 32]),
            sequence: 0x0203,
            claim: Claim {
                model_root: [4; 32],
                input_root: [5; 32],
                output_root: [6; 32],
            },
            salt: [7; 32],
        }
    }

    #[test]
    fn given_a_receipt_when_written_then_each_field_at_its_place() {
        let mut expected = vec![1; 32];
        expected.extend([3, 2, 0, 0, 0, 0, 0, 0]);
        expected.extend([4; 32]);
        expected.extend([5; 32]);
        expected.extend([6; 32]);
        expected.extend([7; 32]);
        assert_eq!(receipt().bytes().as_slice(), expected);
    }

    #[test]
    fn given_a_receipt_when_hashed_then_domain_and_place_are_bound() {
        let mut preimage = vec![0, 6, 3, 0, 0, 0];
        preimage.extend(receipt().bytes());
        assert_eq!(receipt().leaf(0x0200).unwrap(), opml::hashv(&[&preimage]));
    }

    #[test]
    fn given_a_sequence_before_the_first_when_hashed_then_refused() {
        assert_eq!(receipt().index(0x0203).unwrap(), 0);
        assert_eq!(
            receipt().leaf(0x0204).unwrap_err(),
            ProtocolError::SequenceOutOfRange.into()
        );
    }
}
