//! Operators that do not answer.

use ::opml_oracle::game::Phase;
use imo_protocol::Now;

use super::Arena;
use crate::{
    models::{chain, honest, lying},
    world::{terms, usdc},
};

/// Lies, and answers until a phase, then no more.
fn silent_in(arena: &mut Arena, phase: Phase) {
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 3)]);
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &operator, &case.asked[0].answer, phase);
    arena.wind_up(&case, &[duel.dispute]);
}

pub fn silent_operator(arena: &mut Arena) {
    silent_in(arena, Phase::Pointed);
}

pub fn withholder_of_the_trace(arena: &mut Arena) {
    silent_in(arena, Phase::Demanded);
}

/// Shows everything but the tile in which the lie is.
pub fn withholder_of_one_tile(arena: &mut Arena) {
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 3)]);
    let (watcher, operator) = (
        arena.cast.watcher.insecure_clone(),
        arena.cast.operator.insecure_clone(),
    );
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    loop {
        let state = duel.state(arena);
        match state.game.phase {
            Phase::Demanded if state.game.cursor.is_at_tile() => break,
            Phase::Pointed | Phase::Demanded => {
                duel.operator_answers(arena, &operator, &case.asked[0].answer);
            }
            _ => {
                duel.challenger_moves(arena);
            }
        }
    }
    arena.wind_up(&case, &[duel.dispute]);
}

/// Hopes that a restart of the cluster excuses it for ever. An honest operator beside it is excused for an hour, and answers within it.
pub fn silent_behind_a_restart(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 1, usdc(20))]);
    let (rival, operator) = (arena.cast.rival.insecure_clone(), arena.cast.operator.insecure_clone());
    arena.attackers.push(solana_signer::Signer::pubkey(&rival));
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&rival, 0, &case, 0, &model, &own);
    duel.challenger_moves(arena);
    arena.pass_slots(terms().response_slots / 2);
    let now = arena.now();
    arena.set_now(Now {
        last_restart_slot: now.slot,
        ..now
    });
    // Half an hour after the restart its deadline would be long past.
    arena.pass_slots(4_500);
    let timeout = imo_client::instructions::opml_oracle::timeout(&duel.state(arena));
    crate::landed::Outcome::expect_error(
        arena.send(&[timeout], &[&rival]),
        ::opml_oracle::errors::OracleError::TimeoutTooEarly,
    );
    duel.operator_answers(arena, &operator, &case.asked[0].answer);
    arena.wind_up(&case, &[duel.dispute]);
}
