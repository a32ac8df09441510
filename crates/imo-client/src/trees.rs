//! The append-only trees of a lane, what was asked and what was answered (`docs/protocol.md`, 1.4), and the allow-list of an offering.
//!
//! Every node is kept, so that appending costs a path and any leaf's path can be shown later.

use anchor_lang::prelude::Pubkey;
use imo_protocol::{Receipt, Request};
use model_token::{instructions::Allowance, math::allowlist::allowance_leaf};
use opml::{Hash, PAD, merkle};

/// Why a leaf does not fit a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    #[error("The next sequence of this tree is {expected}, but {found} was given.")]
    Sequence { expected: u64, found: u64 },
    #[error("The tree is full.")]
    Full,
}

/// All requests of a lane, from sequence 0.
#[derive(Clone, Debug, Default)]
pub struct RequestTree(AppendTree);

impl RequestTree {
    /// Appends the next request.
    pub fn push(&mut self, request: &Request) -> Result<(), TreeError> {
        expect_sequence(self.count(), request.sequence)?;
        self.0.push(request.leaf().map_err(|_| TreeError::Full)?)
    }

    /// Requests so far, which is the sequence of the next.
    pub fn count(&self) -> u64 {
        self.0.count()
    }

    /// What a voucher over all requests so far signs.
    pub fn root(&self) -> Hash {
        self.0.root()
    }

    /// The siblings on the way up from a request; `None` when there is no such request.
    pub fn path(&self, sequence: u64) -> Option<Vec<Hash>> {
        self.0.path(u32::try_from(sequence).ok()?)
    }
}

/// The receipts of one Collection, from its first sequence.
#[derive(Clone, Debug)]
pub struct ReceiptTree {
    first_sequence: u64,
    tree: AppendTree,
}

impl ReceiptTree {
    /// The empty tree of a Collection that starts where the lane last ended.
    pub fn new(first_sequence: u64) -> Self {
        Self {
            first_sequence,
            tree: AppendTree::default(),
        }
    }

    /// The tree over receipts in the order of their sequences.
    pub fn over(first_sequence: u64, receipts: &[Receipt]) -> Result<Self, TreeError> {
        let mut tree = Self::new(first_sequence);
        receipts.iter().try_for_each(|receipt| tree.push(receipt))?;
        Ok(tree)
    }

    /// Appends the next receipt.
    pub fn push(&mut self, receipt: &Receipt) -> Result<(), TreeError> {
        expect_sequence(self.first_sequence + self.tree.count(), receipt.sequence)?;
        self.tree
            .push(receipt.leaf(self.first_sequence).map_err(|_| TreeError::Full)?)
    }

    pub fn first_sequence(&self) -> u64 {
        self.first_sequence
    }

    pub fn count(&self) -> u64 {
        self.tree.count()
    }

    /// What `collect` states.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The node at `index` of `level`; padding, and whatever lies outside, is `PAD`.
    pub fn node(&self, level: u8, index: u32) -> Hash {
        self.tree.node(level.into(), index as usize)
    }

    /// The siblings on the way up from the receipt at `index`; `None` when there is no such receipt.
    pub fn path(&self, index: u32) -> Option<Vec<Hash>> {
        self.tree.path(index)
    }
}

/// The wallets that may commit to an offering, each with the most that it may commit.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    entries: Vec<(Pubkey, u64)>,
    tree: AppendTree,
}

impl AllowList {
    /// The list of these wallets and caps in units of the payment mint, 0 for no cap of its own.
    pub fn over(entries: &[(Pubkey, u64)]) -> Result<Self, TreeError> {
        let mut tree = AppendTree::default();
        for (index, (wallet, cap_units)) in (0..).zip(entries) {
            tree.push(allowance_leaf(index, &wallet.to_bytes(), *cap_units))?;
        }
        Ok(Self {
            entries: entries.to_vec(),
            tree,
        })
    }

    /// What the offering is opened with.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// What the offering is opened with, besides the root.
    pub fn count(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// What a wallet shows when it commits: its first place on the list, or `None` when it has none.
    pub fn allowance(&self, wallet: &Pubkey) -> Option<Allowance> {
        let found = self.entries.iter().position(|(listed, _)| listed == wallet)?;
        let index = u32::try_from(found).ok()?;
        let (_, cap_units) = self.entries.get(found)?;
        Some(Allowance {
            index,
            cap_units: *cap_units,
            path: self.tree.path(index)?,
        })
    }
}

fn expect_sequence(expected: u64, found: u64) -> Result<(), TreeError> {
    if expected == found {
        Ok(())
    } else {
        Err(TreeError::Sequence { expected, found })
    }
}

/// A list tree with all its nodes. Level 0 is the leaves; padding is not stored.
#[derive(Clone, Debug, Default)]
struct AppendTree {
    levels: Vec<Vec<Hash>>,
}

impl AppendTree {
    fn push(&mut self, leaf: Hash) -> Result<(), TreeError> {
        let index = u32::try_from(self.count()).map_err(|_| TreeError::Full)?;
        let count = index.checked_add(1).ok_or(TreeError::Full)?;
        self.set(0, index as usize, leaf);
        let mut index = index as usize;
        for level in 0..usize::from(merkle::depth(count)) {
            index >>= 1;
            let node = merkle::parent(&self.node(level, 2 * index), &self.node(level, 2 * index + 1));
            self.set(level + 1, index, node);
        }
        Ok(())
    }

