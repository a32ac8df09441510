//! Operators that claim what the model does not say.

use ::opml_oracle::{
    errors::OracleError,
    game::{Phase, Side},
    state::Dispute,
};
use anchor_lang::solana_program::instruction::Instruction;
use imo_client::{
    challenge::{Answer, NextAnswer, evidence, next_answer},
    instructions::opml_oracle,
};
use imo_protocol::Request;
use opml::merkle::{self, Domain};
use opml_runtime::{Execution, Hash, Model, TensorTree, execute};
use solana_signer::Signer;

use super::{Arena, arena::provers_share};
use crate::{
    landed::Outcome,
    models::{chain, claimed, dense, honest, lying, malformed},
    world::{STAKE, Service, terms, usdc},
};

/// Falsifies one node, answers everything, and hopes that nobody walks there.
fn lie_in(arena: &mut Arena, node: u32) {
    let model = chain(17);
    let case = arena.given_false_report(
        &model,
        vec![honest(&model, 0, usdc(20)), lying(&model, 1, usdc(20), node)],
    );
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let own = arena.own(&model, &case, 1);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 1, &model, &own);
    duel.play_until(arena, &operator, &case.asked[1].answer, Phase::Proven);
    arena.wind_up(&case);
}

pub fn liar_in_the_first_operator(arena: &mut Arena) {
    lie_in(arena, 0);
}

pub fn liar_in_the_last_operator(arena: &mut Arena) {
    lie_in(arena, 16);
}

/// Claims and commits to an output root that is not the output's, and tries to show all of this when the watcher asks for it: in vain.
fn nothing_to_show(
    arena: &mut Arena,
    model: &Model,
    root: impl FnOnce(&Execution) -> Hash,
    shown: impl FnOnce(&Dispute, &Execution) -> Vec<(Instruction, OracleError)>,
) {
    let mut asked = honest(model, 0, usdc(20));
    let truth = execute(model, &asked.input).expect("the input fits the model");
    asked.claim.output_root = root(&truth);
    let case = arena.given_false_report(model, vec![asked]);
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let own = arena.own(model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, model, &own);
    duel.challenger_moves(arena);
    let mut roots = case.asked[0].answer.roots().to_vec();
    *roots.last_mut().expect("a model has a node") = case.asked[0].claim.output_root;
    let state = duel.state(arena);
    let key = operator.pubkey();
    let post = opml_oracle::post_trace(key, key, &state, state.game.digest, roots);
    arena.send(&[post], &[&operator]).expect_ok();
    duel.challenger_moves(arena);
    for (reveal, error) in shown(&duel.state(arena), &own) {
        arena.send(&[reveal], &[&operator]).expect_error(error);
    }
    arena.wind_up(&case);
    // A place, a demand, and the share of whoever was first.
    let gain = provers_share() + 2 * terms().move_cost_units - terms().open_fee_units;
    arena.honest.insert(watcher.pubkey(), -i128::from(gain));
}

/// Claims a result that nothing leads to, commits to it, and has no tile to show.
pub fn liar_about_the_result(arena: &mut Arena) {
    nothing_to_show(
        arena,
        &chain(2),
        |_| [0xBA; 32],
        |dispute, own| {
            // The honest tile is not what it committed to.
            let tile = own.output().tile(0).expect("a tensor has a tile").to_vec();
            let reveal = opml_oracle::reveal_tile(dispute, dispute.game.digest, tile);
            vec![(reveal, OracleError::WrongPreimage)]
        },
    );
}

/// Fills the last tile up with zeros: every element is right, the root is not.
pub fn liar_in_padding(arena: &mut Arena) {
    nothing_to_show(
        arena,
        &chain(2),
        |truth| merkle::leaf(Domain::TensorTile, 0, &[truth.output().bytes(), &[0; 504]]),
        |dispute, own| {
            let tile = own.output().bytes().to_vec();
            let filled = [tile.as_slice(), &[0; 504]].concat();
            let reveal = |tile| opml_oracle::reveal_tile(dispute, dispute.game.digest, tile);
            vec![
                (reveal(tile), OracleError::WrongPreimage),
                (reveal(filled), OracleError::WrongTileLength),
            ]
        },
    );
}

