//! Commitments with all their levels, to take paths and reveals from.

use opml::{Frontier, Hash, Layout, PAD, merkle};

use crate::tensor::Tensor;

/// Levels that one reveal goes down: 16 nodes.
pub const REVEAL_LEVELS: u8 = 4;

/// The root of a tensor, without keeping its tree.
pub fn tensor_root(tensor: &Tensor) -> Hash {
    let spec = tensor.spec();
    let mut frontier = Frontier::new();
    for strip in 0..spec.strips() {
        let bytes = tensor.strip(strip).expect("the specification has this strip");
        let root = spec
            .strip_root(strip, bytes)
            .expect("a tensor's strips are as long as its specification says");
        assert!(frontier.push(root), "a tensor has at most 2^25 strips");
    }
    frontier.root()
}

/// A Merkle tree with every level from the leaves (0) to the root (`depth`). Padding is not stored.
#[derive(Debug, Clone)]
pub struct Tree {
    layout: Layout,
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree over `leaves`, which are those of `layout` from the first to the last real one, with the padding between.
    fn new(layout: Layout, leaves: Vec<Hash>) -> Self {
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

    /// A plain tree: a graph, weights, a trace, requests or receipts. The leaves are hashes made by [`opml::merkle::leaf`].
    pub fn list(leaves: Vec<Hash>) -> Self {
        let count = u32::try_from(leaves.len()).expect("a tree has at most 2^32 - 1 leaves");
        Self::new(Layout::list(count), leaves)
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
        let spec = tensor.spec();
        let layout = spec.layout();
        let last_strip = (spec.strips() - 1) << spec.strip_depth();
        let leaves = (0..last_strip + spec.tiles_per_strip())
            .map(|leaf| {
                tensor.tile(leaf).map_or(PAD, |tile| {
                    spec.tile_leaf(leaf, tile)
                        .expect("a tensor's tile is as long as its specification says")
                })
            })
            .collect();
        Self(Tree::new(layout, leaves))
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

    /// The path of a whole strip: `strips_depth` hashes.
    pub fn strip_path(&self, strip: u32) -> Vec<Hash> {
        self.0.path(self.0.layout().group_depth(), strip)
    }
}
