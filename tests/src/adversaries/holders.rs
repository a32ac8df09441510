//! Holders who want what others earned.

use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{chain, honest},
    world::{Case, SUPPLY, terms, usdc},
};

/// A model whose token Alice and Bob have, and a report that is sealed.
fn given_revenue(arena: &mut Arena, before_the_seal: impl FnOnce(&mut Arena, &crate::world::Published)) -> Case {
    let model = chain(2);
    let Arena { world, cast, .. } = arena;
    let service = world.given_service(cast, &model);
    let published = service.published;
    world.given_token(cast, &published);
    let [alice, bob, operator] = [&cast.alice, &cast.bob, &cast.operator].map(Signer::pubkey);
    arena.sides([alice], [bob, operator]);
    before_the_seal(arena, &published);
    let authority = arena.cast.operator.insecure_clone();
    let asked = vec![honest(&model, 0, usdc(40))];
    arena.given_sealed_by(&authority, service, asked)
}

fn claim(arena: &mut Arena, case: &Case, owner: &anchor_lang::prelude::Pubkey) -> u64 {
    let stranger = arena.cast.stranger.insecure_clone();
    let before = arena.usdc_of(owner);
    let claim = arena.claim_of(&case.service.published, &stranger.pubkey(), owner);
    arena.send(&[claim], &[&stranger]).expect_ok();
    arena.usdc_of(owner) - before
}

/// Sees a fat report, stakes everything, and opens a frivolous dispute in the last slot of its window, so that its stake may be active before the money comes.
pub fn just_in_time_staker(arena: &mut Arena) {
    let [alice, bob] = [&arena.cast.alice, &arena.cast.bob].map(solana_keypair::Keypair::insecure_clone);
    let case = given_revenue(arena, |arena, published| {
        arena.given_stake(published, &bob, SUPPLY / 4);
        arena.pass_epochs(published, 2);
    });
    arena.begin();
    let published = case.service.published;
    arena.given_stake(&published, &alice, SUPPLY / 2);
    arena.pass_slots(terms().window_slots);
    let model = chain(2);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&alice, 0, &case, 0, &model, &own);
    duel.challenger_moves(arena);
    let operator = arena.cast.operator.insecure_clone();
    duel.operator_answers(arena, &operator, &case.asked[0].answer);
    arena.wind_up(&case);
    assert_eq!(claim(arena, &case, &alice.pubkey()), 0, "she came too late");
    let holders = case.collected_units * 3_000 / 10_000;
    let bobs = claim(arena, &case, &bob.pubkey());
    assert!(bobs >= holders / 4 - 1, "his quarter is untouched: {bobs} of {holders}");
}

/// Stakes one unit of its tokens while nobody else stakes anything.
pub fn lone_staker(arena: &mut Arena) {
    let alice = arena.cast.alice.insecure_clone();
    let case = given_revenue(arena, |arena, published| {
        arena.given_stake(published, &alice, 1);
        arena.pass_epochs(published, 2);
    });
    arena.begin();
    arena.wind_up(&case);
    let claimed = claim(arena, &case, &alice.pubkey());
    assert_eq!(claimed, 0, "one unit of a million million earns nothing");
}