/// Hangs something under the leaf where there is no tile.
pub fn liar_under_padding(arena: &mut Arena) {
    const HUNG: Hash = [7; 32];
    let leaves = |own: &Execution| -> Vec<Hash> {
        let tree = TensorTree::new(own.output());
        (0..4).map(|leaf| tree.tree().node(0, leaf)).collect()
    };
    let hung = move |own: &Execution| [&leaves(own)[..3], &[HUNG]].concat();
    nothing_to_show(
        arena,
        &dense(&[4, 1_200]),
        |truth| merkle::subtree_root(&hung(truth)).expect("four leaves are a tree"),
        |dispute, own| {
            let reveal = |hashes| opml_oracle::reveal(dispute, dispute.game.digest, hashes);
            vec![
                (reveal(hung(own)), OracleError::NotCanonical),
                (reveal(leaves(own)), OracleError::WrongPreimage),
            ]
        },
    );
}

/// Answers with two tiles where the model's output has one.
pub fn liar_in_shape(arena: &mut Arena) {
    let tiles = |own: &Execution| [0, 1].map(|tile| merkle::leaf(Domain::TensorTile, tile, &[own.output().bytes()]));
    nothing_to_show(
        arena,
        &chain(2),
        move |truth| merkle::subtree_root(&tiles(truth)).expect("two leaves are a tree"),
        move |dispute, own| {
            let digest = dispute.game.digest;
            vec![
                (
                    opml_oracle::reveal(dispute, digest, tiles(own).to_vec()),
                    OracleError::TileDue,
                ),
                (
                    opml_oracle::reveal_tile(dispute, digest, own.output().bytes().to_vec()),
                    OracleError::WrongPreimage,
                ),
            ]
        },
    );
}

/// Commits to its trace, and then shows children of another parent: in another order, and those of an honest trace.
pub fn revealer_of_a_wrong_parent(arena: &mut Arena) {
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 3)]);
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &operator, &case.asked[0].answer, Phase::Demanded);
    let state = duel.state(arena);
    let shown = |answer: &Answer| match next_answer(answer, &state.game, true) {
        NextAnswer::Reveal { hashes } => hashes,
        other => panic!("sixteen hashes are due, not {other:?}"),
    };
    let mut swapped = shown(&case.asked[0].answer);
    swapped.swap(0, 1);
    for hashes in [swapped, shown(&Answer::from(&own))] {
        let reveal = opml_oracle::reveal(&state, state.game.digest, hashes);
        arena
            .send(&[reveal], &[&operator])
            .expect_error(OracleError::WrongPreimage);
    }
    arena.wind_up(&case);
}

/// Is caught by two at once, who know nothing of each other: neither loses by the other.
pub fn liar_against_two_challengers(arena: &mut Arena) {
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 3)]);
    let cast = arena.cast.copy();
    let own = arena.own(&model, &case, 0);
    let mut duels = [&cast.watcher, &cast.rival].map(|key| arena.open_dispute(key, 0, &case, 0, &model, &own));
    // The second is always a move ahead.
    while duels.iter().any(|duel| duel.phase(arena).turn().is_some()) {
        for duel in duels.iter_mut().rev() {
            match duel.phase(arena).turn() {
                Some(Side::Challenger) => {
                    duel.challenger_moves(arena);
                }
                Some(Side::Operator) => {
                    duel.operator_answers(arena, &cast.operator, &case.asked[0].answer);
                }
                None => {}
            }
        }
    }
    let costs = duels.map(|duel| u64::from(duel.state(arena).game.challenger_moves) * terms().move_cost_units);
    arena.wind_up(&case);
    // The first to open has the share; both have their costs.
    let gains = [costs[0] + provers_share(), costs[1]].map(|gain| i128::from(gain - terms().open_fee_units));
    for (key, gain) in [&cast.watcher, &cast.rival].into_iter().zip(gains) {
        arena.honest.insert(key.pubkey(), -gain);
    }
}

