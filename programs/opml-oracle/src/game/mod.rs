//! The truth game (`docs/protocol.md`, 2.3): a state and its transitions, free of accounts, money and RPC.
//!
//! Each move takes the time, the digest of the state that it answers, and what it says; it either happens whole or is refused without effect. The
//! challenger walks to the first place in (node, tile) order where the operator's trace differs from its own: everything before it is equal, so that it can prove
//! every operand. What the operator has no canonical preimage for it cannot reveal, and not revealing loses.

mod clocks;
mod cursor;
mod phase;
mod refusal;
mod trace;

#[cfg(test)]
mod tests;

use anchor_lang::prelude::{AnchorDeserialize, AnchorSerialize, InitSpace, Pubkey};
use imo_protocol::{Now, first_digest, move_digest};
use model_token::state::DisputeTerms;
use opml::{Hash, Layout, PAD, TensorError, TensorSpec, claim::trace_leaf, hashv, merkle};

pub use {
    clocks::Clocks,
    cursor::{Cursor, Tree},
    phase::{Move, Phase, Side},
    refusal::Refusal,
    trace::{check_trace_root, whole_trace_root},
};

use crate::constants::{MAX_FRONTIER_NODES, REVEAL_LEVELS};

/// The longest that a dispute can last under these terms, in slots: each side's clock bounds the sum of its turns.
pub fn longest_dispute_slots(terms: &DisputeTerms) -> u64 {
    terms.longest_dispute_slots()
}

/// The state of a dispute's game.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, PartialEq, Eq)]
pub struct Game {
    /// How far it is; says whose turn it is.
    pub phase: Phase,
    /// How long each side may still take.
    pub clocks: Clocks,
    /// Names this state: a hash over all moves so far.
    pub digest: [u8; 32],
    /// Moves of the challenger that landed, the opening not counted.
    pub challenger_moves: u16,
    /// Answers of the operator that landed; attaching a trace that is there already is none.
    pub operator_moves: u16,
    /// Nodes of the model: leaves of the trace tree.
    pub node_count: u32,
    /// The operator's commitment to all outputs; zero until it is posted.
    pub trace_root: [u8; 32],
    /// The node that the challenger picked.
    pub node_index: u32,
    /// The `TensorSpec` of that node's output in its 18 bytes; zero until the node is picked.
    pub tensor_spec: [u8; 18],
    /// Where the frontier is.
    pub cursor: Cursor,
    /// The nodes known at the cursor.
    #[max_len(16)]
    pub frontier: Vec<[u8; 32]>,
    /// The tile that the operator revealed.
    #[max_len(512)]
    pub tile: Vec<u8>,
}

impl Game {
    /// A game that begins now. `order` makes the digest unique even when an address is used again after its dispute was closed.
    pub fn open(
        now: &Now,
        terms: &DisputeTerms,
        dispute: &Pubkey,
        order: u32,
        commitment: &Hash,
        node_count: u32,
    ) -> Self {
        let mut clocks = Clocks::new(terms.response_slots, terms.clock_slots);
        clocks.start(Side::Challenger, now);
        Self {
            phase: Phase::Opened,
            clocks,
            digest: move_digest(
                &first_digest(dispute),
                Move::Open as u8,
                &hashv(&[&order.to_le_bytes(), commitment]),
            ),
            challenger_moves: 0,
            operator_moves: 0,
            node_count,
            trace_root: PAD,
            node_index: 0,
            tensor_spec: [0; 18],
            cursor: Cursor {
                tree: Tree::Trace,
                level: merkle::depth(node_count),
                first: 0,
            },
            frontier: Vec::new(),
            tile: Vec::new(),
        }
    }

    /// The challenger names the place, which fixes the claim. The caller has opened the commitment. `payload` is what the move says.
    pub fn point(&mut self, now: &Now, expected: &Hash, payload: &[&[u8]]) -> Result<(), Refusal> {
        self.require(&[Phase::Opened], now, expected)?;
        self.land(Move::Point, payload, Phase::Pointed, now);
        Ok(())
    }

    /// Refuses evidence out of place or time, before it is looked at.
    pub fn require_unnamed(&self, now: &Now, expected: &Hash) -> Result<(), Refusal> {
        self.require(&[Phase::Opened], now, expected)
    }

    /// Instead of naming a place and walking to it, the challenger has shown fraud that needs no walk. The caller has checked it.
    pub fn prove_at_once(&mut self, now: &Now, expected: &Hash, kind: Move, payload: &[&[u8]]) -> Result<(), Refusal> {
        self.require_unnamed(now, expected)?;
        self.land(kind, payload, Phase::Proven, now);
        Ok(())
    }

