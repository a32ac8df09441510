//! What a payer asks for.

use anchor_lang::prelude::*;
use opml::{
    Hash,
    merkle::{self, Domain},
};

use crate::errors::ProtocolError;

/// Bytes of a request.
pub const REQUEST_BYTES: usize = 144;

/// The salt of questions that anyone may see.
pub const PUBLIC_SALT: [u8; 32] = [0; 32];

/// One question of a payer: leaf `sequence` of its lane's request tree, whose root each voucher signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub lane: Pubkey,
    /// Requests on this lane before this one.
    pub sequence: u64,
    pub model_root: Hash,
    pub input_root: Hash,
    /// What the payer owes for the answer, in units of the revenue mint.
    pub price_units: u64,
    /// What hides the question in the tree, chosen by the payer for this request alone; [`PUBLIC_SALT`] where nothing is hidden. The receipt
    /// repeats it.
    pub salt: [u8; 32],
}

impl Request {
    /// lane ‖ sequence ‖ model_root ‖ input_root ‖ price ‖ salt.
    pub fn bytes(&self) -> [u8; REQUEST_BYTES] {
        let Self {
            lane,
            sequence,
            model_root,
            input_root,
            price_units,
            salt,
        } = self;
        let mut bytes = [0; REQUEST_BYTES];
        bytes[..32].copy_from_slice(lane.as_ref());
        bytes[32..40].copy_from_slice(&sequence.to_le_bytes());
        bytes[40..72].copy_from_slice(model_root);
        bytes[72..104].copy_from_slice(input_root);
        bytes[104..112].copy_from_slice(&price_units.to_le_bytes());
        bytes[112..].copy_from_slice(salt);
        bytes
    }

    /// Place of this request in the lane's request tree.
    pub fn index(&self) -> Result<u32> {
        u32::try_from(self.sequence).map_err(|_| error!(ProtocolError::SequenceOutOfRange))
    }

    /// The leaf at [`index`](Self::index).
    pub fn leaf(&self) -> Result<Hash> {
        Ok(merkle::leaf(Domain::Request, self.index()?, &[&self.bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            lane: Pubkey::new_from_array([1; 32]),
            sequence: 0x0203,
            model_root: [4; 32],
            input_root: [5; 32],
            price_units: 0x0607,
            salt: [8; 32],
        }
    }

    #[test]
    fn given_a_request_when_written_then_each_field_at_its_place() {
        let mut expected = vec![1; 32];
        expected.extend([3, 2, 0, 0, 0, 0, 0, 0]);
        expected.extend([4; 32]);
        expected.extend([5; 32]);
        expected.extend([7, 6, 0, 0, 0, 0, 0, 0]);
        expected.extend([8; 32]);
        assert_eq!(request().bytes().as_slice(), expected);
    }

    #[test]
    fn given_a_request_when_hashed_then_domain_and_sequence_are_bound() {
        let mut preimage = vec![0, 5, 3, 2, 0, 0];
        preimage.extend(request().bytes());
        assert_eq!(request().leaf().unwrap(), opml::hashv(&[&preimage]));
    }

    #[test]
    fn given_a_sequence_beyond_the_tree_when_hashed_then_refused() {
        let last = Request {
            sequence: u64::from(u32::MAX),
            ..request()
        };
        assert_eq!(last.index().unwrap(), u32::MAX);
        let beyond = Request {
            sequence: u64::from(u32::MAX) + 1,
            ..request()
        };
        assert_eq!(beyond.leaf().unwrap_err(), ProtocolError::SequenceOutOfRange.into());
    }
}
