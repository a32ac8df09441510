//! Commitments with all their levels, to take paths and reveals from.

use std::ops::RangeInclusive;

use opml::{Frontier, Hash, Layout, PAD, merkle};

use crate::tensor::Tensor;

/// Levels that one reveal goes down: 16 nodes.
pub const REVEAL_LEVELS: u8 = 4;

/// The root of a tensor, without keeping its tree.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in tensor_leaves(tensor) {
        assert!(frontier.push(leaf), "a tensor has at most 2^24 tiles");
    }
    frontier.root()
}

fn tensor_leaves(tensor: &Tensor) -> impl Iterator<Item = Hash> + '_ {
    let spec = tensor.spec();
    (0..spec.tiles()).map(|leaf| {
        let tile = tensor.tile(leaf).expect("the specification has this tile");
        spec.tile_leaf(leaf, tile)
            .expect("a tensor's tile is as long as its specification says")
    })
}

/// A Merkle tree with every level from the leaves (0) to the root (`depth`). Padding is not stored.
#[derive(Debug, Clone)]
pub struct Tree {
    layout: Layout,
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over these leaves, hashes made by [`opml::merkle::leaf`].
    pub fn list(leaves: Vec<Hash>) -> Self {
        let count = u32::try_from(leaves.len()).expect("a tree has at most 2^32 - 1 leaves");
        let layout = Layout::list(count);
        let mut levels = vec![leaves];
        for level in 0..usize::from(layout.depth()) {
            let next = levels[level]
                .chunks(2)
                .map(|pair| merkle::parent(&pair[0], pair.get(1).unwrap_or(&PAD)))
                .collect();
            levels.push(next);
        }
        Self { layout, levels }
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    pub fn depth(&self) -> u8 {
        self.layout.depth()
    }

    pub fn root(&self) -> Hash {
        self.node(self.depth(), 0)
    }

    /// The node at `index` of `level`; padding, and whatever lies outside, is `PAD`.
    pub fn node(&self, level: u8, index: u32) -> Hash {
        self.levels
            .get(usize::from(level))
            .and_then(|nodes| nodes.get(index as usize))
            .copied()
            .unwrap_or(PAD)
    }

    /// The siblings on the way up from the node at `index` of `level`.
    pub fn path(&self, level: u8, index: u32) -> Vec<Hash> {
        (level..self.depth())
            .map(|at| self.node(at, (index >> (at - level)) ^ 1))
            .collect()
    }

    /// The answer to a demand: the nodes [`REVEAL_LEVELS`] levels (fewer at the bottom) below the node at `index` of `level`.
    pub fn reveal(&self, level: u8, index: u32) -> Vec<Hash> {
        let down = level.min(REVEAL_LEVELS);
        (0..1 << down)
            .map(|child| self.node(level - down, (index << down) + child))
            .collect()
    }
}

/// The tree of a tensor's tiles.
#[derive(Debug, Clone)]
pub struct TensorTree(Tree);

impl TensorTree {
    pub fn new(tensor: &Tensor) -> Self {
        Self(Tree::list(tensor_leaves(tensor).collect()))
    }

    pub fn tree(&self) -> &Tree {
        &self.0
    }

    pub fn root(&self) -> Hash {
        self.0.root()
    }

    /// The path of a tile: `depth` hashes.
    pub fn tile_path(&self, leaf_index: u32) -> Vec<Hash> {
        self.0.path(0, leaf_index)
    }

    /// The hashes beside neighbouring tiles, in the order of [`Layout::range_path_len`].
    pub fn tiles_path(&self, leaves: &RangeInclusive<u32>) -> Vec<Hash> {
        let mut path = Vec::with_capacity(self.0.layout().range_path_len(leaves));
        for level in 0..self.0.depth() {
            let (first, last) = (leaves.start() >> level, leaves.end() >> level);
            if first & 1 == 1 {
                path.push(self.0.node(level, first ^ 1));
            }
            if last & 1 == 0 {
                path.push(self.0.node(level, last ^ 1));
            }
        }
        path
    }
}
