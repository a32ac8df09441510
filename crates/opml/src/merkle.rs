//! Binary SHA-256 Merkle trees with derived padding (`docs/protocol.md`, 1.1).
//!
//! A tree is `2^depth` leaves of which some are real and the others [`PAD`]; which is which follows from a [`Layout`] that is derived
//! from something already committed, never from a message. A level is a height: 0 is the leaves, `depth` the root.

use core::ops::RangeInclusive;

use crate::hash::{HASH_BYTES, Hash, hashv};

/// The value of every leaf that is not there, and of every subtree without a real leaf.
pub const PAD: Hash = [0; HASH_BYTES];

/// What a leaf is, hashed into it so that a leaf of one tree can never pass for a leaf of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Domain {
    TensorTile = 1,
    GraphNode = 2,
    Constant = 3,
    TraceEntry = 4,
    Request = 5,
    Receipt = 6,
    Allowance = 7,
}

const LEAF: u8 = 0;
const INNER: [u8; 1] = [1];

/// Parts that [`leaf`] takes at most, its own prefix included.
const MAX_LEAF_PARTS: usize = 10;

/// `H(0x00 ‖ domain ‖ index ‖ bytes)`, where `bytes` is the concatenation of at most nine parts (checked when compiled).
pub fn leaf<const N: usize>(domain: Domain, index: u32, bytes: &[&[u8]; N]) -> Hash {
    const { assert!(N < MAX_LEAF_PARTS) };
    let [i0, i1, i2, i3] = index.to_le_bytes();
    let prefix = [LEAF, domain as u8, i0, i1, i2, i3];
    let mut parts: [&[u8]; MAX_LEAF_PARTS] = [&[]; MAX_LEAF_PARTS];
    parts[0] = &prefix;
    parts[1..=N].copy_from_slice(bytes);
    hashv(&parts[..=N])
}

/// `PAD` when both children are, else `H(0x01 ‖ left ‖ right)`.
pub fn parent(left: &Hash, right: &Hash) -> Hash {
    if *left == PAD && *right == PAD {
        PAD
    } else {
        hashv(&[&INNER, left, right])
    }
}

/// `ceil(log2(count))`: the depth of a tree over `count` leaves. 0 for one leaf and for none.
pub const fn depth(count: u32) -> u8 {
    match count {
        0 | 1 => 0,
        _ => (32 - (count - 1).leading_zeros()) as u8,
    }
}

/// Whether `leaf` is leaf `index` of the tree of `count` leaves with this `root`: the path is exactly `depth(count)` siblings, padding
/// where the layout says padding and nowhere else.
pub fn verify_path(root: &Hash, leaf: &Hash, index: u32, count: u32, path: &[u8]) -> bool {
    Layout::list(count).root_from(index, leaf, path).as_ref() == Some(root)
}

/// The root of 1, 2, 4, 8 or 16 neighbouring nodes, or `None` for another number.
pub fn subtree_root(nodes: &[Hash]) -> Option<Hash> {
    let mut level = [PAD; 16];
    let mut len = nodes.len();
    if !len.is_power_of_two() {
        return None;
    }
    level.get_mut(..len)?.copy_from_slice(nodes);
    while len > 1 {
        len /= 2;
        for i in 0..len {
            level[i] = parent(&level[2 * i], &level[2 * i + 1]);
        }
    }
    Some(level[0])
}

/// Where the real leaves of a tree are: at its left end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    count: u32,
    depth: u8,
}

impl Layout {
    /// A tree over `count` leaves.
    pub const fn list(count: u32) -> Self {
        Self {
            count,
            depth: depth(count),
        }
    }

    /// The level of the root.
    pub const fn depth(&self) -> u8 {
        self.depth
    }

    /// Whether the node at `index` of `level` has no real leaf below it and must therefore be [`PAD`]. Whatever lies outside the tree is padding.
    pub const fn expected_pad(&self, level: u8, index: u32) -> bool {
        level > self.depth || (index as u64) << level >= self.count as u64
    }

    /// Whether `node` is what this layout allows at that place: `PAD` exactly where there is no real leaf below.
    pub fn is_canonical(&self, level: u8, index: u32, node: &Hash) -> bool {
        (*node == PAD) == self.expected_pad(level, index)
    }

    /// Whether all `nodes`, of which the first is at `first` of `level`, are canonical.
    pub fn all_canonical(&self, level: u8, first: u32, nodes: &[Hash]) -> bool {
        nodes.iter().enumerate().all(|(i, node)| {
            u32::try_from(i)
                .ok()
                .and_then(|i| first.checked_add(i))
                .is_some_and(|index| self.is_canonical(level, index, node))
        })
    }

