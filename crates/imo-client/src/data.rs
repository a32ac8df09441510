//! Both sides of the data game: what to demand next, and what answers a demand.

use imo_protocol::Receipt;
use opml::Hash;
use opml_oracle::{
    data_game::{AnswerForm, DemandedNode},
    state::Inquiry,
};
use opml_runtime::{Tensor, TensorTree};

use crate::trees::ReceiptTree;

/// Which node to ask for. Each is one `demand_data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Height above the leaves.
    pub level: u8,
    pub index: u32,
    pub hash: Hash,
    /// Siblings on the way to the root, or to a node that the inquiry's account knows.
    pub path: Vec<Hash>,
}

/// What to demand next on the way to leaf `leaf` of the inquiry's tree, for somebody who knows only what was shown. `None` when the tree has no such leaf, or
/// while a demand waits. After the answer to a demand whose node is of no hashes ([`is_last`]) the leaf is known.
pub fn next_demand(inquiry: &Inquiry, leaf: u32) -> Option<Demand> {
    let game = &inquiry.game;
    let layout = inquiry.geometry.layout().ok()?;
    if game.pending.is_some() || layout.expected_pad(0, leaf) {
        return None;
    }
    let level = game.frontier_level;
    let shown = (leaf >> level).checked_sub(game.frontier_first);
    let (level, index, hash) = match shown.and_then(|position| game.frontier.get(position as usize)) {
        Some(hash) => (level, leaf >> level, *hash),
        None => (layout.depth(), 0, inquiry.root),
    };
    Some(Demand {
        level,
        index,
        hash,
        path: Vec::new(),
    })
}

/// Whether the answer to a demand is leaves, and no hashes to go on from.
pub fn is_last(inquiry: &Inquiry, demand: &Demand) -> bool {
    let form = inquiry.geometry.answer_form(demand.level, demand.index);
    !matches!(form, Ok(AnswerForm::Hashes { .. }))
}

/// What somebody has who can answer an inquiry.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// The receipts of the Collection, in order, and their tree.
    Receipts(&'a ReceiptTree, &'a [Receipt]),
    /// The input or the constant.
    Tensor(&'a Tensor),
}

/// The bytes that answer the inquiry's pending demand; `None` when there is none, or when the source is not what was asked about.
pub fn answer(inquiry: &Inquiry, source: Source) -> Option<Vec<u8>> {
    let DemandedNode { level, index, .. } = inquiry.game.pending?;
    match (inquiry.geometry.answer_form(level, index).ok()?, source) {
        (AnswerForm::Hashes { levels }, Source::Receipts(tree, _)) => {
            Some(below(level, index, levels, |level, index| tree.node(level, index)))
        }
        (AnswerForm::Hashes { levels }, Source::Tensor(tensor)) => {
            let tree = TensorTree::new(tensor);
            Some(below(level, index, levels, |level, index| {
                tree.tree().node(level, index)
            }))
        }
        (AnswerForm::Receipts { count }, Source::Receipts(_, receipts)) => {
            let first = (index << level) as usize;
            let run = receipts.get(first..first + count as usize)?;
            let shown = run
                .iter()
                .map(|receipt| [receipt.claim.input_root, receipt.claim.output_root, receipt.salt].concat());
            Some(shown.collect::<Vec<_>>().concat())
        }
        (AnswerForm::Tile { .. }, Source::Tensor(tensor)) => tensor.tile(index).map(<[u8]>::to_vec),
        _ => None,
    }
}

/// All nodes `levels` below (level, index).
fn below(level: u8, index: u32, levels: u8, node: impl Fn(u8, u32) -> Hash) -> Vec<u8> {
    (0..1 << levels)
        .flat_map(|child| node(level - levels, (index << levels) + child))
        .collect()
}
