//! Operators that do not answer.

use ::opml_oracle::{errors::OracleError, game::Phase};
use imo_client::instructions::data;
use imo_protocol::Now;
use opml_runtime::Model;
use solana_signer::Signer;

use super::{Arena, arena::provers_share};
use crate::{
    landed::Outcome,
    models::{chain, dense, honest, lying},
    world::{Asked, Case, Search, World, terms, usdc},
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
    arena.wind_up(&case);
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
    arena.wind_up(&case);
}

/// Posts a root and keeps what is below it: whoever asks for it wins by the silence, with a fee at risk and no bond.
fn withholder(arena: &mut Arena, asked: Asked, search: impl FnOnce(&mut World, &Case, &Model)) {
    let model = dense(&[200, 3]);
    let case = arena.given_false_report(&model, vec![asked]);
    search(&mut arena.world, &case, &model);
    arena.wind_up(&case);
    let gain = provers_share() + terms().move_cost_units;
    let watcher = arena.cast.watcher.pubkey();
    arena.honest.insert(watcher, -i128::from(gain));
}

pub fn withholder_of_receipts(arena: &mut Arena) {
    let watcher = arena.cast.watcher.insecure_clone();
    withholder(arena, honest(&dense(&[200, 3]), 0, usdc(20)), |world, case, _| {
        Search::receipts(world, &watcher, case, 0).demand(world, 0);
    });
}

/// Claims to have answered an input of which it has only a root. Other bytes are no answer.
pub fn withholder_of_an_input(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let mut asked = honest(&dense(&[200, 3]), 0, usdc(20));
    asked.claim.input_root = [0x6E; 32];
    withholder(arena, asked, |world, case, _| {
        let search = Search::input(world, &cast.watcher, case, 0, 0);
        search.demand(world, 0);
        let serve = data::serve_data(&search.state(world), case.asked[0].input.bytes().to_vec());
        world
            .send(&[serve], &[&cast.operator])
            .expect_error(OracleError::WrongPreimage);
    });
}

/// Reports on a version whose weights it does not show.
pub fn withholder_of_weights(arena: &mut Arena) {
    let watcher = arena.cast.watcher.insecure_clone();
    withholder(arena, honest(&dense(&[200, 3]), 0, usdc(20)), |world, case, model| {
        Search::constant(world, &watcher, case, model, 0, 0).demand(world, 0);
    });
}

/// Hopes that a restart of the cluster excuses it for ever. An honest operator beside it is excused for an hour, and answers within it.
pub fn silent_behind_a_restart(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 1, usdc(20))]);
    let (rival, operator) = (arena.cast.rival.insecure_clone(), arena.cast.operator.insecure_clone());
    arena.attackers.push(rival.pubkey());
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
    arena
        .send(&[timeout], &[&rival])
        .expect_error(OracleError::TimeoutTooEarly);
    duel.operator_answers(arena, &operator, &case.asked[0].answer);
    arena.wind_up(&case);
}
