//! A model's outputs and their trees, as one side has them, and how each side plays.

use anchor_lang::prelude::Pubkey;
use imo_protocol::Now;
use opml::{Hash, Layout, PAD, TensorSpec, claim::trace_leaf, merkle};

use super::TERMS;
use crate::game::{Game, Phase, Refusal, Tree, check_trace_root, whole_trace_root};

/// All nodes of a tree, leaves first.
#[derive(Clone, Debug)]
pub struct Nodes(Vec<Vec<Hash>>);

impl Nodes {
    /// The tree over `leaves`, which are filled up with padding; a `lie` replaces the node at (level, index).
    pub fn over(mut leaves: Vec<Hash>, depth: u8, lies: &[(u8, u32, Hash)]) -> Self {
        leaves.resize(1 << depth, PAD);
        let mut levels = vec![leaves];
        for level in 0..=depth {
            let nodes = levels.last_mut().unwrap();
            for (_, index, lie) in lies.iter().filter(|lie| lie.0 == level) {
                nodes[*index as usize] = *lie;
            }
            let parents = nodes
                .chunks(2)
                .map(|pair| merkle::parent(&pair[0], &pair[pair.len() - 1]));
            let parents: Vec<Hash> = parents.collect();
            if level < depth {
                levels.push(parents);
            }
        }
        Self(levels)
    }

    pub fn depth(&self) -> u8 {
        u8::try_from(self.0.len() - 1).unwrap()
    }

    pub fn root(&self) -> Hash {
        self.0[self.0.len() - 1][0]
    }

    pub fn at(&self, level: u8, index: u32) -> Hash {
        self.0[usize::from(level)][index as usize]
    }

    pub fn path(&self, leaf: u32) -> Vec<u8> {
        (0..self.depth())
            .flat_map(|level| self.at(level, (leaf >> level) ^ 1))
            .collect()
    }
}

/// One node's output: what it holds and what it was committed to as.
#[derive(Clone, Debug)]
pub struct Output {
    pub spec: TensorSpec,
    pub bytes: Vec<u8>,
    pub tree: Nodes,
}

impl Output {
    pub fn new(spec: TensorSpec, bytes: Vec<u8>, lies: &[(u8, u32, Hash)]) -> Self {
        let leaves = (0..1 << spec.depth())
            .map(|leaf| match spec.tile_range(leaf) {
                Some(range) => spec.tile_leaf(leaf, &bytes[range]).unwrap(),
                None => PAD,
            })
            .collect();
        let tree = Nodes::over(leaves, spec.depth(), lies);
        Self { spec, bytes, tree }
    }

    pub fn tile(&self, leaf: u32) -> &[u8] {
        &self.bytes[self.spec.tile_range(leaf).unwrap()]
    }
}

/// A whole run of a model, as one side has or claims it.
#[derive(Clone, Debug)]
pub struct Run {
    pub outputs: Vec<Output>,
    /// Leaf `i` is the root that the trace has for node `i`: that of its output unless it is a lie.
    pub roots: Vec<Hash>,
    pub trace: Nodes,
}

impl Run {
    /// `root_lies` replace roots of outputs, `lies` nodes of the trace tree.
    pub fn new(outputs: Vec<Output>, root_lies: &[(u32, Hash)], lies: &[(u8, u32, Hash)]) -> Self {
        let mut roots: Vec<Hash> = outputs.iter().map(|output| output.tree.root()).collect();
        for (node, lie) in root_lies {
            roots[*node as usize] = *lie;
        }
        let leaves = (0u32..)
            .zip(&roots)
            .map(|(node, root)| trace_leaf(node, root))
            .collect();
        let depth = merkle::depth(u32::try_from(roots.len()).unwrap());
        let trace = Nodes::over(leaves, depth, lies);
        Self { outputs, roots, trace }
    }

    pub fn node_count(&self) -> u32 {
        u32::try_from(self.outputs.len()).unwrap()
    }

    pub fn output_root(&self) -> Hash {
        *self.roots.last().unwrap()
    }

    /// What the side has at a place of the game: roots of outputs at the bottom of the trace, else nodes.
    fn known(&self, game: &Game, level: u8, index: u32) -> Hash {
        match game.cursor.tree {
            Tree::Trace if level == 0 => self.roots.get(index as usize).copied().unwrap_or(PAD),
            Tree::Trace => self.trace.at(level, index),
            Tree::Tensor => self.outputs[game.node_index as usize].tree.at(level, index),
        }
    }

    /// What the side commits to as its trace. A small model's whole trace has no inner nodes to lie about.
    pub fn post_trace(&self, game: &mut Game, now: &Now, output_root: &Hash) -> Result<(), Refusal> {
        let digest = game.digest;
        if self.node_count() <= 16 {
            let root = whole_trace_root(self.node_count(), output_root, &self.roots)?;
            game.trace(now, &digest, true, &root, &self.roots)
        } else {
            let last = self.node_count() - 1;
            check_trace_root(
                self.node_count(),
                output_root,
                &self.trace.root(),
                &self.trace.path(last),
            )?;
            game.trace(now, &digest, true, &self.trace.root(), &[])
        }
    }

    /// The operator's answer to a demand, from this run.
    pub fn answer(&self, game: &mut Game, now: &Now) -> Result<(), Refusal> {
        let digest = game.digest;
        let cursor = game.cursor;
        if cursor.is_at_tile() {
            let output = &self.outputs[game.node_index as usize];
            return game.reveal_tile(now, &digest, output.tile(cursor.first));
        }
        let levels = cursor.level.min(4);
        let level = cursor.level - levels;
        let first = cursor.first << levels;
        let hashes: Vec<Hash> = (first..first + (1 << levels))
            .map(|index| self.known(game, level, index))
            .collect();
        game.reveal(now, &digest, &hashes)
    }

    /// The challenger's next demand, by whoever has this run: `choose` picks among the real children.
    pub fn demand(&self, game: &mut Game, now: &Now, choose: impl Fn(&[u8]) -> u8) -> Result<(), Refusal> {
        let digest = game.digest;
        let layout = match game.cursor.tree {
            Tree::Trace => Layout::list(self.node_count()),
            Tree::Tensor => self.outputs[game.node_index as usize].spec.layout(),
        };
        let real: Vec<u8> = (0..u8::try_from(game.frontier.len()).unwrap())
            .filter(|child| !layout.expected_pad(game.cursor.level, game.cursor.index(*child).unwrap()))
            .collect();
        let child = choose(&real);
        if game.cursor.is_at_trace_leaves() {
            let node = game.picked_node(child)?;
            let spec = self.outputs[node as usize].spec;
            game.demand_node(now, &digest, child, Some(&spec))
        } else {
            game.demand(now, &digest, child)
        }
    }

    /// The first child that differs from what this side computed itself.
    pub fn first_difference(&self, game: &Game, real: &[u8]) -> u8 {
        *real
            .iter()
            .find(|child| {
                let index = game.cursor.index(**child).unwrap();
                game.frontier[usize::from(**child)] != self.known(game, game.cursor.level, index)
            })
            .expect("a node that differs has a child that differs")
    }
}

/// A game in which the place has been named.
pub fn pointed(node_count: u32, now: &Now) -> Game {
    let mut game = Game::open(now, &TERMS, &Pubkey::new_from_array([7; 32]), 3, &[8; 32], node_count);
    let digest = game.digest;
    game.point(now, &digest, &[b"place"]).unwrap();
    assert_eq!(game.phase, Phase::Pointed);
    game
}
