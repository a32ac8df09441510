//! The data game, played on real trees.

use anchor_lang::prelude::Pubkey;
use imo_protocol::{Now, Receipt};
use opml::{Claim, ElementType, Hash, PAD, TensorSpec, hashv};
use opml_runtime::{Tensor, TensorTree, Tree};
use proptest::{prelude::*, sample::Index};

use super::{AnswerForm, DataGame, DataRefusal, Geometry, RECEIPT_ANSWER_BYTES};

const RESPONSE_SLOTS: u64 = 50;
const MODEL_ROOT: Hash = [9; 32];

fn at(slot: u64) -> Now {
    Now {
        slot,
        unix: i64::try_from(slot * 2 / 5).unwrap(),
        last_restart_slot: 0,
    }
}

/// A tree, and all that whoever made it has.
#[derive(Debug)]
struct Known {
    geometry: Geometry,
    tree: Tree,
    /// What a leaf is shown as.
    leaves: Vec<Vec<u8>>,
}

impl Known {
    fn tensor(shape: &[u32]) -> Self {
        let spec = TensorSpec::new(ElementType::Int8, shape).unwrap();
        let bytes: Vec<u8> = (0..spec.byte_len()).map(|place| (place % 251) as u8).collect();
        let tensor = Tensor::new(spec, bytes).unwrap();
        let tree = TensorTree::new(&tensor).tree().clone();
        let leaves = (0..1 << spec.depth())
            .map(|leaf| tensor.tile(leaf).unwrap_or_default().to_vec())
            .collect();
        Self {
            geometry: Geometry::Tensor { spec: spec.encode() },
            tree,
            leaves,
        }
    }

    fn receipts(count: u32) -> Self {
        let lane = Pubkey::new_from_array([3; 32]);
        let first_sequence = 17;
        let part = |name: &[u8], index: u32| hashv(&[name, &index.to_le_bytes()]);
        let parts = |index| [part(b"input", index), part(b"output", index), part(b"salt", index)];
        let receipt = |index| {
            let [input_root, output_root, salt] = parts(index);
            Receipt {
                lane,
                sequence: first_sequence + u64::from(index),
                claim: Claim {
                    model_root: MODEL_ROOT,
                    input_root,
                    output_root,
                },
                salt,
            }
        };
        let leaves = (0..count).map(|index| receipt(index).leaf(first_sequence).unwrap());
        Self {
            geometry: Geometry::Receipts {
                lane,
                first_sequence,
                count,
            },
            tree: Tree::list(leaves.collect()),
            leaves: (0..count).map(|index| parts(index).concat()).collect(),
        }
    }

    fn root(&self) -> Hash {
        self.tree.root()
    }

    fn depth(&self) -> u8 {
        self.tree.depth()
    }

    /// What answers a demand for the node at (level, index).
    fn answer(&self, level: u8, index: u32) -> Vec<u8> {
        match self.geometry.answer_form(level, index).unwrap() {
            AnswerForm::Hashes { levels } => (0..1 << levels)
                .flat_map(|child| self.tree.node(level - levels, (index << levels) + child))
                .collect(),
            AnswerForm::Receipts { count } => {
                let first = (index << level) as usize;
                self.leaves[first..first + count as usize].concat()
            }
            AnswerForm::Tile { .. } => self.leaves[index as usize].clone(),
        }
    }

    fn demand(&self, game: &mut DataGame, node: (u8, u32, Hash), path: &[Hash]) -> Result<AnswerForm, DataRefusal> {
        game.demand(&at(100), RESPONSE_SLOTS, &self.root(), &self.geometry, node, path)
    }

    fn serve(&self, game: &mut DataGame, bytes: &[u8]) -> Result<(), DataRefusal> {
        game.serve(&at(100), &self.geometry, &MODEL_ROOT, bytes).map(|_| ())
    }

    /// A demand for a node, with its whole path.
    fn demand_at(&self, game: &mut DataGame, level: u8, index: u32) -> Result<AnswerForm, DataRefusal> {
        let node = (level, index, self.tree.node(level, index));
        self.demand(game, node, &self.tree.path(level, index))
    }

    /// Walks from the root to a leaf, knowing nothing but what is shown, and returns how often it asked and what it saw last.
    fn walk(&self, leaf: u32) -> (u32, Vec<u8>) {
        let mut game = DataGame::default();
        let mut node = (self.depth(), 0, self.root());
        loop {
            let form = self.demand(&mut game, node, &[]).unwrap();
            let answer = self.answer(node.0, node.1);
            self.serve(&mut game, &answer).unwrap();
            let AnswerForm::Hashes { .. } = form else {
                return (game.demands, answer);
            };
            let index = leaf >> game.frontier_level;
            let hash = game.frontier[(index - game.frontier_first) as usize];
            node = (game.frontier_level, index, hash);
        }
    }
}

#[test]
fn given_receipts_when_walked_to_one_then_hashes_stop_at_a_run_of_four() {
    let known = Known::receipts(65_536);
    let (demands, shown) = known.walk(40_001);
    // 16 levels: 16 to 12, 8, 4, 2, and the run.
    assert_eq!(demands, 5);
    assert_eq!(shown, known.leaves[40_000..40_004].concat());
}

