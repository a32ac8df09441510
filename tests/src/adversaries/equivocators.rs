//! Operators that answer one question in two ways.

use ::opml_oracle::state::Equivocation;
use anchor_lang::prelude::Pubkey;
use imo_client::{addresses, answer::SignedAnswer, challenge::evidence, instructions::opml_oracle};
use imo_protocol::question_hash;
use opml_runtime::Claim;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Arena, arena::provers_share};
use crate::{
    landed::Outcome,
    models::{chain, honest},
    world::{BOND, STAKE, answer_key, sign_answer, terms, usdc},
};

/// The honest answer to a question, and another one.
fn two_answers(operator: Pubkey) -> [SignedAnswer; 2] {
    let claim = honest(&chain(2), 0, 1).claim;
    let other = Claim {
        output_root: [4; 32],
        ..claim
    };
    [claim, other].map(|claim| sign_answer(operator, claim, &answer_key()))
}

/// Shows both answers.
fn punish(arena: &mut Arena, prover: &Keypair, answers: &[SignedAnswer; 2]) -> Pubkey {
    let punish = opml_oracle::punish_equivocation(prover.pubkey(), arena.usdc, answers);
    arena.send(&punish, &[prover]).expect_ok();
    let [first, _] = answers;
    addresses::opml_oracle::equivocation(&first.answer.operator, &question_hash(&first.answer.claim))
}

fn expect_reward(arena: &mut Arena, prover: &Keypair) {
    let least = terms().min_bond_units * u64::from(terms().prover_share_bps) / 10_000;
    arena.honest.insert(prover.pubkey(), -i128::from(least));
}

/// Tells two payers different things and reports neither. Whoever has both answers needs no report.
pub fn equivocator_off_chain(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let operator = arena.world.given_operator(&cast.operator, &cast.backup.pubkey());
    arena.sides([cast.operator.pubkey()], []);
    let equivocation = punish(arena, &cast.watcher, &two_answers(operator));
    arena.given_usdc(&cast.watcher.pubkey(), 0);
    let pay = opml_oracle::withdraw_reward(cast.stranger.pubkey(), &arena.read(&equivocation));
    arena.send(&[pay], &[&cast.stranger]).expect_ok();
    expect_reward(arena, &cast.watcher);
}

/// Reports the right answer to a question to which it had given another one.
pub fn equivocator_in_a_report(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![honest(&model, 0, usdc(20))]);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &model, &own);
    let witness = duel.stage_evidence(arena, &evidence::reported(&duel.place.clone()));
    let [_, other] = two_answers(case.service.operator);
    let state = duel.state(arena);
    let prove = opml_oracle::prove_equivocation(&state, state.game.digest, case.collection, witness, &other);
    arena.send(&prove, &[&cast.watcher]).expect_ok();
    arena.wind_up(&case);
    let gain = provers_share() + terms().move_cost_units - terms().open_fee_units;
    arena.honest.insert(cast.watcher.pubkey(), -i128::from(gain));
}

/// Locks all of its stake and has a friend show the two answers while there is nothing to slash, so that nobody else can. The slash waits for the stake.
pub fn equivocator_shown_by_a_friend(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let service = arena.world.given_service(&cast, &chain(2));
    let operator = service.operator;
    arena.sides([cast.operator.pubkey(), cast.rival.pubkey()], [cast.payer.pubkey()]);
    let report = arena.given_report_with_bond(&cast.operator, &service.published, STAKE - BOND);
    let rest = arena.given_report_with_bond(&cast.operator, &service.published, BOND);
    let answers = two_answers(operator);
    let equivocation = punish(arena, &cast.rival, &answers);
    assert_eq!(arena.read::<Equivocation>(&equivocation).slashed_units, 0);
    // A second time is refused, and not needed.
    let again = opml_oracle::punish_equivocation(cast.watcher.pubkey(), arena.usdc, &answers);
    arena.send(&again, &[&cast.watcher]).expect_error(0u32);
    for report in [report, rest] {
        arena.world.seal(&cast, &report);
        arena.world.finalise(&cast, &report);
    }
    let settle = opml_oracle::settle_equivocation(&arena.read(&equivocation));
    arena.send(&[settle], &[&cast.stranger]).expect_ok();
    let slashed = arena.read::<Equivocation>(&equivocation).slashed_units;
    assert_eq!(slashed, terms().min_bond_units);
}