    /// The root above `leaf`, which is real and at `index`. `None` unless the path is exactly the `depth` siblings upwards and each of them is canonical.
    pub fn root_from(&self, index: u32, leaf: &Hash, path: &[u8]) -> Option<Hash> {
        let (siblings, rest) = path.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() || siblings.len() != usize::from(self.depth) || !self.is_real(index, leaf) {
            return None;
        }
        let mut node = *leaf;
        for (level, sibling) in (0..).zip(siblings) {
            let index = index >> level;
            if !self.is_canonical(level, index ^ 1, sibling) {
                return None;
            }
            // The node itself has a real leaf below it, so that the parent is never `PAD`.
            node = if index & 1 == 0 {
                hashv(&[&INNER, &node, sibling])
            } else {
                hashv(&[&INNER, sibling, &node])
            };
        }
        Some(node)
    }

    /// Hashes in the path of neighbouring leaves: at each level the left neighbour of the first node above them when that is a right child, then the right
    /// neighbour of the last node above them when that is a left child. For one leaf these are its siblings.
    pub fn range_path_len(&self, leaves: &RangeInclusive<u32>) -> usize {
        let beside = |level| usize::from(has_left(leaves, level)) + usize::from(has_right(leaves, level));
        (0..self.depth).map(beside).sum()
    }

    /// The root above neighbouring leaves, `hashes` from the first to the last. `None` unless there are exactly as many, all of them real, and the path is exactly
    /// what [`Layout::range_path_len`] says and canonical.
    pub fn root_from_range(
        &self,
        leaves: &RangeInclusive<u32>,
        hashes: impl IntoIterator<Item = Hash>,
        path: &[u8],
    ) -> Option<Hash> {
        let (siblings, rest) = path.as_chunks::<HASH_BYTES>();
        if leaves.is_empty() || !rest.is_empty() || siblings.len() != self.range_path_len(leaves) {
            return None;
        }
        let (first, last) = (*leaves.start(), *leaves.end());
        // What stands left of the first leaf is complete, as if it had been appended.
        let mut left = Frontier::new();
        left.count = first;
        let mut beside = siblings.iter();
        for level in 0..self.depth {
            if has_left(leaves, level) {
                let sibling = beside.next()?;
                if !self.is_canonical(level, (first >> level) ^ 1, sibling) {
                    return None;
                }
                *left.complete.get_mut(usize::from(level))? = *sibling;
            }
            if has_right(leaves, level) {
                beside.next()?;
            }
        }
        let mut hashes = hashes.into_iter();
        for index in first..last {
            let hash = hashes.next().filter(|hash| self.is_real(index, hash))?;
            if !left.push(hash) {
                return None;
            }
        }
        let mut node = hashes.next().filter(|hash| self.is_real(last, hash))?;
        if hashes.next().is_some() {
            return None;
        }
        let mut beside = siblings.iter();
        for level in 0..self.depth {
            if has_left(leaves, level) {
                beside.next()?;
            }
            node = if has_right(leaves, level) {
                let sibling = beside.next()?;
                if !self.is_canonical(level, (last >> level) ^ 1, sibling) {
                    return None;
                }
                hashv(&[&INNER, &node, sibling])
            } else {
                hashv(&[&INNER, left.complete.get(usize::from(level))?, &node])
            };
        }
        Some(node)
    }

    /// Whether `leaf` may be the leaf at `index`, which is not padding.
    fn is_real(&self, index: u32, leaf: &Hash) -> bool {
        *leaf != PAD && !self.expected_pad(0, index)
    }
}

/// Whether the first node above `leaves` at `level` has a neighbour to its left under the same parent.
const fn has_left(leaves: &RangeInclusive<u32>, level: u8) -> bool {
    (*leaves.start() >> level) & 1 == 1
}

/// Whether the last node above `leaves` at `level` has a place to its right under the same parent.
const fn has_right(leaves: &RangeInclusive<u32>, level: u8) -> bool {
    (*leaves.end() >> level) & 1 == 0
}

/// Builds the root of an append-only list leaf by leaf, keeping one hash per complete subtree.
#[derive(Clone, Debug)]
pub struct Frontier {
    complete: [Hash; 32],
    count: u32,
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl Frontier {
    pub const fn new() -> Self {
        Self {
            complete: [PAD; 32],
            count: 0,
        }
    }

    /// Leaves appended so far.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Appends a leaf. `false`, and nothing changes, when the list holds `u32::MAX` leaves already.
    #[must_use]
    pub fn push(&mut self, leaf: Hash) -> bool {
        let Some(count) = self.count.checked_add(1) else {
            return false;
        };
        let mut node = leaf;
        for (level, complete) in self.complete.iter_mut().enumerate() {
            if (self.count >> level) & 1 == 0 {
                *complete = node;
                break;
            }
            node = parent(complete, &node);
        }
        self.count = count;
        true
    }

    /// The root over the leaves so far; `PAD` when there is none.
    pub fn root(&self) -> Hash {
        if self.count.is_power_of_two() {
            return self.complete[self.count.trailing_zeros() as usize];
        }
        let levels = usize::from(depth(self.count));
        self.complete
            .iter()
            .enumerate()
            .take(levels)
            .fold(PAD, |right, (level, complete)| {
                if (self.count >> level) & 1 == 1 {
                    parent(complete, &right)
                } else {
                    parent(&right, &PAD)
                }
            })
    }
}