    /// Replaces the last node of a level or appends one.
    fn set(&mut self, level: usize, index: usize, node: Hash) {
        if level == self.levels.len() {
            self.levels.push(Vec::new());
        }
        let nodes = &mut self.levels[level];
        match nodes.get_mut(index) {
            Some(old) => *old = node,
            None => nodes.push(node),
        }
    }

    fn node(&self, level: usize, index: usize) -> Hash {
        self.levels
            .get(level)
            .and_then(|nodes| nodes.get(index))
            .copied()
            .unwrap_or(PAD)
    }

    fn count(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    fn root(&self) -> Hash {
        self.levels
            .last()
            .and_then(|nodes| nodes.first())
            .copied()
            .unwrap_or(PAD)
    }

    fn path(&self, index: u32) -> Option<Vec<Hash>> {
        if u64::from(index) >= self.count() {
            return None;
        }
        let depth = self.levels.len() - 1;
        Some(
            (0..depth)
                .map(|level| self.node(level, (index as usize >> level) ^ 1))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opml::{Claim, Frontier};

    fn receipt(sequence: u64) -> Receipt {
        let claim = Claim {
            model_root: [1; 32],
            input_root: [2; 32],
            output_root: [sequence as u8; 32],
        };
        Receipt {
            lane: Pubkey::new_from_array([3; 32]),
            sequence,
            claim,
            salt: [4; 32],
        }
    }

    fn request(sequence: u64) -> Request {
        Request {
            lane: Pubkey::new_from_array([3; 32]),
            sequence,
            model_root: [1; 32],
            input_root: [2; 32],
            price_units: sequence,
            salt: [4; 32],
        }
    }

    #[test]
    fn given_receipts_when_appended_then_every_root_and_path_is_that_of_the_list() {
        let first = 5;
        let mut tree = ReceiptTree::new(first);
        let mut frontier = Frontier::new();
        assert_eq!(tree.root(), PAD);
        for index in 0..40u32 {
            let receipt = receipt(first + u64::from(index));
            tree.push(&receipt).unwrap();
            assert!(frontier.push(receipt.leaf(first).unwrap()));
            assert_eq!(tree.root(), frontier.root());
            for shown in 0..=index {
                let leaf = self::receipt(first + u64::from(shown)).leaf(first).unwrap();
                let path = tree.path(shown).unwrap();
                assert!(merkle::verify_path(
                    &tree.root(),
                    &leaf,
                    shown,
                    index + 1,
                    path.as_flattened()
                ));
            }
            assert_eq!(tree.path(index + 1), None);
        }
    }

    #[test]
    fn given_requests_when_appended_then_the_root_is_that_of_the_list() {
        let mut tree = RequestTree::default();
        let mut frontier = Frontier::new();
        for sequence in 0..9 {
            tree.push(&request(sequence)).unwrap();
            assert!(frontier.push(request(sequence).leaf().unwrap()));
            assert_eq!((tree.count(), tree.root()), (sequence + 1, frontier.root()));
        }
        let leaf = request(3).leaf().unwrap();
        assert!(merkle::verify_path(
            &tree.root(),
            &leaf,
            3,
            9,
            tree.path(3).unwrap().as_flattened()
        ));
    }

    #[test]
    fn given_a_list_when_a_wallet_shows_its_place_then_it_is_allowed_and_no_other_is() {
        let wallets: Vec<(Pubkey, u64)> = (1..=5)
            .map(|number| (Pubkey::new_from_array([number; 32]), u64::from(number) * 10))
            .collect();
        let list = AllowList::over(&wallets).unwrap();
        let (root, count) = (list.root(), list.count());
        for (wallet, cap) in &wallets {
            let Allowance { index, cap_units, path } = list.allowance(wallet).unwrap();
            assert_eq!(cap_units, *cap);
            let is_allowed = |wallet: &Pubkey| {
                model_token::math::allowlist::is_allowed(&root, count, index, &wallet.to_bytes(), *cap, &path)
            };
            assert!(is_allowed(wallet));
            assert!(!is_allowed(&Pubkey::new_from_array([9; 32])));
        }
        assert_eq!(list.allowance(&Pubkey::new_from_array([9; 32])), None);
    }

    #[test]
    fn given_a_gap_when_appended_then_refused_and_nothing_changes() {
        let mut tree = ReceiptTree::over(5, &[receipt(5), receipt(6)]).unwrap();
        let root = tree.root();
        assert_eq!(
            tree.push(&receipt(8)),
            Err(TreeError::Sequence { expected: 7, found: 8 })
        );
        assert_eq!(
            tree.push(&receipt(6)),
            Err(TreeError::Sequence { expected: 7, found: 6 })
        );
        assert_eq!((tree.count(), tree.root()), (2, root));
    }
}
