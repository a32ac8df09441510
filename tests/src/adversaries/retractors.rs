//! Operators that take usage back.

use ::opml_oracle::game::Phase;
use ::revenue_escrow::errors::RevenueEscrowError;
use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{chain, honest, lying},
    world::{Case, usdc},
};

/// A report of one collection that is still open, by an operator with the money to take it back.
fn given_collected(arena: &mut Arena, asked: crate::world::Asked) -> Case {
    let Arena { world, cast, .. } = arena;
    let service = world.given_service(cast, &chain(2));
    let case = world.given_collected(cast, service, vec![asked]);
    world.given_usdc(&cast.operator.pubkey(), usdc(20));
    case
}

/// Lies, and wants to take it back when somebody has found out.
pub fn retractor_under_dispute(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let case = given_collected(arena, lying(&model, 0, usdc(20), 0));
    arena.world.seal(&cast, &case.report);
    let [operator, payer, watcher] = [&cast.operator, &cast.payer, &cast.watcher].map(Signer::pubkey);
    arena.sides([operator], [payer, watcher]);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &model, &own);
    let retract = arena.retraction_of(&cast.operator, &case.collection);
    arena
        .send(&[retract], &[&cast.operator])
        .expect_error(RevenueEscrowError::ReportIsChallenged);
    duel.play_until(arena, &cast.operator, &case.asked[0].answer, Phase::Proven);
    arena.wind_up(&case);
}

/// Lies, and takes it back before anybody could find out: it is found out all the same, and the payer has the fee, too.
pub fn retractor_of_a_lie(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let case = given_collected(arena, lying(&model, 0, usdc(20), 0));
    arena.world.retract(&cast.operator, &case.collection);
    arena.world.seal(&cast, &case.report);
    let [operator, payer, watcher] = [&cast.operator, &cast.payer, &cast.watcher].map(Signer::pubkey);
    arena.sides([operator], [watcher]);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&cast.watcher, 0, &case, 0, &model, &own);
    duel.play_until(arena, &cast.operator, &case.asked[0].answer, Phase::Proven);
    arena.wind_up(&case);
    let fee = case.collected_units - super::arena::operators_share(case.collected_units);
    arena.honest.insert(payer, -i128::from(fee));
}

/// Pays itself for usage, which counts as usage, and takes it back. The others have what they would have had.
pub fn retractor_of_its_own_usage(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let case = given_collected(arena, honest(&model, 0, usdc(20)));
    arena.world.retract(&cast.operator, &case.collection);
    arena.world.seal(&cast, &case.report);
    let [operator, payer, developer, treasury] =
        [&cast.operator, &cast.payer, &cast.developer, &cast.treasury].map(Signer::pubkey);
    arena.sides([operator, payer], []);
    arena.wind_up(&case);
    // Without a token, holders' and redeem shares are the developer's.
    arena
        .honest
        .insert(developer, -i128::from(case.collected_units * 5_500 / 10_000));
    arena
        .honest
        .insert(treasury, -i128::from(case.collected_units * 500 / 10_000));
    let lost = -super::verdict::gain(&arena.world, &operator) - super::verdict::gain(&arena.world, &payer);
    assert_eq!(
        lost,
        i128::from(case.collected_units * 6_000 / 10_000),
        "as much as if it had stood"
    );
}