#[test]
fn given_a_last_run_when_shown_then_only_the_receipts_that_are_there() {
    let known = Known::receipts(9);
    let mut game = DataGame::default();
    let form = known.demand_at(&mut game, 2, 2);
    assert_eq!(form, Ok(AnswerForm::Receipts { count: 1 }));
    assert_eq!(form.unwrap().byte_len() as usize, RECEIPT_ANSWER_BYTES);
    let padded = [known.leaves[8].clone(), vec![0; RECEIPT_ANSWER_BYTES]].concat();
    assert_eq!(known.serve(&mut game, &padded), Err(DataRefusal::WrongLength));
    known.serve(&mut game, &known.leaves[8].clone()).unwrap();
    assert_eq!(known.demand_at(&mut game, 2, 3), Err(DataRefusal::NoSuchNode));
}

#[test]
fn given_a_collection_of_one_when_its_root_is_demanded_then_the_receipt() {
    let known = Known::receipts(1);
    assert_eq!(known.walk(0), (1, known.leaves[0].clone()));
}

#[test]
fn given_receipts_of_another_model_lane_or_place_when_shown_then_refused() {
    let known = Known::receipts(8);
    let mut game = DataGame::default();
    known.demand_at(&mut game, 2, 1).unwrap();
    let right = known.answer(2, 1);
    let served = game
        .clone()
        .serve(&at(100), &known.geometry, &[8; 32], &right)
        .map(|_| ());
    assert_eq!(served, Err(DataRefusal::WrongPreimage));
    assert_eq!(
        known.serve(&mut game.clone(), &known.answer(2, 0)),
        Err(DataRefusal::WrongPreimage)
    );
    known.serve(&mut game, &right).unwrap();
}

#[test]
fn given_a_demand_that_waits_when_another_is_made_then_refused() {
    let known = Known::tensor(&[3, 600]);
    let mut game = DataGame::default();
    known.demand_at(&mut game, 0, 0).unwrap();
    assert_eq!(known.demand_at(&mut game, 0, 1), Err(DataRefusal::DemandPending));
}

#[test]
fn given_nothing_demanded_when_answered_or_timed_out_then_refused() {
    let known = Known::tensor(&[3, 600]);
    let mut game = DataGame::default();
    assert_eq!(known.serve(&mut game, &[]), Err(DataRefusal::NothingDemanded));
    assert_eq!(game.time_out(&at(1_000)), Err(DataRefusal::NothingDemanded));
}

#[test]
fn given_the_deadline_when_just_before_on_and_after_it_then_either_an_answer_or_a_timeout() {
    let known = Known::tensor(&[3, 600]);
    let mut game = DataGame::default();
    known.demand_at(&mut game, 0, 0).unwrap();
    let answer = known.answer(0, 0);
    for (slot, in_time) in [(149, true), (150, true), (153, false)] {
        let served = game
            .clone()
            .serve(&at(slot), &known.geometry, &MODEL_ROOT, &answer)
            .map(|_| ());
        let timed_out = game.clone().time_out(&at(slot)).map(|demanded| demanded.index);
        let expected = match in_time {
            true => (Ok(()), Err(DataRefusal::TooEarly)),
            false => (Err(DataRefusal::TooLate), Ok(0)),
        };
        assert_eq!((served, timed_out), expected, "slot {slot}");
    }
}

#[test]
fn given_nodes_shown_when_one_below_is_demanded_then_a_short_path_is_enough() {
    let known = Known::tensor(&[1 << 10, 512]);
    let mut game = DataGame::default();
    known.demand_at(&mut game, 10, 0).unwrap();
    known.serve(&mut game, &known.answer(10, 0)).unwrap();
    assert_eq!((game.frontier_level, game.frontier_first), (6, 0));
    // Leaf 200 is below node 3 of level 6.
    let node = (0, 200, known.tree.node(0, 200));
    let path = known.tree.path(0, 200);
    assert_eq!(known.demand(&mut game, node, &path[..5]), Err(DataRefusal::UnknownNode));
    known.demand(&mut game, node, &path[..6]).unwrap();
    known.serve(&mut game, &known.answer(0, 200)).unwrap();
    // A tile leaves the nodes that were shown before where they are.
    known.demand(&mut game, node, &path[..6]).unwrap();
}

#[test]
fn given_another_hash_place_or_path_when_demanded_then_unknown() {
    let known = Known::tensor(&[5, 600]);
    let mut game = DataGame::default();
    let node = |leaf| (0, leaf, known.tree.node(0, leaf));
    let path = known.tree.path(0, 4);
    let (level, index, hash) = node(4);
    for (node, path) in [
        ((level, index, [1; 32]), path.clone()),
        ((level, 5, hash), path.clone()),
        ((level, index, hash), known.tree.path(0, 5)),
        ((level, index, hash), path[..path.len() - 1].to_vec()),
        ((level, index, hash), [path.clone(), vec![PAD]].concat()),
        ((level, index, PAD), path.clone()),
    ] {
        assert_eq!(known.demand(&mut game, node, &path), Err(DataRefusal::UnknownNode));
    }
    // The tensor has six tiles.
    assert_eq!(known.demand(&mut game, node(6), &path), Err(DataRefusal::NoSuchNode));
    assert_eq!(
        known.demand(&mut game, (40, 0, known.root()), &[]),
        Err(DataRefusal::NoSuchNode)
    );
    assert_eq!(game, DataGame::default());
}

