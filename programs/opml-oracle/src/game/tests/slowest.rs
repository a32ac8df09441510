//! The slowest legal play, on the deepest trees there are.

use anchor_lang::prelude::Pubkey;
use imo_protocol::Deadline;
use model_token::state::DisputeTerms;
use opml::{ElementType, Hash, TensorSpec, claim::trace_leaf, merkle};
use proptest::prelude::*;

use super::{TERMS, at};
use crate::game::{Game, Phase, longest_dispute_slots};

/// The most nodes that a model has.
const NODE_COUNT: u32 = opml::model::MAX_NODES;

/// The tile at leaf 0.
const TILE: [u8; 512] = [5; 512];

/// What a reveal of each level down to leaf 0 shows, top first, in a tree of `depth` whose other nodes are made up. `bottom` is leaf 0 as it is
/// revealed, `leaf` makes the hash of a revealed leaf.
fn descent(depth: u8, bottom: Hash, leaf: impl Fn(u32, &Hash) -> Hash) -> (Hash, Vec<Vec<Hash>>) {
    let mut reveals = Vec::new();
    let mut known = bottom;
    let mut level = 0;
    // The lowest reveal is the one that is short.
    let mut levels = match depth % 4 {
        0 => depth.min(4),
        short => short,
    };
    while level < depth {
        let mut shown = vec![[0xEE; 32]; 1 << levels];
        shown[0] = known;
        let hashes: Vec<Hash> = match level {
            0 => (0u32..).zip(&shown).map(|(index, node)| leaf(index, node)).collect(),
            _ => shown.clone(),
        };
        known = merkle::subtree_root(&hashes).unwrap();
        reveals.push(shown);
        level += levels;
        levels = 4;
    }
    reveals.reverse();
    (known, reveals)
}

/// A game whose sides make every move that there is, each when `wait` says. Returns the slots from the opening to the end, and the turns.
fn play(terms: &DisputeTerms, mut wait: impl FnMut(&Deadline) -> u64) -> (u64, u64, Game) {
    // As many bytes as a tensor may have.
    let spec = TensorSpec::new(ElementType::Int32, &[1 << 24, 1 << 7]).unwrap();
    assert_eq!(spec.depth(), 24);
    let tile_leaf = spec.tile_leaf(0, &TILE).unwrap();
    let (output_root, mut tensor) = descent(24, tile_leaf, |_, hash| *hash);
    let (trace_root, mut trace) = descent(20, output_root, trace_leaf);
    trace.append(&mut tensor);
    let reveals = trace;

    let opened = 1_000;
    let mut game = Game::open(&at(opened), terms, &Pubkey::default(), 0, &[1; 32], NODE_COUNT);
    let mut turns = 0;
    let mut reveals = reveals.into_iter();
    let mut now = at(opened);
    while game.phase.turn().is_some() {
        turns += 1;
        now = at(wait(&game.clocks.deadline));
        assert!(now.slot >= game.clocks.deadline.opened_slot);
        let digest = game.digest;
        let cursor = game.cursor;
        let moved = match game.phase {
            Phase::Opened => game.point(&now, &digest, &[]),
            Phase::Pointed => game.trace(&now, &digest, true, &trace_root, &[]),
            Phase::Traced | Phase::Narrowed if cursor.is_at_trace_leaves() => {
                game.demand_node(&now, &digest, 0, Some(&spec))
            }
            Phase::Traced | Phase::Narrowed => game.demand(&now, &digest, 0),
            Phase::Demanded if cursor.is_at_tile() => game.reveal_tile(&now, &digest, &TILE),
            Phase::Demanded => game.reveal(&now, &digest, &reveals.next().unwrap()),
            Phase::TileKnown => game.prove(&now, &digest, 0),
            Phase::Proven | Phase::Lost => unreachable!(),
        };
        if moved.is_err() {
            assert!(game.clocks.is_late(&now), "{moved:?}");
            game.time_out(&now).unwrap();
        }
    }
    (now.slot - opened, turns, game)
}

/// The last slot in which a move is in time.
fn last_slot(deadline: &Deadline) -> u64 {
    (deadline.due_slot..)
        .take_while(|slot| !deadline.is_past(&at(*slot)))
        .last()
        .unwrap()
}

/// A turn of an empty clock still lasts to the end of its second.
const SLACK_SLOTS: u64 = 3;

#[test]
fn given_the_deepest_trees_when_both_sides_are_quick_then_the_move_counts_are_the_bound() {
    let (_, turns, game) = play(&TERMS, |deadline| deadline.opened_slot);
    assert_eq!(game.phase, Phase::Proven);
    // The trace, ceil(20 / 4) reveals of it, 24 / 4 of the tensor, the tile.
    assert_eq!(game.operator_moves, 1 + 5 + 6 + 1);
    // The place, a demand for each reveal and for the tile, the proof.
    assert_eq!(game.challenger_moves, 1 + 5 + 6 + 1 + 1);
    assert_eq!(turns, 27);
    assert_eq!(game.clocks.challenger_slots, TERMS.clock_slots);
    assert_eq!(game.clocks.operator_slots, TERMS.clock_slots);
}

#[test]
fn given_both_sides_when_each_move_is_made_in_the_last_legal_slot_then_the_clocks_bound_the_game() {
    let (slots, turns, game) = play(&TERMS, last_slot);
    assert_eq!(game.phase, Phase::Proven);
    assert!(slots > longest_dispute_slots(&TERMS) - TERMS.response_slots);
    assert!(slots <= longest_dispute_slots(&TERMS) + SLACK_SLOTS * turns);
}

#[test]
fn given_a_side_that_stops_when_the_other_times_it_out_then_within_the_longest_dispute() {
    for stop in 1..27 {
        let mut turn = 0;
        let (slots, turns, game) = play(&TERMS, |deadline| {
            turn += 1;
            last_slot(deadline) + u64::from(turn == stop)
        });
        assert_eq!(game.phase, if stop % 2 == 1 { Phase::Lost } else { Phase::Proven });
        assert_eq!(turns, stop);
        assert!(slots <= longest_dispute_slots(&TERMS) + SLACK_SLOTS * turns);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn given_any_terms_and_any_pace_when_played_then_never_longer_than_the_longest_dispute(
        response_slots in 1u64..5_000,
        factor in 1u64..40,
        paces in prop::collection::vec(0u64..=100, 40),
    ) {
        let terms = DisputeTerms { response_slots, clock_slots: response_slots * factor, ..TERMS };
        let mut paces = paces.iter();
        let (slots, turns, game) = play(&terms, |deadline| {
            let pace = paces.next().unwrap();
            deadline.opened_slot + (last_slot(deadline) + 1 - deadline.opened_slot) * pace / 100
        });
        prop_assert!(game.phase.turn().is_none());
        prop_assert!(slots <= longest_dispute_slots(&terms) + SLACK_SLOTS * turns);
    }
}
