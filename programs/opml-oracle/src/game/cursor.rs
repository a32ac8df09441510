//! Where the descent is: first in the tree of the trace, then in the tree of one node's output.

use anchor_lang::prelude::{AnchorDeserialize, AnchorSerialize, InitSpace};

/// Which tree.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// The trace: a leaf is the root of a node's output. At its level 0 the frontier holds those roots, not their leaf hashes.
    Trace,
    /// A node's output: a leaf is a tile.
    Tensor,
}

/// Where the frontier is: neighbouring nodes of one level, from `first`. While an answer is due the frontier is the one node that was picked.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The tree that it is in.
    pub tree: Tree,
    /// Height above the leaves; 0 is the leaves.
    pub level: u8,
    /// Index of the frontier's first node on its level.
    pub first: u32,
}

impl Cursor {
    /// The index of the frontier's node `child`.
    pub fn index(&self, child: u8) -> Option<u32> {
        self.first.checked_add(u32::from(child))
    }

    /// Whether the frontier holds roots of nodes' outputs.
    pub fn is_at_trace_leaves(&self) -> bool {
        self.tree == Tree::Trace && self.level == 0
    }

    /// Whether the node picked is a tile, so that the tile is the only answer.
    pub fn is_at_tile(&self) -> bool {
        self.tree == Tree::Tensor && self.level == 0
    }
}
