//! One rule each.

use anchor_lang::prelude::Pubkey;
use imo_protocol::{first_digest, move_digest};
use opml::{ElementType, Hash, PAD, TensorSpec, claim::trace_leaf, hashv};

use super::{
    TERMS, at,
    players::{Nodes, Output, Run, pointed},
};
use crate::game::{Game, Move, Phase, Refusal, Side, Tree, check_trace_root, whole_trace_root};

/// Ten tiles: depth 4.
fn spec() -> TensorSpec {
    TensorSpec::new(ElementType::Int8, &[2, 2_400]).unwrap()
}

fn run(node_count: u8) -> Run {
    let output = |node: u8| Output::new(spec(), vec![node; 4_800], &[]);
    Run::new((0..node_count).map(output).collect(), &[], &[])
}

fn traced(run: &Run) -> Game {
    let mut game = pointed(run.node_count(), &at(10));
    run.post_trace(&mut game, &at(10), &run.output_root()).unwrap();
    game
}

fn open(order: u32) -> Game {
    Game::open(&at(10), &TERMS, &Pubkey::new_from_array([7; 32]), order, &[8; 32], 5)
}

#[test]
fn given_the_same_address_when_opened_again_in_another_order_then_another_digest() {
    let game = open(3);
    let opening = hashv(&[&3u32.to_le_bytes(), &[8; 32]]);
    let first = first_digest(&Pubkey::new_from_array([7; 32]));
    assert_eq!(game.digest, move_digest(&first, Move::Open as u8, &opening));
    assert_ne!(game.digest, open(4).digest);
}

#[test]
fn given_a_move_when_it_lands_then_the_digest_is_that_of_the_specification() {
    let mut game = open(3);
    let before = game.digest;
    game.point(&at(11), &before, &[b"one", b"two"]).unwrap();
    assert_eq!(game.digest, move_digest(&before, 1, &hashv(&[b"onetwo"])));
    let before = game.digest;
    game.trace(&at(12), &before, false, &[6; 32], &[[1; 32]; 5]).unwrap();
    assert_eq!(game.digest, move_digest(&before, 3, &hashv(&[&[6; 32]])));
}

#[test]
fn given_another_digest_when_a_move_is_made_then_stale() {
    let mut game = open(3);
    assert_eq!(game.point(&at(11), &[0; 32], &[]), Err(Refusal::StaleDigest));
}

#[test]
fn given_an_attached_trace_when_counted_then_it_is_no_answer_of_the_operator() {
    let mut game = pointed(5, &at(10));
    let digest = game.digest;
    game.trace(&at(10), &digest, false, &[6; 32], &[[1; 32]; 5]).unwrap();
    assert_eq!((game.challenger_moves, game.operator_moves), (1, 0));
    assert_eq!(game.phase, Phase::Traced);
}

#[test]
fn given_a_small_model_when_its_trace_is_posted_then_the_first_demand_picks_the_node() {
    let run = run(5);
    let mut game = traced(&run);
    assert_eq!(game.frontier, run.roots);
    let digest = game.digest;
    assert_eq!(game.demand(&at(10), &digest, 2), Err(Refusal::ShowTheNode));
    assert_eq!(game.picked_node(2), Ok(2));
    game.demand_node(&at(10), &digest, 2, Some(&spec())).unwrap();
    assert_eq!(game.node_index, 2);
    assert_eq!(
        (game.cursor.tree, game.cursor.level, game.cursor.first),
        (Tree::Tensor, 4, 0)
    );
    assert_eq!(game.frontier, [run.roots[2]]);
    assert_eq!(game.phase.turn(), Some(Side::Operator));
}

#[test]
fn given_a_large_model_when_its_trace_is_posted_then_the_root_is_the_only_child() {
    let run = run(40);
    let mut game = traced(&run);
    let digest = game.digest;
    assert_eq!(game.frontier, [run.trace.root()]);
    assert_eq!(game.demand(&at(10), &digest, 1), Err(Refusal::NotAPosition));
    assert_eq!(game.picked_node(0), Err(Refusal::NotATraceLeaf));
    let refused = game.demand_node(&at(10), &digest, 0, Some(&spec()));
    assert_eq!(refused, Err(Refusal::NotATraceLeaf));
    game.demand(&at(10), &digest, 0).unwrap();
}

