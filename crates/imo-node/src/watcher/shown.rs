//! What an operator showed of a tree on demand, checked against the root.

use std::collections::{BTreeMap, HashMap};

use anchor_lang::AnchorDeserialize;
use imo_client::data::Demand;
use imo_protocol::Receipt;
use opml::{Claim, Hash, Layout, PAD, TensorSpec, merkle};
use opml_oracle::{
    data_game::{AnswerForm, Geometry, RECEIPT_ANSWER_BYTES},
    instruction,
    state::Inquiry,
};

use crate::chain::Performed;

/// What was shown in answer to one demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPart {
    /// Height of the node that was demanded.
    pub level: u8,
    pub index: u32,
    pub bytes: Vec<u8>,
}

/// A tree as far as it was shown.
#[derive(Debug)]
pub struct Shown {
    geometry: Geometry,
    layout: Layout,
    model_root: Hash,
    nodes: HashMap<(u8, u32), Hash>,
    receipts: BTreeMap<u32, Receipt>,
    tiles: BTreeMap<u32, Vec<u8>>,
}

impl Shown {
    /// Nothing but the root. `model_root` is the report's.
    pub fn new(inquiry: &Inquiry, model_root: Hash) -> Option<Self> {
        let layout = inquiry.geometry.layout().ok()?;
        Some(Self {
            geometry: inquiry.geometry,
            layout,
            model_root,
            nodes: HashMap::from([((layout.depth(), 0), inquiry.root)]),
            receipts: BTreeMap::new(),
            tiles: BTreeMap::new(),
        })
    }

    /// Takes what was shown, in any order. What does not hash to what is known is left out.
    pub fn over(mut self, mut parts: Vec<ShownPart>) -> Self {
        parts.sort_by_key(|part| std::cmp::Reverse(part.level));
        for part in &parts {
            self.learn(part);
        }
        self
    }

    /// Whether it was new and right.
    fn learn(&mut self, part: &ShownPart) -> bool {
        self.try_learn(part).is_some()
    }

    fn try_learn(&mut self, part: &ShownPart) -> Option<()> {
        let ShownPart { level, index, bytes } = part;
        let (level, index) = (*level, *index);
        let hash = *self.nodes.get(&(level, index))?;
        let form = self.geometry.answer_form(level, index).ok()?;
        if u32::try_from(bytes.len()) != Ok(form.byte_len()) {
            return None;
        }
        match form {
            AnswerForm::Hashes { levels } => {
                let (nodes, _) = bytes.as_chunks::<32>();
                let below = level.checked_sub(levels)?;
                self.join(below, index << levels, nodes.to_vec(), levels, &hash)
            }
            AnswerForm::Receipts { .. } => {
                let first = index << level;
                let receipts: Vec<Receipt> = (first..)
                    .zip(bytes.as_chunks::<RECEIPT_ANSWER_BYTES>().0)
                    .filter_map(|(index, shown)| self.receipt(index, shown))
                    .collect();
                let first_sequence = self.first_sequence()?;
                let mut leaves = vec![PAD; 1 << level];
                for (leaf, receipt) in leaves.iter_mut().zip(&receipts) {
                    *leaf = receipt.leaf(first_sequence).ok()?;
                }
                self.join(0, first, leaves, level, &hash)?;
                self.receipts.extend((first..).zip(receipts));
                Some(())
            }
            AnswerForm::Tile { .. } => {
                let leaf = self.spec()?.tile_leaf(index, bytes).ok()?;
                (leaf == hash).then(|| self.tiles.insert(index, bytes.clone()))?;
                Some(())
            }
        }
    }

    /// Adds nodes and all between them and the one `levels` above, which they must make.
    fn join(&mut self, level: u8, first: u32, nodes: Vec<Hash>, levels: u8, top: &Hash) -> Option<()> {
        if merkle::subtree_root(&nodes)? != *top {
            return None;
        }
        let mut row = nodes;
        for up in 0..levels {
            let at = first >> up;
            self.nodes
                .extend((at..).map(|index| (level + up, index)).zip(row.iter().copied()));
            row = row.chunks(2).map(|pair| merkle::parent(&pair[0], &pair[1])).collect();
        }
        Some(())
    }

    fn receipt(&self, index: u32, shown: &[u8; RECEIPT_ANSWER_BYTES]) -> Option<Receipt> {
        let Geometry::Receipts {
            lane, first_sequence, ..
        } = self.geometry
        else {
            return None;
        };
        let ([input_root, output_root, salt], []) = shown.as_chunks::<32>() else {
            return None;
        };
        Some(Receipt {
            lane,
            sequence: first_sequence + u64::from(index),
            claim: Claim {
                model_root: self.model_root,
                input_root: *input_root,
                output_root: *output_root,
            },
            salt: *salt,
        })
    }

