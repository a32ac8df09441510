//! The operator's side.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use opml::{Hash, PAD};
use opml_oracle::{
    constants::{MAX_WHOLE_TRACE_NODES, REVEAL_LEVELS},
    game::{Game, Phase, Side, Tree},
    state::Dispute,
};
use opml_runtime::{TensorTree, execute::trace_tree};

use super::Answer;
use crate::instructions::opml_oracle as oracle;

/// What the operator does next. Each variant but [`NextAnswer::Nothing`] is one instruction of opml-oracle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAnswer {
    /// Post the root of every node's output.
    PostTrace { roots: Vec<Hash> },
    /// Post the root of a trace that is too large to be posted whole, with the path of its last leaf.
    PostTraceRoot { trace_root: Hash, path: Vec<Hash> },
    /// Use the trace that an earlier dispute about the same claim brought.
    AttachTrace,
    /// Show the nodes below the one that was picked.
    Reveal { hashes: Vec<Hash> },
    /// Show the tile that was picked.
    RevealTile { tile: Vec<u8> },
    /// It is not the operator's turn, or the game asks for what no answer has.
    Nothing,
}

impl NextAnswer {
    /// The instruction that gives the answer. `signer` is the operator's authority or backup key and `payer` pays the trace's rent; both count for traces
    /// only, what is revealed proves itself.
    pub fn instruction(&self, dispute: &Dispute, payer: Pubkey, signer: Pubkey) -> Option<Instruction> {
        let digest = dispute.game.digest;
        match self {
            Self::PostTrace { roots } => Some(oracle::post_trace(payer, signer, dispute, digest, roots.clone())),
            Self::PostTraceRoot { trace_root, path } => Some(oracle::post_trace_root(
                payer,
                signer,
                dispute,
                digest,
                *trace_root,
                path.clone(),
            )),
            Self::AttachTrace => Some(oracle::attach_trace(dispute, digest)),
            Self::Reveal { hashes } => Some(oracle::reveal(dispute, digest, hashes.clone())),
            Self::RevealTile { tile } => Some(oracle::reveal_tile(dispute, digest, tile.clone())),
            Self::Nothing => None,
        }
    }
}

/// What to answer to the game as it is now. `trace_exists` says whether the trace account of (report, claim) is there.
pub fn next_answer(answer: &Answer, game: &Game, trace_exists: bool) -> NextAnswer {
    if game.phase.turn() != Some(Side::Operator) {
        return NextAnswer::Nothing;
    }
    match game.phase {
        Phase::Pointed if trace_exists => NextAnswer::AttachTrace,
        Phase::Pointed => post_trace(answer, game.node_count),
        _ if game.cursor.is_at_tile() => reveal_tile(answer, game).unwrap_or(NextAnswer::Nothing),
        _ => reveal(answer, game).unwrap_or(NextAnswer::Nothing),
    }
}

fn post_trace(answer: &Answer, node_count: u32) -> NextAnswer {
    let roots = answer.roots();
    if node_count <= MAX_WHOLE_TRACE_NODES {
        return NextAnswer::PostTrace { roots: roots.to_vec() };
    }
    let tree = trace_tree(roots);
    NextAnswer::PostTraceRoot {
        trace_root: tree.root(),
        path: tree.path(0, node_count - 1),
    }
}

fn reveal(answer: &Answer, game: &Game) -> Option<NextAnswer> {
    let (level, index) = (game.cursor.level, game.cursor.first);
    let hashes = match game.cursor.tree {
        Tree::Trace if level <= REVEAL_LEVELS => {
            // At the bottom of the trace the roots themselves are shown.
            let first = (index as usize) << level;
            let roots = answer.roots();
            (first..first + (1 << level))
                .map(|node| roots.get(node).copied().unwrap_or(PAD))
                .collect()
        }
        Tree::Trace => trace_tree(answer.roots()).reveal(level, index),
        Tree::Tensor => TensorTree::new(answer.outputs().get(game.node_index as usize)?)
            .tree()
            .reveal(level, index),
    };
    Some(NextAnswer::Reveal { hashes })
}

fn reveal_tile(answer: &Answer, game: &Game) -> Option<NextAnswer> {
    let tile = answer
        .outputs()
        .get(game.node_index as usize)?
        .tile(game.cursor.first)?;
    Some(NextAnswer::RevealTile { tile: tile.to_vec() })
}
