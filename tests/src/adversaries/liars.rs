//! Operators that claim what the model does not say.

use ::opml_oracle::{errors::OracleError, game::Phase};
use imo_client::instructions::opml_oracle;
use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{chain, honest, lying},
    world::{STAKE, terms, usdc},
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
    arena.wind_up(&case, &[duel.dispute]);
}

pub fn liar_in_the_first_operator(arena: &mut Arena) {
    lie_in(arena, 0);
}

pub fn liar_in_the_last_operator(arena: &mut Arena) {
    lie_in(arena, 16);
}

/// Claims a result that nothing leads to, commits to it, and has no tile to show.
pub fn liar_about_the_result(arena: &mut Arena) {
    let model = chain(2);
    let mut asked = honest(&model, 0, usdc(20));
    asked.claim.output_root = [0xBA; 32];
    let case = arena.given_false_report(&model, vec![asked]);
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    duel.challenger_moves(arena);
    let mut roots = case.asked[0].answer.roots().to_vec();
    *roots.last_mut().expect("a model has a node") = case.asked[0].claim.output_root;
    let state = duel.state(arena);
    let key = operator.pubkey();
    let post = opml_oracle::post_trace(key, key, &state, state.game.digest, roots);
    arena.send(&[post], &[&operator]).expect_ok();
    duel.challenger_moves(arena);
    // The honest tile is not what it committed to.
    let reveal = duel.planned_answer(arena, &key, &case.asked[0].answer);
    arena
        .send(&[reveal], &[&operator])
        .expect_error(OracleError::WrongPreimage);
    arena.wind_up(&case, &[duel.dispute]);
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
    arena.wind_up(&case, &[duel.dispute]);
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
    arena.wind_up(&case, &[duel.dispute]);
}