    fn first_sequence(&self) -> Option<u64> {
        match self.geometry {
            Geometry::Receipts { first_sequence, .. } => Some(first_sequence),
            Geometry::Tensor { .. } => None,
        }
    }

    fn spec(&self) -> Option<TensorSpec> {
        match &self.geometry {
            Geometry::Tensor { spec } => TensorSpec::decode(spec).ok(),
            Geometry::Receipts { .. } => None,
        }
    }

    pub fn receipt_at(&self, index: u32) -> Option<&Receipt> {
        self.receipts.get(&index)
    }

    /// The siblings on the way up from a leaf that was shown.
    pub fn path(&self, leaf: u32) -> Option<Vec<Hash>> {
        self.path_from(0, leaf)
    }

    fn path_from(&self, level: u8, index: u32) -> Option<Vec<Hash>> {
        (level..self.layout.depth())
            .map(|up| {
                let sibling = (index >> (up - level)) ^ 1;
                match self.layout.expected_pad(up, sibling) {
                    true => Some(PAD),
                    false => self.nodes.get(&(up, sibling)).copied(),
                }
            })
            .collect()
    }

    /// The elements of the tensor, once every tile was shown.
    pub fn tensor_bytes(&self) -> Option<Vec<u8>> {
        let whole = self.tiles.len() as u64 == u64::from(self.spec()?.tiles());
        whole.then(|| self.tiles.values().flatten().copied().collect())
    }

    /// The leaves that were not shown, of a tensor.
    pub fn missing_tiles(&self) -> impl Iterator<Item = u32> {
        let tiles = self.spec().map_or(0, |spec| spec.tiles());
        (0..tiles).filter(|tile| !self.tiles.contains_key(tile))
    }

    /// What to demand next on the way to a leaf: what is below the lowest node above it that is known.
    pub fn demand_for(&self, leaf: u32) -> Option<Demand> {
        if self.layout.expected_pad(0, leaf) {
            return None;
        }
        (0..=self.layout.depth()).find_map(|level| {
            let index = leaf >> level;
            let hash = *self.nodes.get(&(level, index))?;
            Some(Demand {
                level,
                index,
                hash,
                path: self.path_from(level, index)?,
            })
        })
    }

    /// Bytes of the answer to a demand.
    pub fn answer_bytes(&self, demand: &Demand) -> Option<u32> {
        let form = self.geometry.answer_form(demand.level, demand.index).ok()?;
        Some(form.byte_len())
    }
}

/// The answers among what was done to an inquiry, each with the place that had been demanded.
pub fn answers(inquiry: &anchor_lang::prelude::Pubkey, performed: &[Performed]) -> Vec<ShownPart> {
    let mut demanded = None;
    let mut parts = Vec::new();
    for step in performed {
        if step.program != opml_oracle::ID || !step.accounts.contains(inquiry) {
            continue;
        }
        if let Some(instruction::DemandData { level, index, .. }) = decode(&step.data) {
            demanded = Some((level, index));
        } else if let Some(instruction::ServeData { bytes }) = decode(&step.data)
            && let Some((level, index)) = demanded.take()
        {
            parts.push(ShownPart { level, index, bytes });
        }
    }
    parts
}

