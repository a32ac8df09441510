//! The challenger's side.

use anchor_lang::solana_program::instruction::Instruction;
use imo_protocol::Now;
use opml::{Hash, NodeRecord, TensorSpec};
use opml_oracle::{
    game::{Cursor, Game, Phase, Side, Tree},
    state::{Dispute, Trace},
};
use opml_runtime::{
    ClaimedTrace, Execution, Model, TensorTree, search,
    witness::{self, WitnessError},
};

use crate::instructions::opml_oracle::{self as oracle, Place};

/// What the challenger does next. Each variant is one instruction of opml-oracle, except where it says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextMove {
    /// Name the place that the opening committed to.
    Point,
    /// Have the node `child` of the frontier opened.
    Demand { child: u8 },
    /// Pick a leaf of the trace, and show what the model says about that node.
    DemandNode {
        child: u8,
        node: u32,
        record: Box<NodeRecord>,
        path: Vec<Hash>,
    },
    /// Stage the witness, then have the referee recompute element `element` of the tile.
    Prove { element: u32, witness: Vec<u8> },
    /// The operator's deadline is past: end it.
    Timeout,
    /// It is the operator's turn.
    Wait,
    /// The game is over.
    Over,
}

impl NextMove {
    /// The instruction that makes the move, signed by the challenger (a timeout by anyone). `None` for a proof, which [`staging`](super::staging) cuts into
    /// transactions, and when there is nothing to do.
    pub fn instruction(&self, dispute: &Dispute, model: &Model, place: &Place) -> Option<Instruction> {
        let digest = dispute.game.digest;
        match self {
            Self::Point => Some(oracle::point(dispute, digest, place)),
            Self::Demand { child } => Some(oracle::demand(dispute, digest, *child)),
            Self::DemandNode {
                child,
                node: _,
                record,
                path,
            } => Some(oracle::demand_node(
                dispute,
                digest,
                *child,
                model.header(),
                record,
                path.clone(),
            )),
            Self::Timeout => Some(oracle::timeout(dispute)),
            Self::Prove { .. } | Self::Wait | Self::Over => None,
        }
    }
}

/// Why there is no next move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    #[error("Everything that the operator has shown equals the own execution: there is nothing to prove.")]
    NothingWrong,
    #[error("The game is about a trace whose earlier reveals were not seen: replay them first.")]
    HistoryMissing,
    #[error("The game's account holds what no legal play leads to.")]
    Inconsistent,
    #[error(transparent)]
    Witness(#[from] WitnessError),
}

/// One dispute seen by its challenger. It must see the game after every move of the operator, because a walked trace is on chain only in part.
#[derive(Debug)]
pub struct Challenge<'a> {
    model: &'a Model,
    own: &'a Execution,
    claimed: Option<ClaimedTrace>,
}

impl<'a> Challenge<'a> {
    /// `own` is the challenger's execution of the claim's input, and differs from the claim.
    pub fn new(model: &'a Model, own: &'a Execution) -> Self {
        Self {
            model,
            own,
            claimed: None,
        }
    }

    /// Notes what the operator has shown, without moving. `trace` is the trace account, if there is one.
    pub fn observe(&mut self, game: &Game, trace: Option<&Trace>) {
        if let (None, Some(trace)) = (&self.claimed, trace.filter(|trace| trace.whole)) {
            self.claimed = Some(ClaimedTrace::whole(&trace.roots));
        }
        if game.cursor.tree != Tree::Trace {
            return;
        }
        let Cursor { level, first, .. } = game.cursor;
        match game.phase {
            Phase::Traced if level == 0 => self.claimed = Some(ClaimedTrace::whole(&game.frontier)),
            Phase::Traced => {
                let mut claimed = ClaimedTrace::walked(self.own);
                claimed.learn(level, first, &game.frontier);
                self.claimed = Some(claimed);
            }
            Phase::Narrowed => match (&mut self.claimed, level) {
                (Some(claimed), 0) => claimed.learn_roots(first, &game.frontier),
                (Some(claimed), _) => claimed.learn(level, first, &game.frontier),
                (None, _) => {}
            },
            _ => {}
        }
    }

    /// What to do about the game as it is now.
    pub fn next_move(&mut self, game: &Game, trace: Option<&Trace>, now: &Now) -> Result<NextMove, ChallengeError> {
        self.observe(game, trace);
        match game.phase {
            Phase::Opened => Ok(NextMove::Point),
            Phase::Traced | Phase::Narrowed => self.narrow(game),
            Phase::TileKnown => self.prove(game),
            Phase::Proven | Phase::Lost => Ok(NextMove::Over),
            Phase::Pointed | Phase::Demanded => {
                debug_assert_eq!(game.phase.turn(), Some(Side::Operator));
                Ok(if game.clocks.is_late(now) {
                    NextMove::Timeout
                } else {
                    NextMove::Wait
                })
            }
        }
    }

    /// Picks the first node of the frontier that differs.
    fn narrow(&self, game: &Game) -> Result<NextMove, ChallengeError> {
        let Cursor { tree, level, first } = game.cursor;
        let wrong = match tree {
            Tree::Trace if level == 0 => {
                let own = self
                    .own
                    .roots()
                    .get(first as usize..)
                    .ok_or(ChallengeError::Inconsistent)?;
                own.iter().zip(&game.frontier).position(|(own, claimed)| own != claimed)
            }
            Tree::Trace => {
                let index = search::first_wrong_child(&self.own.trace(), level, first, &game.frontier);
                index.map(|index| (index - first) as usize)
            }
            Tree::Tensor => {
                let tensor = self
                    .own
                    .outputs()
                    .get(game.node_index as usize)
                    .ok_or(ChallengeError::Inconsistent)?;
                let index = search::first_wrong_child(TensorTree::new(tensor).tree(), level, first, &game.frontier);
                index.map(|index| (index - first) as usize)
            }
        };
        let child = wrong.ok_or(ChallengeError::NothingWrong)?;
        let child = u8::try_from(child).map_err(|_| ChallengeError::Inconsistent)?;
        if !game.cursor.is_at_trace_leaves() {
            return Ok(NextMove::Demand { child });
        }
        let node = first + u32::from(child);
        let record = *self
            .model
            .nodes()
            .get(node as usize)
            .ok_or(ChallengeError::Inconsistent)?;
        Ok(NextMove::DemandNode {
            child,
            node,
            record: Box::new(record),
            path: self.model.graph().path(0, node),
        })
    }

    /// Picks the first element of the tile that differs, and proves it.
    fn prove(&self, game: &Game) -> Result<NextMove, ChallengeError> {
        let claimed = self.claimed.as_ref().ok_or(ChallengeError::HistoryMissing)?;
        let tensor = self
            .own
            .outputs()
            .get(game.node_index as usize)
            .ok_or(ChallengeError::Inconsistent)?;
        let spec: &TensorSpec = tensor.spec();
        let tile_leaf = game.cursor.first;
        let own_tile = tensor.tile(tile_leaf).ok_or(ChallengeError::Inconsistent)?;
        let element =
            search::first_wrong_element(spec.element(), own_tile, &game.tile).ok_or(ChallengeError::NothingWrong)?;
        let witness = witness::build(self.model, self.own, claimed, game.node_index, tile_leaf, element)?;
        Ok(NextMove::Prove { element, witness })
    }
}