    /// The operator's trace of the claim is on chain, new (`posted`) or from a sibling dispute. `roots` is every node's root when the trace is whole, else
    /// empty. The caller has checked it with [`whole_trace_root`] or [`check_trace_root`].
    pub fn trace(
        &mut self,
        now: &Now,
        expected: &Hash,
        posted: bool,
        trace_root: &Hash,
        roots: &[Hash],
    ) -> Result<(), Refusal> {
        self.require(&[Phase::Pointed], now, expected)?;
        if roots.is_empty() {
            self.cursor.level = merkle::depth(self.node_count);
            self.frontier = vec![*trace_root];
        } else {
            if roots.len() > MAX_FRONTIER_NODES || u32::try_from(roots.len()) != Ok(self.node_count) {
                return Err(Refusal::WrongRootCount);
            }
            self.cursor.level = 0;
            self.frontier = roots.to_vec();
        }
        self.trace_root = *trace_root;
        let kind = if posted { Move::PostTrace } else { Move::AttachTrace };
        self.land(kind, &[trace_root], Phase::Traced, now);
        Ok(())
    }

    /// The challenger picks a node of the frontier to see what is below it.
    pub fn demand(&mut self, now: &Now, expected: &Hash, child: u8) -> Result<(), Refusal> {
        self.require(&[Phase::Traced, Phase::Narrowed], now, expected)?;
        if self.cursor.is_at_trace_leaves() {
            return Err(Refusal::ShowTheNode);
        }
        let (index, hash) = self.pick(child)?;
        self.cursor.first = index;
        self.frontier = vec![hash];
        self.land(Move::Demand, &[&[child]], Phase::Demanded, now);
        Ok(())
    }

    /// The node of the model that `child` of the frontier is, when the frontier is leaves of the trace.
    pub fn picked_node(&self, child: u8) -> Result<u32, Refusal> {
        if !matches!(self.phase, Phase::Traced | Phase::Narrowed) {
            return Err(Refusal::WrongPhase);
        }
        if !self.cursor.is_at_trace_leaves() {
            return Err(Refusal::NotATraceLeaf);
        }
        self.pick(child).map(|(index, _)| index)
    }

    /// The challenger picks a leaf of the trace, and with it the tree of that node's output. `spec` is what the model says of it, or `None` when
    /// the node's record is malformed, which proves fraud at once: operators validate before they serve. The caller has checked the record.
    pub fn demand_node(
        &mut self,
        now: &Now,
        expected: &Hash,
        child: u8,
        spec: Option<&TensorSpec>,
    ) -> Result<(), Refusal> {
        self.require(&[Phase::Traced, Phase::Narrowed], now, expected)?;
        if !self.cursor.is_at_trace_leaves() {
            return Err(Refusal::NotATraceLeaf);
        }
        let (index, root) = self.pick(child)?;
        self.node_index = index;
        self.frontier = vec![root];
        let next = match spec {
            Some(spec) => {
                self.tensor_spec = spec.encode();
                self.cursor = Cursor {
                    tree: Tree::Tensor,
                    level: spec.depth(),
                    first: 0,
                };
                Phase::Demanded
            }
            None => {
                self.cursor.first = index;
                Phase::Proven
            }
        };
        self.land(Move::DemandNode, &[&[child]], next, now);
        Ok(())
    }

    /// Anyone shows the nodes up to four levels below the one that was picked: all of them, with padding exactly where there is nothing. At the bottom of the
    /// trace the roots themselves are shown.
    pub fn reveal(&mut self, now: &Now, expected: &Hash, hashes: &[Hash]) -> Result<(), Refusal> {
        self.require(&[Phase::Demanded], now, expected)?;
        if self.cursor.is_at_tile() {
            return Err(Refusal::TileDue);
        }
        let levels = self.cursor.level.min(REVEAL_LEVELS);
        if levels == 0 {
            return Err(Refusal::Inconsistent);
        }
        if hashes.len() != 1 << levels {
            return Err(Refusal::WrongHashCount);
        }
        let below = Cursor {
            level: self.cursor.level - levels,
            first: self
                .cursor
                .first
                .checked_shl(levels.into())
                .ok_or(Refusal::Inconsistent)?,
            ..self.cursor
        };
        if !self.layout()?.all_canonical(below.level, below.first, hashes) {
            return Err(Refusal::NotCanonical);
        }
        let known = self.frontier.first().ok_or(Refusal::Inconsistent)?;
        let root = if below.is_at_trace_leaves() {
            trace_leaves_root(below.first, hashes)
        } else {
            merkle::subtree_root(hashes)
        };
        if root.as_ref() != Some(known) {
            return Err(Refusal::WrongPreimage);
        }
        self.cursor = below;
        self.frontier = hashes.to_vec();
        self.land(Move::Reveal, &[hashes.as_flattened()], Phase::Narrowed, now);
        Ok(())
    }

