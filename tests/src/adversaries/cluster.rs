//! Attacks on what is around a dispute: addresses, token accounts, the pause.

use ::opml_oracle::{errors::OracleError, game::Phase};
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    instructions::{model_token, opml_oracle},
};
use imo_protocol::Now;
use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{chain, lying},
    world::usdc,
};

/// Plays an honest watcher against a lie while something is done to the world.
fn against_a_lie(arena: &mut Arena, before: impl FnOnce(&mut Arena), in_the_middle: impl FnOnce(&mut Arena, &Pubkey)) {
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 3)]);
    let [watcher, operator] = [&arena.cast.watcher, &arena.cast.operator].map(solana_keypair::Keypair::insecure_clone);
    let own = arena.own(&model, &case, 0);
    before(arena);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &operator, &case.asked[0].answer, Phase::Demanded);
    in_the_middle(arena, &case.report);
    duel.play_until(arena, &operator, &case.asked[0].answer, Phase::Proven);
    arena.wind_up(&case);
    if arena.is_made(&duel.dispute) {
        // Its own account is frozen: it names another one.
        let other = arena.key();
        let owner = watcher.pubkey();
        arena.given_usdc(&other.pubkey(), 0);
        let account = addresses::payment_account(&other.pubkey(), &arena.usdc);
        let state = duel.state(arena);
        let associated = addresses::payment_account(&owner, &arena.usdc);
        let pay = crate::attack::swap(&opml_oracle::withdraw_payout(owner, &state), &associated, &account);
        arena.send(&[pay], &[&watcher]).expect_ok();
        arena.honest.remove(&owner);
        arena.honest.insert(other.pubkey(), 0);
        assert!(
            arena.usdc_of(&other.pubkey()) > state.bond_units,
            "the watcher has its reward"
        );
    }
}

/// Sends a lamport to every address before the watcher can make an account there.
pub fn pre_funder(arena: &mut Arena) {
    against_a_lie(arena, |arena| arena.prefund_new_accounts(), |_, _| {});
}

/// Has the watcher's account frozen while it is winning.
pub fn freezer_of_accounts(arena: &mut Arena) {
    against_a_lie(
        arena,
        |_| {},
        |arena, _| {
            let account = addresses::payment_account(&arena.cast.watcher.pubkey(), &arena.usdc);
            arena.set_frozen(&account, true);
        },
    );
}

/// Has the protocol paused while it is losing: a pause stops new entries and nothing else.
pub fn pauser_in_the_middle(arena: &mut Arena) {
    against_a_lie(
        arena,
        |_| {},
        |arena, _| {
            let guardian = arena.cast.guardian.insecure_clone();
            let until = arena.now().unix + 6 * 24 * 3_600;
            let pause = model_token::set_pause(guardian.pubkey(), until);
            arena.send(&[pause], &[&guardian]).expect_ok();
        },
    );
}

/// Counts on an outage: the cluster stands still in the middle of the dispute for longer than a move may take, and comes back without the watcher.
pub fn restart_in_the_middle(arena: &mut Arena) {
    against_a_lie(
        arena,
        |_| {},
        |arena, report| {
            arena.pass_slots(1);
            let now = arena.now();
            arena.set_now(Now {
                last_restart_slot: now.slot,
                ..now
            });
            // Half an hour later the watcher is back; its turn, and the operator's, would long be over.
            arena.pass_slots(4_500);
            let disputes = arena.disputes_of(report);
            let timeout = opml_oracle::timeout(&disputes[0]);
            let stranger = arena.cast.stranger.insecure_clone();
            arena
                .send(&[timeout], &[&stranger])
                .expect_error(OracleError::TimeoutTooEarly);
        },
    );
}
