//! The operator's trace as far as a challenger knows it.

use std::collections::HashMap;

use opml::{Hash, claim::trace_leaf, merkle};

use crate::{
    commit::Tree,
    execute::{Execution, trace_tree},
};

/// Takes what was revealed from the chain, and what was not from the own execution. A path to any node left of the first wrong one is then a path of
/// the operator's trace: where the two ways part, the 16 revealed nodes hold the operand's ancestor, and all leaves below it are equal.
#[derive(Debug, Clone)]
pub struct ClaimedTrace {
    own: Tree,
    revealed: HashMap<(u8, u32), Hash>,
}

impl ClaimedTrace {
    /// A trace that was posted whole: the output root of every node.
    pub fn whole(claimed_roots: &[Hash]) -> Self {
        Self {
            own: trace_tree(claimed_roots),
            revealed: HashMap::new(),
        }
    }

    /// A trace of which only the root is known.
    pub fn walked(own: &Execution) -> Self {
        Self {
            own: own.trace(),
            revealed: HashMap::new(),
        }
    }

    /// Notes a reveal: 1, 2, 4, 8 or 16 neighbours at `level`, the leftmost at `first`. The nodes above them up to their common ancestor follow.
    pub fn learn(&mut self, level: u8, first: u32, nodes: &[Hash]) {
        let (mut level, mut first, mut nodes) = (level, first, nodes.to_vec());
        loop {
            self.revealed
                .extend((first..).zip(&nodes).map(|(index, node)| ((level, index), *node)));
            if nodes.len() <= 1 {
                return;
            }
            nodes = nodes
                .chunks_exact(2)
                .map(|pair| merkle::parent(&pair[0], &pair[1]))
                .collect();
            (level, first) = (level + 1, first / 2);
        }
    }

    /// Notes a reveal of the bottom level, which gives the output roots rather than their leaves.
    pub fn learn_roots(&mut self, first: u32, claimed_roots: &[Hash]) {
        let layout = self.own.layout();
        let leaves: Vec<_> = (first..)
            .zip(claimed_roots)
            .map(|(index, root)| {
                if layout.expected_pad(0, index) {
                    merkle::PAD
                } else {
                    trace_leaf(index, root)
                }
            })
            .collect();
        self.learn(0, first, &leaves);
    }

    /// The claimed node at `index` of `level`.
    pub fn node(&self, level: u8, index: u32) -> Hash {
        self.revealed
            .get(&(level, index))
            .copied()
            .unwrap_or_else(|| self.own.node(level, index))
    }

    /// The claimed siblings on the way up from leaf `node_index`.
    pub fn path(&self, node_index: u32) -> Vec<Hash> {
        (0..self.own.depth())
            .map(|level| self.node(level, (node_index >> level) ^ 1))
            .collect()
    }
}