#[test]
fn given_padding_in_the_frontier_when_it_is_picked_then_not_a_position() {
    // 40 nodes: depth 6, so that the first reveal shows level 2, of which ten nodes are real.
    let run = run(40);
    let mut game = traced(&run);
    run.demand(&mut game, &at(10), |real| real[0]).unwrap();
    run.answer(&mut game, &at(10)).unwrap();
    assert_eq!(game.frontier[9], run.trace.at(2, 9));
    assert_eq!(game.frontier[10], PAD);
    let digest = game.digest;
    assert_eq!(game.demand(&at(10), &digest, 10), Err(Refusal::NotAPosition));
    assert_eq!(game.demand(&at(10), &digest, 16), Err(Refusal::NotAPosition));
    game.demand(&at(10), &digest, 9).unwrap();
}

#[test]
fn given_a_tensor_of_ten_tiles_when_padding_is_picked_then_not_a_position() {
    let run = run(5);
    let mut game = traced(&run);
    let digest = game.digest;
    game.demand_node(&at(10), &digest, 0, Some(&spec())).unwrap();
    run.answer(&mut game, &at(10)).unwrap();
    let digest = game.digest;
    for child in [10, 13, 15] {
        assert_eq!(game.demand(&at(10), &digest, child), Err(Refusal::NotAPosition));
    }
    game.demand(&at(10), &digest, 9).unwrap();
    assert!(game.cursor.is_at_tile());
}

#[test]
fn given_an_output_of_one_tile_when_its_node_is_picked_then_the_tile_is_due_at_once() {
    let spec = TensorSpec::new(ElementType::Int32, &[10]).unwrap();
    let outputs = (0..3).map(|node| Output::new(spec, vec![node; 40], &[])).collect();
    let run = Run::new(outputs, &[], &[]);
    let mut game = traced(&run);
    let digest = game.digest;
    game.demand_node(&at(10), &digest, 1, Some(&spec)).unwrap();
    let digest = game.digest;
    assert_eq!(game.reveal(&at(10), &digest, &[[1; 32]]), Err(Refusal::TileDue));
    // A tile has one length: what does not fill it has no place for zeros.
    for (tile, refusal) in [
        (vec![1; 39], Refusal::WrongTileLength),
        (vec![1; 512], Refusal::WrongTileLength),
        (vec![2; 40], Refusal::WrongPreimage),
    ] {
        assert_eq!(game.reveal_tile(&at(10), &digest, &tile), Err(refusal));
    }
    game.reveal_tile(&at(10), &digest, &[1; 40]).unwrap();
    assert_eq!(game.phase, Phase::TileKnown);
    assert_eq!(game.tile, [1; 40]);
}

#[test]
fn given_hashes_due_when_something_else_is_revealed_then_refused() {
    let run = run(5);
    let mut game = traced(&run);
    let digest = game.digest;
    game.demand_node(&at(10), &digest, 0, Some(&spec())).unwrap();
    let digest = game.digest;
    let hashes: Vec<Hash> = (0..16).map(|leaf| run.outputs[0].tree.at(0, leaf)).collect();
    assert_eq!(game.reveal_tile(&at(10), &digest, &[0; 512]), Err(Refusal::HashesDue));
    assert_eq!(
        game.reveal(&at(10), &digest, &hashes[..8]),
        Err(Refusal::WrongHashCount)
    );
    let mut dirty = hashes.clone();
    dirty[10] = [1; 32];
    assert_eq!(game.reveal(&at(10), &digest, &dirty), Err(Refusal::NotCanonical));
    let mut missing = hashes.clone();
    missing[0] = PAD;
    assert_eq!(game.reveal(&at(10), &digest, &missing), Err(Refusal::NotCanonical));
    let mut other = hashes.clone();
    other.swap(0, 1);
    assert_eq!(game.reveal(&at(10), &digest, &other), Err(Refusal::WrongPreimage));
    game.reveal(&at(10), &digest, &hashes).unwrap();
}