/// Answers an easy question instead of the one that was asked.
pub fn answerer_of_a_question_nobody_asked(arena: &mut Arena) {
    let model = chain(2);
    let cast = arena.cast.copy();
    let (asked, answered) = (honest(&model, 0, usdc(20)), honest(&model, 1, usdc(20)));
    let question = asked.question();
    let service = arena.world.given_service(&cast, &model);
    let case = arena
        .world
        .given_sealed_to(&cast.operator, service, &[question], vec![answered]);
    let [operator, payer, watcher] = [&cast.operator, &cast.payer, &cast.watcher].map(Signer::pubkey);
    arena.sides([operator], [payer, watcher]);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &model, &own);
    let request = Request {
        lane: case.service.customer.lane,
        sequence: 0,
        model_root: question.model_root,
        input_root: question.input_root,
        price_units: usdc(20),
        salt: question.salt,
    };
    let shown = evidence::wrong_question(&duel.place.clone(), &request, &[]);
    let witness = duel.stage_evidence(arena, &shown);
    let state = duel.state(arena);
    let prove = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, witness);
    arena.send(&[prove], &[&cast.watcher]).expect_ok();
    arena.wind_up(&case);
    let gain = provers_share() + terms().move_cost_units - terms().open_fee_units;
    arena.honest.insert(watcher, -i128::from(gain));
}

/// Publishes a model that nobody can run, and is its only operator: nothing that it claims could be recomputed.
pub fn developer_of_a_malformed_model(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let records = malformed();
    let published = arena.world.given_header(&cast, 0, records.header());
    arena.world.given_vault(&cast, &published);
    let operator = arena.world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = arena
        .world
        .given_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let case = arena
        .world
        .given_sealed(&cast, service, vec![claimed(&records, usdc(20))]);
    let [authority, developer, payer, watcher] =
        [&cast.operator, &cast.developer, &cast.payer, &cast.watcher].map(Signer::pubkey);
    arena.sides([authority, developer], [payer, watcher]);
    let stand_in = dense(&[4, 4]);
    let own = arena.own(&stand_in, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &stand_in, &own);
    let (node, _) = records.first_fault().expect("a node breaks a rule");
    let witness = duel.stage_evidence(arena, &records.witness(node).expect("the model has that node"));
    let state = duel.state(arena);
    let prove = opml_oracle::prove_malformed(&state, state.game.digest, witness, node);
    arena.send(&[prove], &[&cast.watcher]).expect_ok();
    arena.wind_up(&case);
    let gain = provers_share() + terms().move_cost_units - terms().open_fee_units;
    arena.honest.insert(watcher, -i128::from(gain));
}

/// Answers each demand in the last slot that is in time, so that the watcher gives up.
pub fn liar_in_the_last_slot(arena: &mut Arena) {
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 9)]);
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    loop {
        match duel.phase(arena) {
            Phase::Pointed | Phase::Demanded => {
                let due = duel.state(arena).game.clocks.deadline.due_slot;
                let now = arena.now().slot;
                arena.pass_slots(due - now);
                duel.operator_answers(arena, &operator, &case.asked[0].answer);
            }
            Phase::Proven | Phase::Lost => break,
            _ => {
                duel.challenger_moves(arena);
            }
        }
    }
    arena.wind_up(&case);
}

/// Announces that all its free stake leaves as soon as it reports, and takes it while it is disputed.
pub fn liar_who_withdraws_early(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 0)]);
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let mint = arena.usdc;
    let recipient = imo_client::addresses::payment_account(&operator.pubkey(), &mint);
    let all = opml_oracle::request_unbond(operator.pubkey(), mint, STAKE);
    arena
        .send(&[all], &[&operator])
        .expect_error(OracleError::NotEnoughFreeStake);
    let free = opml_oracle::request_unbond(operator.pubkey(), mint, STAKE - crate::world::BOND);
    arena.send(&[free], &[&operator]).expect_ok();
    let own = arena.own(&model, &case, 0);
    arena.pass_slots(terms().window_slots);
    let duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    let withdraw = opml_oracle::withdraw_bond(operator.pubkey(), mint, recipient);
    arena
        .send(std::slice::from_ref(&withdraw), &[&operator])
        .expect_error(OracleError::StillUnbonding);
    let mut duel = duel;
    duel.challenger_moves(arena);
    arena.pass_slots(terms().unbonding_slots);
    arena
        .send(&[withdraw], &[&operator])
        .expect_error(OracleError::DisputesOpen);
    arena.wind_up(&case);
}
