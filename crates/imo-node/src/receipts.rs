//! The receipts of a Collection as an operator publishes them: `GET /v1/receipts/{report}/{lane}`.
//!
//! For each receipt, in order: input_root 32 ‖ output_root 32 ‖ salt 32. All else that a receipt says is on chain: the report's model, the lane, the first sequence, the
//! count. Nothing in it is trusted: whoever reads it compares the root with the Collection's.

use imo_protocol::{Collection, Receipt};
use opml::{Claim, Hash};

/// Bytes of a receipt.
pub const RECEIPT_BYTES: usize = 96;

pub fn encode(receipts: &[Receipt]) -> Vec<u8> {
    let parts = |receipt: &Receipt| [receipt.claim.input_root, receipt.claim.output_root, receipt.salt];
    receipts.iter().flat_map(parts).flatten().collect()
}

/// How many bytes the receipts of a Collection take.
pub fn byte_len(collection: &Collection) -> usize {
    RECEIPT_BYTES * collection.count as usize
}

/// `None` for bytes of another length. `model_root` is the report's.
pub fn decode(bytes: &[u8], collection: &Collection, model_root: Hash) -> Option<Vec<Receipt>> {
    let (parts, []) = bytes.as_chunks::<RECEIPT_BYTES>() else {
        return None;
    };
    let receipts = parts.iter().zip(collection.first_sequence..).map(|(part, sequence)| {
        let hash = |at: usize| std::array::from_fn(|byte| part[at + byte]);
        Receipt {
            lane: collection.lane,
            sequence,
            claim: Claim {
                model_root,
                input_root: hash(0),
                output_root: hash(32),
            },
            salt: hash(64),
        }
    });
    (bytes.len() == byte_len(collection)).then(|| receipts.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::prelude::Pubkey;

    fn collection(count: u32) -> Collection {
        Collection {
            version: 1,
            bump: 255,
            report: Pubkey::new_from_array([1; 32]),
            lane: Pubkey::new_from_array([2; 32]),
            lane_generation: 1,
            credit: Pubkey::new_from_array([3; 32]),
            amount_units: 10,
            count,
            first_sequence: 5,
            receipts_root: [0; 32],
            requests_root: [0; 32],
            rent_payer: Pubkey::new_from_array([4; 32]),
            private: false,
            retracted: false,
            retraction_fee_units: 0,
            first_receipt: 0,
            reserved: [0; 24],
        }
    }

    #[test]
    fn given_receipts_when_written_and_read_then_equal_and_every_other_length_is_none() {
        let collection = collection(3);
        let receipts: Vec<Receipt> = (5..8u8)
            .map(|sequence| Receipt {
                lane: collection.lane,
                sequence: sequence.into(),
                claim: Claim {
                    model_root: [1; 32],
                    input_root: [2; 32],
                    output_root: [sequence; 32],
                },
                salt: [4; 32],
            })
            .collect();
        let bytes = encode(&receipts);
        assert_eq!(bytes.len(), byte_len(&collection));
        assert_eq!(decode(&bytes, &collection, [1; 32]).unwrap(), receipts);
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length], &collection, [1; 32]), None);
        }
        assert_eq!(
            decode(&[bytes.as_slice(), &[0; 96]].concat(), &collection, [1; 32]),
            None
        );
    }
}
