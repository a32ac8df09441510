//! Operators that lie, each in another way. The watcher wins against all of them.

use std::{fs, path::Path};

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Report, ReportStatus},
};
use imo_client::{challenge::NextMove, instructions::opml_oracle};
use imo_tests::{
    Cast, Outcome, World,
    models::{chain, dense, digits, honest, lying, lying_about},
    world::{Asked, Case, Duel, usdc},
};
use opml::merkle::{self, Domain};
use opml_runtime::{Execution, Hash, Model, TensorTree, execute, fast::Plan, synthetic::DecoderSizes};
use solana_signer::Signer;

fn sealed(world: &mut World, cast: &Cast, model: &Model, asked: Asked) -> (Case, Execution) {
    let service = world.given_service(cast, model);
    let case = world.given_sealed(cast, service, vec![asked]);
    let own = execute(model, &case.asked[0].input).expect("the input fits the model");
    (case, own)
}

fn assert_rejected(world: &World, case: &Case) {
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Rejected);
}

/// Plays a lie to the end. Returns how often the operator had to answer.
fn caught(model: &Model, node: u32) -> u64 {
    let (mut world, cast) = World::with_protocol();
    let (case, own) = sealed(&mut world, &cast, model, lying(model, 0, usdc(10), node));
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    assert_rejected(&world, &case);
    duel.tally.operator_moves
}

#[test]
fn given_a_lie_in_any_node_of_the_digits_model_when_disputed_then_caught_in_two_answers() {
    let model = digits();
    for node in 0..model.header().node_count {
        assert_eq!(caught(&model, node), 2, "node {node}");
    }
}

#[test]
fn given_a_lie_in_a_model_of_many_nodes_when_disputed_then_the_walk_down_the_trace_finds_it() {
    let model = chain(40);
    // Forty nodes: a root, two reveals of the trace, a tile.
    for node in [0, 17, 39] {
        assert_eq!(caught(&model, node), 4, "node {node}");
    }
}

#[test]
fn given_a_lie_in_a_wide_layer_when_disputed_then_the_walk_down_the_tensor_finds_it() {
    let model = dense(&[3, 10_000, 2]);
    // Twenty tiles: a trace, two reveals of the tensor, a tile.
    assert_eq!(caught(&model, 0), 4);
}

#[test]
fn given_a_lie_in_a_decoder_that_is_mapped_from_its_file_when_disputed_then_caught() {
    // Four million parameters: the path of a model of a billion, with all sizes smaller.
    let sizes = DecoderSizes {
        layers: 3,
        width: 256,
        heads: 8,
        key_heads: 2,
        feed_forward: 704,
        vocabulary: 4000,
        cache: 21,
    };
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-decoder.imo", std::process::id()));
    sizes.save_step(1, &file).expect("the sizes fit");
    let model = Model::open(&file).expect("the file was written whole");
    // Whoever has a file mapped keeps it.
    fs::remove_file(&file).expect("the file is there");

    let plan = Plan::new(&model);
    let input = sizes.input(2).expect("the sizes fit");
    // The last layer's way down, then a sum.
    let layers = (0..)
        .zip(model.nodes())
        .filter(|(_, node)| model.operand_specs(node)[0].cols() == 704);
    let node: u32 = layers
        .map(|(index, _)| index)
        .last()
        .expect("a layer has a feed-forward part");
    for node in [node, node + 1] {
        let (mut world, cast) = World::with_protocol();
        let asked = lying_about(&plan, &input, usdc(10), node).expect("the lie shows");
        let service = world.given_service(&cast, &model);
        let case = world.given_sealed(&cast, service, vec![asked]);
        let own = plan.execute(&input).expect("the input fits the model");
        let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
        duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
        assert_rejected(&world, &case);
    }
}

/// An honest answer that is claimed with another output root.
fn claiming(model: &Model, output_root: impl FnOnce(&Execution) -> Hash) -> Asked {
    let mut asked = honest(model, 0, usdc(10));
    let truth = execute(model, &asked.input).expect("the input fits the model");
    asked.claim.output_root = output_root(&truth);
    asked
}