#[test]
fn given_a_malformed_node_when_it_is_picked_then_proven() {
    let mut game = traced(&run(5));
    let digest = game.digest;
    game.demand_node(&at(10), &digest, 1, None).unwrap();
    assert_eq!((game.phase, game.node_index), (Phase::Proven, 1));
    assert_eq!(game.time_out(&at(100_000)), Err(Refusal::WrongPhase));
}

#[test]
fn given_fraud_that_needs_no_walk_when_shown_then_proven_from_the_opening_only() {
    let mut game = open(0);
    let before = game.digest;
    let show = |game: &mut Game, digest: &Hash, slot| {
        game.prove_at_once(&at(slot), digest, Move::ProveMalformed, &[&3u32.to_le_bytes()])
    };
    assert_eq!(show(&mut game, &[0; 32], 11), Err(Refusal::StaleDigest));
    assert_eq!(show(&mut game, &before, 2_000), Err(Refusal::MoveTooLate));
    assert_eq!(game, open(0), "nothing happened");
    show(&mut game, &before, 11).unwrap();
    assert_eq!(
        (game.phase, game.challenger_moves, game.operator_moves),
        (Phase::Proven, 1, 0)
    );
    assert_eq!(game.digest, move_digest(&before, 11, &hashv(&[&3u32.to_le_bytes()])));
    let digest = game.digest;
    assert_eq!(show(&mut game, &digest, 11), Err(Refusal::WrongPhase));

    let mut named = pointed(5, &at(10));
    let digest = named.digest;
    assert_eq!(show(&mut named, &digest, 11), Err(Refusal::WrongPhase));
}

#[test]
fn given_a_whole_trace_when_checked_then_one_root_a_node_and_the_last_is_the_output() {
    let roots: Vec<Hash> = (1..=5).map(|node| [node; 32]).collect();
    let leaves = (0u32..)
        .zip(&roots)
        .map(|(node, root)| trace_leaf(node, root))
        .collect();
    assert_eq!(
        whole_trace_root(5, &[5; 32], &roots),
        Ok(Nodes::over(leaves, 3, &[]).root())
    );
    assert_eq!(whole_trace_root(5, &[4; 32], &roots), Err(Refusal::WrongLastRoot));
    assert_eq!(whole_trace_root(6, &[5; 32], &roots), Err(Refusal::WrongRootCount));
    assert_eq!(whole_trace_root(0, &[5; 32], &[]), Err(Refusal::WrongLastRoot));
    assert_eq!(
        whole_trace_root(17, &[1; 32], &[[1; 32]; 17]),
        Err(Refusal::WrongRootCount)
    );
    let mut hole = roots.clone();
    hole[1] = PAD;
    assert_eq!(whole_trace_root(5, &[5; 32], &hole), Err(Refusal::NotCanonical));
}

#[test]
fn given_a_trace_root_when_checked_then_the_last_leaf_is_the_output() {
    let run = run(40);
    let (root, path) = (run.trace.root(), run.trace.path(39));
    let output = run.output_root();
    assert_eq!(check_trace_root(40, &output, &root, &path), Ok(()));
    assert_eq!(
        check_trace_root(40, &[1; 32], &root, &path),
        Err(Refusal::WrongTracePath)
    );
    assert_eq!(
        check_trace_root(39, &output, &root, &path),
        Err(Refusal::WrongTracePath)
    );
    assert_eq!(
        check_trace_root(40, &output, &root, &run.trace.path(38)),
        Err(Refusal::WrongTracePath)
    );
    assert_eq!(
        check_trace_root(16, &output, &root, &path),
        Err(Refusal::TraceMustBeWhole)
    );
}

#[test]
fn given_silence_when_timed_out_then_the_silent_side_loses() {
    let mut game = open(0);
    assert_eq!(game.time_out(&at(2_000)), Ok(Side::Challenger));
    assert_eq!(game.phase, Phase::Lost);
    let mut game = pointed(5, &at(10));
    assert_eq!(game.time_out(&at(2_000)), Ok(Side::Operator));
    assert_eq!(game.phase, Phase::Proven);
}