    /// Anyone shows the tile that was picked, in exactly as many bytes as its place has: whoever committed to another number has no tile to reveal and loses
    /// by silence.
    pub fn reveal_tile(&mut self, now: &Now, expected: &Hash, tile: &[u8]) -> Result<(), Refusal> {
        self.require(&[Phase::Demanded], now, expected)?;
        if !self.cursor.is_at_tile() {
            return Err(Refusal::HashesDue);
        }
        let leaf = self
            .spec()?
            .tile_leaf(self.cursor.first, tile)
            .map_err(|error| match error {
                TensorError::NotCanonical => Refusal::WrongTileLength,
                _ => Refusal::Inconsistent,
            })?;
        if Some(&leaf) != self.frontier.first() {
            return Err(Refusal::WrongPreimage);
        }
        self.tile = tile.to_vec();
        self.land(Move::RevealTile, &[tile], Phase::TileKnown, now);
        Ok(())
    }

    /// Refuses a proof out of place or time, before the referee is asked.
    pub fn require_provable(&self, now: &Now, expected: &Hash) -> Result<(), Refusal> {
        self.require(&[Phase::TileKnown], now, expected)
    }

    /// The referee found element `element` of the tile wrong.
    pub fn prove(&mut self, now: &Now, expected: &Hash, element: u32) -> Result<(), Refusal> {
        self.require_provable(now, expected)?;
        self.land(Move::Prove, &[&element.to_le_bytes()], Phase::Proven, now);
        Ok(())
    }

    /// The side whose turn it was did not move, and loses. Returns the side.
    pub fn time_out(&mut self, now: &Now) -> Result<Side, Refusal> {
        let side = self.phase.turn().ok_or(Refusal::WrongPhase)?;
        if !self.clocks.is_late(now) {
            return Err(Refusal::TimeoutTooEarly);
        }
        self.phase = match side {
            Side::Operator => Phase::Proven,
            Side::Challenger => Phase::Lost,
        };
        Ok(side)
    }

    /// The specification of the picked node's output.
    pub fn spec(&self) -> Result<TensorSpec, Refusal> {
        TensorSpec::decode(&self.tensor_spec).map_err(|_| Refusal::Inconsistent)
    }

    /// Where the tree that the cursor is in has leaves.
    fn layout(&self) -> Result<Layout, Refusal> {
        match self.cursor.tree {
            Tree::Trace => Ok(Layout::list(self.node_count)),
            Tree::Tensor => Ok(self.spec()?.layout()),
        }
    }

    /// The frontier's node `child`, which is real.
    fn pick(&self, child: u8) -> Result<(u32, Hash), Refusal> {
        let hash = self.frontier.get(usize::from(child)).ok_or(Refusal::NotAPosition)?;
        let index = self.cursor.index(child).ok_or(Refusal::NotAPosition)?;
        if self.layout()?.expected_pad(self.cursor.level, index) {
            return Err(Refusal::NotAPosition);
        }
        Ok((index, *hash))
    }

    /// What every move needs: its phase, the state that it answers, and time.
    fn require(&self, phases: &[Phase], now: &Now, expected: &Hash) -> Result<(), Refusal> {
        if !phases.contains(&self.phase) {
            return Err(Refusal::WrongPhase);
        }
        if *expected != self.digest {
            return Err(Refusal::StaleDigest);
        }
        if self.clocks.is_late(now) {
            return Err(Refusal::MoveTooLate);
        }
        Ok(())
    }

    /// A move that nothing refuses any more happens: clock, count, digest, phase, the other's turn.
    fn land(&mut self, kind: Move, payload: &[&[u8]], next: Phase, now: &Now) {
        match self.phase.turn() {
            Some(Side::Challenger) => {
                self.clocks.stop(Side::Challenger, now);
                self.challenger_moves = self.challenger_moves.saturating_add(1);
            }
            Some(Side::Operator) => {
                self.clocks.stop(Side::Operator, now);
                if kind != Move::AttachTrace {
                    self.operator_moves = self.operator_moves.saturating_add(1);
                }
            }
            None => {}
        }
        self.digest = move_digest(&self.digest, kind as u8, &hashv(payload));
        self.phase = next;
        if let Some(side) = next.turn() {
            self.clocks.start(side, now);
        }
    }
}

/// The node above neighbouring leaves of the trace, given the outputs' roots that the leaves are made of.
fn trace_leaves_root(first: u32, roots: &[Hash]) -> Option<Hash> {
    let mut leaves = [PAD; MAX_FRONTIER_NODES];
    let leaves = leaves.get_mut(..roots.len())?;
    for ((index, root), leaf) in (first..).zip(roots).zip(leaves.iter_mut()) {
        if *root != PAD {
            *leaf = trace_leaf(index, root);
        }
    }
    merkle::subtree_root(leaves)
}