/// The honest roots with the claimed one at the end.
fn roots_of(case: &Case) -> Vec<Hash> {
    let mut roots = case.asked[0].answer.roots().to_vec();
    *roots.last_mut().expect("a model has a node") = case.asked[0].claim.output_root;
    roots
}

fn post(world: &mut World, cast: &Cast, duel: &Duel, roots: Vec<Hash>) {
    let (operator, state) = (cast.operator.pubkey(), duel.state(world));
    let post = opml_oracle::post_trace(operator, operator, &state, state.game.digest, roots);
    world.send(&[post], &[&cast.operator]).expect_ok();
}

#[test]
fn given_a_tile_with_more_bytes_than_its_place_when_disputed_then_there_is_nothing_to_reveal_and_silence_loses() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 5]);
    // The bytes that hold elements are honest, but zeros follow.
    let filled = |truth: &Execution| merkle::leaf(Domain::TensorTile, 0, &[truth.output().bytes(), &[0; 507]]);
    let (case, own) = sealed(&mut world, &cast, &model, claiming(&model, filled));
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    post(&mut world, &cast, &duel, roots_of(&case));
    assert!(matches!(duel.next_move(&world), NextMove::DemandNode { node: 1, .. }));
    duel.challenger_moves(&mut world);

    let state = duel.state(&world);
    let digest = state.game.digest;
    let tile = own.output().bytes().to_vec();
    let mut with_zeros = tile.clone();
    with_zeros.resize(512, 0);
    for (tile, error) in [
        (tile, OracleError::WrongPreimage),
        (with_zeros, OracleError::WrongTileLength),
    ] {
        let reveal = opml_oracle::reveal_tile(&state, digest, tile);
        world.send(&[reveal], &[&cast.operator]).expect_error(error);
    }
    let hashes = opml_oracle::reveal(&state, digest, vec![[1; 32]]);
    world
        .send(&[hashes], &[&cast.operator])
        .expect_error(OracleError::TileDue);
    duel.time_out(&mut world, &cast.stranger);
    assert_rejected(&world, &case);
}

#[test]
fn given_something_hung_under_a_padding_leaf_when_disputed_then_it_cannot_be_revealed() {
    let (mut world, cast) = World::with_protocol();
    // Three tiles, so that the fourth leaf is padding.
    let model = dense(&[4, 1_200]);
    let garbage = [7; 32];
    let hung = |truth: &Execution| {
        let tree = TensorTree::new(truth.output());
        let leaves: Vec<_> = (0..3).map(|leaf| tree.tree().node(0, leaf)).chain([garbage]).collect();
        merkle::subtree_root(&leaves).expect("four leaves are a tree")
    };
    let (case, own) = sealed(&mut world, &cast, &model, claiming(&model, hung));
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    post(&mut world, &cast, &duel, roots_of(&case));
    duel.challenger_moves(&mut world);
    let state = duel.state(&world);
    let digest = state.game.digest;
    let tree = TensorTree::new(own.output());
    let honest: Vec<_> = (0..4).map(|leaf| tree.tree().node(0, leaf)).collect();
    let mut with_garbage = honest.clone();
    with_garbage[3] = garbage;
    for (hashes, error) in [
        (with_garbage, OracleError::NotCanonical),
        (honest.clone(), OracleError::WrongPreimage),
        (honest[..2].to_vec(), OracleError::WrongHashCount),
    ] {
        let reveal = opml_oracle::reveal(&state, digest, hashes);
        world.send(&[reveal], &[&cast.operator]).expect_error(error);
    }
    let early = opml_oracle::reveal_tile(&state, digest, vec![0; 512]);
    world
        .send(&[early], &[&cast.operator])
        .expect_error(OracleError::HashesDue);
    duel.time_out(&mut world, &cast.stranger);
    assert_rejected(&world, &case);
}