fn decode<T: AnchorDeserialize + anchor_lang::Discriminator>(data: &[u8]) -> Option<T> {
    T::try_from_slice(data.strip_prefix(T::DISCRIMINATOR)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::{InstructionData, prelude::Pubkey};
    use imo_client::{data, trees::ReceiptTree};
    use opml_oracle::{
        data_game::{DataGame, DemandedNode},
        state::Subject,
    };
    use opml_runtime::Tensor;

    const MODEL: Hash = [5; 32];

    fn receipts(count: u64) -> Vec<Receipt> {
        (0..count)
            .map(|number| Receipt {
                lane: Pubkey::new_from_array([1; 32]),
                sequence: 7 + number,
                claim: Claim {
                    model_root: MODEL,
                    input_root: [number as u8; 32],
                    output_root: [2; 32],
                },
                salt: [3; 32],
            })
            .collect()
    }

    fn inquiry(geometry: Geometry, root: Hash) -> Inquiry {
        let key = Pubkey::default();
        Inquiry {
            version: 1,
            bump: 0,
            report: key,
            demander: key,
            nonce: 0,
            operator: key,
            mint: key,
            subject: Subject::Receipts { collection: key },
            root,
            geometry,
            game: DataGame::default(),
            fees_units: 0,
            order: None,
            settled: false,
            payout_units: 0,
            reserved: [0; 64],
        }
    }

    /// Demands until `known` says that it is, and returns how often that was.
    fn walk(
        inquiry: &mut Inquiry,
        source: data::Source,
        leaves: &[u32],
        known: impl Fn(&Shown, u32) -> bool,
    ) -> (Shown, usize) {
        let mut shown = Shown::new(inquiry, MODEL).unwrap();
        let mut demands = 0;
        for leaf in leaves {
            while !known(&shown, *leaf) {
                let Demand { level, index, hash, .. } = shown.demand_for(*leaf).unwrap();
                inquiry.game.pending = Some(DemandedNode {
                    level,
                    index,
                    hash,
                    deadline: Default::default(),
                });
                let bytes = data::answer(inquiry, source).unwrap();
                let mut forged = bytes.clone();
                forged[0] ^= 1;
                assert!(!shown.learn(&ShownPart {
                    level,
                    index,
                    bytes: forged
                }));
                assert!(shown.learn(&ShownPart { level, index, bytes }));
                demands += 1;
            }
        }
        (shown, demands)
    }

    #[test]
    fn given_receipts_when_shown_piece_by_piece_then_known_with_their_paths_and_nothing_is_demanded_twice() {
        for (count, expected) in [(1u64, 1), (3, 1), (4, 1), (5, 3), (17, 6), (70, 28)] {
            let receipts = receipts(count);
            let tree = ReceiptTree::over(7, &receipts).unwrap();
            let geometry = Geometry::Receipts {
                lane: receipts[0].lane,
                first_sequence: 7,
                count: count as u32,
            };
            let leaves: Vec<u32> = (0..count as u32).collect();
            let source = data::Source::Receipts(&tree, &receipts);
            let mut inquiry = inquiry(geometry, tree.root());
            let (shown, demands) = walk(&mut inquiry, source, &leaves, |shown, leaf| {
                shown.receipt_at(leaf).is_some()
            });
            for leaf in leaves {
                assert_eq!(shown.receipt_at(leaf), Some(&receipts[leaf as usize]));
                assert_eq!(shown.path(leaf), tree.path(leaf));
            }
            assert_eq!(demands, expected, "{count} receipts");
        }
    }

    #[test]
    fn given_a_tensor_when_every_tile_was_shown_then_its_bytes() {
        let spec = TensorSpec::new(opml::ElementType::Int8, &[3, 1_000]).unwrap();
        let bytes: Vec<u8> = (0..3_000).map(|i| (i % 251) as u8).collect();
        let tensor = Tensor::new(spec, bytes.clone()).unwrap();
        let mut inquiry = inquiry(Geometry::Tensor { spec: spec.encode() }, tensor.root());
        let source = data::Source::Tensor(&tensor);
        let known = |shown: &Shown, leaf| !shown.missing_tiles().any(|tile| tile == leaf);
        let (shown, _) = walk(&mut inquiry, source, &[0, 1, 2, 3, 4], known);
        assert_eq!(shown.tensor_bytes(), None);
        let (shown, demands) = walk(&mut inquiry, source, &[5, 0, 1, 2, 3, 4], known);
        assert_eq!(shown.tensor_bytes(), Some(bytes));
        assert_eq!(demands, 7);
    }

    #[test]
    fn given_what_was_done_to_an_inquiry_when_read_then_answers_with_their_places_and_nothing_of_others() {
        let (mine, other) = (Pubkey::new_unique(), Pubkey::new_unique());
        let step = |inquiry, data: Vec<u8>| Performed {
            program: opml_oracle::ID,
            accounts: vec![inquiry],
            data,
        };
        let demand = |level, index| {
            let demand = instruction::DemandData {
                level,
                index,
                hash: [0; 32],
                path: vec![[1; 32]],
            };
            demand.data()
        };
        let serve = |byte| instruction::ServeData { bytes: vec![byte] }.data();
        let elsewhere = Performed {
            program: other,
            ..step(mine, serve(9))
        };
        let performed = [
            step(mine, demand(3, 1)),
            elsewhere,
            step(other, serve(8)),
            step(mine, serve(7)),
            step(mine, demand(0, 2)),
            step(mine, serve(6)),
            step(mine, demand(0, 3)),
        ];
        let part = |level, index, byte| ShownPart {
            level,
            index,
            bytes: vec![byte],
        };
        assert_eq!(answers(&mine, &performed), [part(3, 1, 7), part(0, 2, 6)]);
    }
}
