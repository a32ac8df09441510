//! Commitments with all their levels, to take paths and reveals from.

use std::ops::RangeInclusive;

use opml::{Frontier, Hash, Layout, PAD, merkle};
use rayon::prelude::*;

use crate::tensor::Tensor;

/// Levels that one reveal goes down: 16 nodes.
pub const REVEAL_LEVELS: u8 = 4;

/// Hashes that are worth waking other threads.
const MANY: usize = 1024;

/// The root of a tensor, without keeping its tree.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    let mut frontier = Frontier::new();
    for leaf in 0..tensor.spec().tiles() {
        assert!(
            frontier.push(tensor_leaf(tensor, leaf)),
            "a tensor has at most 2^24 tiles"
        );
    }
    frontier.root()
}

fn tensor_leaf(tensor: &Tensor, leaf: u32) -> Hash {
    let tile = tensor.tile(leaf).expect("the specification has this tile");
    tensor
        .spec()
        .tile_leaf(leaf, tile)
        .expect("a tensor's tile is as long as its specification says")
}

/// So many hashes by their indices, on all cores when they are many.
fn hashes(count: usize, hash: impl Fn(usize) -> Hash + Send + Sync) -> Vec<Hash> {
    if count > MANY {
        (0..count).into_par_iter().with_min_len(MANY / 4).map(hash).collect()
    } else {
        (0..count).map(hash).collect()
    }
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
            let nodes = &levels[level];
            let next = hashes(nodes.len().div_ceil(2), |parent| {
                merkle::parent(&nodes[2 * parent], nodes.get(2 * parent + 1).unwrap_or(&PAD))
            });
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
        let tiles = tensor.spec().tiles() as usize;
        Self(Tree::list(hashes(tiles, |leaf| tensor_leaf(tensor, leaf as u32))))
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