#[test]
fn given_a_root_without_a_preimage_when_disputed_then_silence_loses() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 5]);
    let (case, own) = sealed(&mut world, &cast, &model, claiming(&model, |_| [9; 32]));
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    post(&mut world, &cast, &duel, roots_of(&case));
    duel.challenger_moves(&mut world);
    duel.time_out(&mut world, &cast.stranger);
    assert_rejected(&world, &case);
}

#[test]
fn given_an_honest_trace_up_to_a_false_output_when_disputed_then_the_last_node_is_proven_wrong() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 5]);
    // What it claims is the output of another input, of which it has the tile.
    let other = honest(&model, 1, usdc(10));
    let (case, own) = sealed(&mut world, &cast, &model, claiming(&model, |_| other.claim.output_root));
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    post(&mut world, &cast, &duel, roots_of(&case));
    duel.challenger_moves(&mut world);
    let state = duel.state(&world);
    let tile = other.answer.output().bytes().to_vec();
    let reveal = opml_oracle::reveal_tile(&state, state.game.digest, tile);
    world.send(&[reveal], &[&cast.operator]).expect_ok();
    duel.challenger_moves(&mut world);
    assert_rejected(&world, &case);
}

#[test]
fn given_a_lie_that_is_moved_to_an_earlier_node_when_disputed_then_found_there() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 5, 4]);
    let asked = lying(&model, 0, usdc(10), 2);
    let (case, own) = sealed(&mut world, &cast, &model, asked);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    // The lie is in the last node; the trace says that the first node's output is what nobody has a preimage of.
    let mut roots = case.asked[0].answer.roots().to_vec();
    roots[0] = [4; 32];
    post(&mut world, &cast, &duel, roots);
    assert!(matches!(duel.next_move(&world), NextMove::DemandNode { node: 0, .. }));
    duel.challenger_moves(&mut world);
    duel.time_out(&mut world, &cast.stranger);
    assert_rejected(&world, &case);
}

#[test]
fn given_two_operators_with_one_claim_when_the_first_posts_garbage_then_the_second_has_a_trace_of_its_own() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 5]);
    let (first, own) = sealed(&mut world, &cast, &model, honest(&model, 0, usdc(10)));
    let published = first.service.published;
    // The first operator answers an honest claim with a garbage trace, to frame whoever made the same claim.
    let mut duel = Duel::open(&mut world, &cast.rival, &first, 0, &model, &own);
    duel.challenger_moves(&mut world);
    let mut garbage = first.asked[0].answer.roots().to_vec();
    garbage[0] = [4; 32];
    post(&mut world, &cast, &duel, garbage);

    let second_operator = world.given_operator(&cast.bob, &cast.backup.pubkey());
    let mut customer = world.given_customer(&cast.alice, &cast.session, &published, second_operator);
    let report = world.given_report(&cast.bob, &published);
    let asked = vec![honest(&model, 0, usdc(10))];
    let (receipts, voucher) = world.given_answers(&mut customer, &asked);
    let lane = world.collected_lane(&cast.bob, &customer, report);
    let collect = imo_client::instructions::revenue_escrow::collect(lane, &voucher, receipts.root());
    world.send(&collect, &[&cast.bob]).expect_ok();
    let seal = opml_oracle::seal_report(cast.bob.pubkey(), &world.read(&report));
    world.send(&[seal], &[&cast.bob]).expect_ok();
    let collection = imo_client::addresses::revenue_escrow::collection(&report, &customer.lane);
    let service = imo_tests::world::Service {
        published,
        operator: second_operator,
        customer,
    };
    let second = Case {
        service,
        report,
        collection,
        asked,
        receipts,
        collected_units: usdc(10),
    };
    let mut framed = Duel::open(&mut world, &cast.rival, &second, 0, &model, &own);
    framed.challenger_moves(&mut world);
    assert_eq!(framed.phase(&world), Phase::Pointed, "nothing is attached");
    framed.operator_answers(&mut world, &cast.bob, &second.asked[0].answer);
    assert!(framed.state(&world).game.frontier == second.asked[0].answer.roots());
    framed.time_out(&mut world, &cast.stranger);
    assert_eq!(framed.phase(&world), Phase::Lost);
}