#[test]
fn given_a_root_that_is_no_tree_when_demanded_then_nobody_can_answer() {
    let known = Known::receipts(64);
    for root in [PAD, [7; 32]] {
        let mut game = DataGame::default();
        game.demand(
            &at(100),
            RESPONSE_SLOTS,
            &root,
            &known.geometry,
            (known.depth(), 0, root),
            &[],
        )
        .unwrap();
        assert_eq!(
            known.serve(&mut game, &[PAD; 16].concat()),
            Err(DataRefusal::NotCanonical)
        );
        assert_eq!(
            known.serve(&mut game, &known.answer(known.depth(), 0)),
            Err(DataRefusal::WrongPreimage)
        );
        assert_eq!(game.time_out(&at(1_000)).unwrap().hash, root);
    }
}

#[test]
fn given_a_tree_with_dirty_padding_when_the_node_above_is_demanded_then_nobody_can_answer() {
    let known = Known::receipts(5);
    let mut nodes: Vec<Hash> = (0..2).map(|index| known.tree.node(2, index)).collect();
    let dirty = opml::merkle::parent(&nodes[0], &[1; 32]);
    let mut game = DataGame::default();
    game.demand(&at(100), RESPONSE_SLOTS, &dirty, &known.geometry, (3, 0, dirty), &[])
        .unwrap();
    nodes[1] = [1; 32];
    // A real node may be anything: it is the one below that has no receipt.
    known.serve(&mut game, &nodes.concat()).unwrap();
    game.demand(&at(100), RESPONSE_SLOTS, &dirty, &known.geometry, (2, 1, [1; 32]), &[])
        .unwrap();
    assert_eq!(
        known.serve(&mut game, &known.leaves[4].clone()),
        Err(DataRefusal::WrongPreimage)
    );
}

fn known() -> impl Strategy<Value = Known> {
    prop_oneof![
        (1u32..600).prop_map(Known::receipts),
        prop::collection::vec(1u32..40, 1..=3).prop_map(|shape| Known::tensor(&shape)),
        (1u32..6, 1u32..3_000).prop_map(|(rows, cols)| Known::tensor(&[rows, cols])),
    ]
}

proptest! {
    #[test]
    fn given_any_tree_when_walked_to_any_leaf_then_shown_within_one_demand_for_four_levels(known in known(), leaf in any::<Index>()) {
        let real: Vec<u32> = (0..1u32 << known.depth())
            .filter(|leaf| !known.tree.layout().expected_pad(0, *leaf))
            .collect();
        let leaf = *leaf.get(&real);
        let (demands, shown) = known.walk(leaf);
        prop_assert!(demands <= u32::from(known.depth()).div_ceil(4) + 1);
        let expected = &known.leaves[leaf as usize];
        prop_assert!(shown.windows(expected.len()).any(|part| part == expected));
    }

    #[test]
    fn given_any_answer_when_any_byte_is_another_then_refused_without_effect(
        known in known(), level in any::<Index>(), index in any::<Index>(), place in any::<Index>(), bit in 0u8..8,
    ) {
        let level = level.index(usize::from(known.depth()) + 1) as u8;
        let real: Vec<u32> = (0..1u32 << (known.depth() - level))
            .filter(|index| !known.tree.layout().expected_pad(level, *index))
            .collect();
        let index = *index.get(&real);
        let mut game = DataGame::default();
        let form = known.demand_at(&mut game, level, index).unwrap();
        let answer = known.answer(level, index);
        prop_assert_eq!(answer.len(), form.byte_len() as usize);
        prop_assert!(answer.len() <= 512);
        let before = game.clone();
        let mut changed = answer.clone();
        changed[place.index(answer.len())] ^= 1 << bit;
        prop_assert!(known.serve(&mut game, &changed).is_err());
        prop_assert!(known.serve(&mut game, &answer[1..]).is_err());
        prop_assert_eq!(&game, &before);
        known.serve(&mut game, &answer).unwrap();
        prop_assert_eq!(game.pending, None);
    }

    #[test]
    fn given_any_place_and_path_when_demanded_then_never_accepted_unless_it_is_there(
        known in known(), level in 0u8..40, index in any::<u32>(), hash in any::<[u8; 32]>(), path in prop::collection::vec(any::<[u8; 32]>(), 0..12),
    ) {
        let mut game = DataGame::default();
        prop_assert!(known.demand(&mut game, (level, index, hash), &path).is_err());
        prop_assert_eq!(game, DataGame::default());
    }
}
