//! The receipts of a report as an operator publishes them: `GET /v1/receipts/{report}`.
//!
//! `"IMORCPTS"` 8 ‖ Collections u32 ‖ for each lane 32 ‖ first_sequence u64 ‖ count u32 ‖ for each receipt input_root 32 ‖ output_root 32 ‖ salt 32. Everything else of
//! a receipt follows from the report. Private Collections are left out. Nothing in it is trusted: whoever reads it compares the roots with the chain.

use anchor_lang::prelude::Pubkey;
use imo_protocol::Receipt;
use opml::{Claim, Hash};

const MAGIC: [u8; 8] = *b"IMORCPTS";

/// Bytes of a receipt.
const RECEIPT_BYTES: usize = 96;

/// The receipts of one Collection, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionReceipts {
    pub lane: Pubkey,
    pub first_sequence: u64,
    pub receipts: Vec<Receipt>,
}

pub fn encode(collections: &[CollectionReceipts]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend((collections.len() as u32).to_le_bytes());
    for CollectionReceipts {
        lane,
        first_sequence,
        receipts,
    } in collections
    {
        bytes.extend(lane.to_bytes());
        bytes.extend(first_sequence.to_le_bytes());
        bytes.extend((receipts.len() as u32).to_le_bytes());
        for receipt in receipts {
            bytes.extend(receipt.claim.input_root);
            bytes.extend(receipt.claim.output_root);
            bytes.extend(receipt.salt);
        }
    }
    bytes
}

/// `None` for other bytes. `model_root` is the report's.
pub fn decode(bytes: &[u8], model_root: Hash) -> Option<Vec<CollectionReceipts>> {
    let mut rest = bytes.strip_prefix(&MAGIC)?;
    let mut take = |count: usize| {
        let (taken, left) = rest.split_at_checked(count)?;
        rest = left;
        Some(taken)
    };
    let count = u32::from_le_bytes(take(4)?.try_into().ok()?);
    let mut collections = Vec::new();
    for _ in 0..count {
        let lane = Pubkey::new_from_array(take(32)?.try_into().ok()?);
        let first_sequence = u64::from_le_bytes(take(8)?.try_into().ok()?);
        let count = u32::from_le_bytes(take(4)?.try_into().ok()?) as usize;
        let (parts, []) = take(count.checked_mul(RECEIPT_BYTES)?)?.as_chunks::<RECEIPT_BYTES>() else {
            return None;
        };
        let receipts = parts.iter().zip(first_sequence..).map(|(part, sequence)| {
            let hash = |at: usize| std::array::from_fn(|byte| part[at + byte]);
            Receipt {
                lane,
                sequence,
                claim: Claim {
                    model_root,
                    input_root: hash(0),
                    output_root: hash(32),
                },
                salt: hash(64),
            }
        });
        collections.push(CollectionReceipts {
            lane,
            first_sequence,
            receipts: receipts.collect(),
        });
    }
    rest.is_empty().then_some(collections)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collection(lane: u8, count: u64) -> CollectionReceipts {
        let lane = Pubkey::new_from_array([lane; 32]);
        CollectionReceipts {
            lane,
            first_sequence: 5,
            receipts: (5..5 + count)
                .map(|sequence| Receipt {
                    lane,
                    sequence,
                    claim: Claim {
                        model_root: [1; 32],
                        input_root: [2; 32],
                        output_root: [sequence as u8; 32],
                    },
                    salt: [4; 32],
                })
                .collect(),
        }
    }

    #[test]
    fn given_receipts_when_written_and_read_then_equal_and_every_other_length_is_none() {
        let collections = [collection(1, 3), collection(2, 0), collection(3, 1)];
        let bytes = encode(&collections);
        assert_eq!(decode(&bytes, [1; 32]).unwrap(), collections);
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length], [1; 32]), None);
        }
        assert_eq!(decode(&[bytes.as_slice(), &[0]].concat(), [1; 32]), None);
    }
}
