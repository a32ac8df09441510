//! The data game (`docs/protocol.md`, 2.3): whoever wants to see what is below a root that is on chain demands it, and pays for the bytes; who has it
//! shows it. A state and its transitions, free of accounts, money and RPC.
//!
//! An answer has one form, given by the geometry of the tree: the nodes up to four levels below, a run of receipts, or a tile. What has no
//! canonical preimage cannot be answered, and not answering is silence.

mod geometry;
mod refusal;

#[cfg(test)]
mod tests;

use anchor_lang::prelude::{AnchorDeserialize, AnchorSerialize, InitSpace};
use imo_protocol::{Deadline, Now};
use opml::{Hash, PAD, merkle};

pub use {
    geometry::{AnswerForm, Geometry, RECEIPT_ANSWER_BYTES, RECEIPT_RUN_LEVEL},
    refusal::DataRefusal,
};

/// A node of the tree that somebody asked for, and until when it must be shown.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub struct DemandedNode {
    /// Height above the leaves; 0 is the leaves.
    pub level: u8,
    /// Index on its level.
    pub index: u32,
    /// What the root on chain commits to at that place.
    pub hash: [u8; 32],
    /// Until when it may be answered.
    pub deadline: Deadline,
}

/// One walk below one root: at most one demand waits for its answer.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, Default, PartialEq, Eq)]
pub struct DataGame {
    /// Demands so far.
    pub demands: u32,
    /// The demand that waits for its answer.
    pub pending: Option<DemandedNode>,
    /// Height of the nodes that were shown last.
    pub frontier_level: u8,
    /// Index of the first of them on its level.
    pub frontier_first: u32,
    /// The nodes that were shown last. A further demand may start from them, so that a deep tree needs no long paths.
    #[max_len(16)]
    pub frontier: Vec<[u8; 32]>,
}

impl DataGame {
    /// Asks for what is below the node `hash` at (level, index). `path` is the siblings upwards, as far as to the root or to one of the nodes that were
    /// shown last. Returns the form that the answer must have.
    pub fn demand(
        &mut self,
        now: &Now,
        response_slots: u64,
        root: &Hash,
        geometry: &Geometry,
        demanded: (u8, u32, Hash),
        path: &[Hash],
    ) -> Result<AnswerForm, DataRefusal> {
        if self.pending.is_some() {
            return Err(DataRefusal::DemandPending);
        }
        let (level, index, hash) = demanded;
        let form = geometry.answer_form(level, index)?;
        self.check_known(root, geometry, demanded, path)?;
        self.demands = self.demands.checked_add(1).ok_or(DataRefusal::Inconsistent)?;
        self.pending = Some(DemandedNode {
            level,
            index,
            hash,
            deadline: Deadline::after(now, response_slots),
        });
        Ok(form)
    }

    /// Shows what is below the node demanded, in exactly the form that its place has. `model_root` is the report's, which its receipts name. Returns the
    /// demand that is answered.
    pub fn serve(
        &mut self,
        now: &Now,
        geometry: &Geometry,
        model_root: &Hash,
        bytes: &[u8],
    ) -> Result<DemandedNode, DataRefusal> {
        let demanded = self.pending.ok_or(DataRefusal::NothingDemanded)?;
        let DemandedNode {
            level,
            index,
            hash,
            deadline,
        } = demanded;
        if deadline.is_past(now) {
            return Err(DataRefusal::TooLate);
        }
        let form = geometry.answer_form(level, index)?;
        if u32::try_from(bytes.len()) != Ok(form.byte_len()) {
            return Err(DataRefusal::WrongLength);
        }
        let shown = match form {
            AnswerForm::Hashes { levels } => {
                let nodes: Vec<Hash> = bytes.as_chunks().0.to_vec();
                let below = level.checked_sub(levels).ok_or(DataRefusal::Inconsistent)?;
                let first = index.checked_shl(levels.into()).ok_or(DataRefusal::Inconsistent)?;
                if !geometry.layout()?.all_canonical(below, first, &nodes) {
                    return Err(DataRefusal::NotCanonical);
                }
                if merkle::subtree_root(&nodes) != Some(hash) {
                    return Err(DataRefusal::WrongPreimage);
                }
                Some((below, first, nodes))
            }
            AnswerForm::Receipts { .. } | AnswerForm::Tile { .. } => {
                if geometry.leaves_root(level, index, model_root, bytes)? != hash {
                    return Err(DataRefusal::WrongPreimage);
                }
                None
            }
        };
        if let Some((level, first, nodes)) = shown {
            self.frontier_level = level;
            self.frontier_first = first;
            self.frontier = nodes;
        }
        self.pending = None;
        Ok(demanded)
    }

    /// Nobody answered in time. Returns the demand that was not answered.
    pub fn time_out(&mut self, now: &Now) -> Result<DemandedNode, DataRefusal> {
        let demanded = self.pending.ok_or(DataRefusal::NothingDemanded)?;
        if !demanded.deadline.is_past(now) {
            return Err(DataRefusal::TooEarly);
        }
        self.pending = None;
        Ok(demanded)
    }

    /// Refuses a node that neither the root nor the nodes shown last commit to.
    ///
    /// The root itself may be anything, also what no tree has: then nobody can show what is below, and that is for the operator to answer for.
    fn check_known(
        &self,
        root: &Hash,
        geometry: &Geometry,
        (level, index, hash): (u8, u32, Hash),
        path: &[Hash],
    ) -> Result<(), DataRefusal> {
        let layout = geometry.layout()?;
        let mut top = (level, index, hash);
        for sibling in path {
            let (level, index, node) = top;
            if node == PAD || !layout.is_canonical(level, index ^ 1, sibling) {
                return Err(DataRefusal::UnknownNode);
            }
            let above = if index & 1 == 0 {
                merkle::parent(&node, sibling)
            } else {
                merkle::parent(sibling, &node)
            };
            // Above the root there is nothing, and an index never has more bits than its level leaves it.
            let level = level
                .checked_add(1)
                .filter(|level| *level <= layout.depth())
                .ok_or(DataRefusal::UnknownNode)?;
            top = (level, index >> 1, above);
        }
        let (level, index, node) = top;
        let shown = index
            .checked_sub(self.frontier_first)
            .filter(|_| level == self.frontier_level)
            .and_then(|position| self.frontier.get(usize::try_from(position).ok()?));
        let is_root = level == layout.depth() && node == *root;
        if is_root || shown == Some(&node) {
            Ok(())
        } else {
            Err(DataRefusal::UnknownNode)
        }
    }
}
