//! What a tree looks like, and what the answer to a demand in it must be. Derived when an inquiry is opened, never stated.

use anchor_lang::prelude::{AnchorDeserialize, AnchorSerialize, InitSpace, Pubkey};
use imo_protocol::Receipt;
use opml::{Claim, Hash, Layout, PAD, TensorSpec, merkle};

use super::DataRefusal;
use crate::constants::REVEAL_LEVELS;

/// Height of the subtrees whose receipts are shown together: runs of four.
pub const RECEIPT_RUN_LEVEL: u8 = 2;

/// Bytes of one receipt in an answer: input root, output root, salt. Everything else of it is derived.
pub const RECEIPT_ANSWER_BYTES: usize = 96;

/// A tree whose root is on chain, and what its leaves are.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Geometry {
    /// The receipts of a Collection.
    Receipts {
        /// The lane that they answer on.
        lane: Pubkey,
        /// Sequence of the first one.
        first_sequence: u64,
        /// How many there are.
        count: u32,
    },
    /// The tiles of a tensor.
    Tensor {
        /// Its `TensorSpec` in its 18 bytes.
        spec: [u8; 18],
    },
}

/// The form that the answer to a demand must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// All nodes this many levels below, 32 bytes each.
    Hashes { levels: u8 },
    /// This many receipts, [`RECEIPT_ANSWER_BYTES`] each.
    Receipts { count: u32 },
    /// This many bytes of a tile.
    Tile { bytes: u32 },
}

impl AnswerForm {
    /// Bytes of the answer.
    pub fn byte_len(&self) -> u32 {
        match *self {
            Self::Hashes { levels } => 32 << levels.min(REVEAL_LEVELS),
            Self::Receipts { count } => count.saturating_mul(RECEIPT_ANSWER_BYTES as u32),
            Self::Tile { bytes } => bytes,
        }
    }
}

impl Geometry {
    /// Where the tree has leaves and where padding.
    pub fn layout(&self) -> Result<Layout, DataRefusal> {
        match self {
            Self::Receipts { count, .. } => Ok(Layout::list(*count)),
            Self::Tensor { spec } => Ok(tensor_spec(spec)?.layout()),
        }
    }

    /// What answers a demand for the node at (level, index).
    pub fn answer_form(&self, level: u8, index: u32) -> Result<AnswerForm, DataRefusal> {
        if self.layout()?.expected_pad(level, index) {
            return Err(DataRefusal::NoSuchNode);
        }
        match self {
            Self::Receipts { count, .. } if level <= RECEIPT_RUN_LEVEL => {
                let first = index.checked_shl(level.into()).ok_or(DataRefusal::Inconsistent)?;
                let left = count.checked_sub(first).ok_or(DataRefusal::Inconsistent)?;
                Ok(AnswerForm::Receipts {
                    count: left.min(1 << level),
                })
            }
            Self::Receipts { .. } => Ok(AnswerForm::Hashes {
                levels: REVEAL_LEVELS.min(level.saturating_sub(RECEIPT_RUN_LEVEL)),
            }),
            Self::Tensor { spec } if level == 0 => {
                let range = tensor_spec(spec)?.tile_range(index).ok_or(DataRefusal::NoSuchNode)?;
                Ok(AnswerForm::Tile {
                    bytes: u32::try_from(range.len()).map_err(|_| DataRefusal::Inconsistent)?,
                })
            }
            Self::Tensor { .. } => Ok(AnswerForm::Hashes {
                levels: REVEAL_LEVELS.min(level),
            }),
        }
    }

    /// The node that leaves shown in `bytes` make at (level, index): a run of receipts on the model `model_root`, or a tile.
    pub(super) fn leaves_root(
        &self,
        level: u8,
        index: u32,
        model_root: &Hash,
        bytes: &[u8],
    ) -> Result<Hash, DataRefusal> {
        match self {
            Self::Receipts {
                lane, first_sequence, ..
            } => {
                let mut leaves = [PAD; 1 << RECEIPT_RUN_LEVEL];
                let leaves = leaves.get_mut(..1 << level).ok_or(DataRefusal::Inconsistent)?;
                let first = index.checked_shl(level.into()).ok_or(DataRefusal::Inconsistent)?;
                let (shown, _) = bytes.as_chunks::<RECEIPT_ANSWER_BYTES>();
                for ((index, shown), leaf) in (first..).zip(shown).zip(leaves.iter_mut()) {
                    *leaf = receipt_leaf(lane, *first_sequence, index, model_root, shown)?;
                }
                merkle::subtree_root(leaves).ok_or(DataRefusal::Inconsistent)
            }
            Self::Tensor { spec } => tensor_spec(spec)?
                .tile_leaf(index, bytes)
                .map_err(|_| DataRefusal::WrongLength),
        }
    }
}

/// The leaf of a receipt that is shown as input root, output root and salt.
fn receipt_leaf(
    lane: &Pubkey,
    first_sequence: u64,
    index: u32,
    model_root: &Hash,
    shown: &[u8; RECEIPT_ANSWER_BYTES],
) -> Result<Hash, DataRefusal> {
    let [input_root, output_root, salt] = *shown.as_chunks().0 else {
        return Err(DataRefusal::Inconsistent);
    };
    let receipt = Receipt {
        lane: *lane,
        sequence: first_sequence
            .checked_add(u64::from(index))
            .ok_or(DataRefusal::Inconsistent)?,
        claim: Claim {
            model_root: *model_root,
            input_root,
            output_root,
        },
        salt,
    };
    receipt.leaf(first_sequence).map_err(|_| DataRefusal::Inconsistent)
}

fn tensor_spec(bytes: &[u8; 18]) -> Result<TensorSpec, DataRefusal> {
    TensorSpec::decode(bytes).map_err(|_| DataRefusal::Inconsistent)
}
