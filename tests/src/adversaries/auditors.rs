//! Those who would be paid for audits that they have not done, and those who would rather not be audited.

use ::opml_oracle::{errors::OracleError, game::Phase};
use imo_client::instructions::audit as send;
use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{dense, honest, lying},
    world::{AUDITS, Sampling, usdc},
};

/// Lies, and keeps its trace to itself when the lie is drawn: it hopes that nothing can be held against what nobody sees.
pub fn silent_in_an_audit(arena: &mut Arena) {
    let model = dense(&[8, 6, 3]);
    let Arena { world, cast, .. } = &mut *arena;
    world.given_audits(cast, AUDITS.fee_units);
    let case = arena.given_false_report(&model, vec![lying(&model, 1, usdc(20), 0)]);
    let own = arena.own(&model, &case, 0);
    let Arena { world, cast, .. } = &mut *arena;
    let audit = Sampling::draw(world, cast, &case, 0);
    audit.commit(world, &cast.watcher, own.roots());
    audit.ask(world, &cast.watcher, &case);
    audit.time_out(world, &cast.stranger);
    audit.settle(world, &cast.stranger);
    audit.pay_out(world, &cast.stranger, &cast.watcher.pubkey());
    arena.wind_up(&case);
}

/// Wants the fee without computing anything: guesses, copies what an honest auditor commits to, and makes the operator show its trace in a dispute to read it there.
pub fn lazy_auditor(arena: &mut Arena) {
    let model = dense(&[8, 6, 3]);
    let Arena { world, cast, .. } = &mut *arena;
    world.given_audits(cast, AUDITS.fee_units);
    let case = arena.given_true_report(&model, vec![honest(&model, 1, usdc(20))]);
    let own = arena.own(&model, &case, 0);
    let [watcher, rival, alice, bob] = [
        &arena.cast.watcher,
        &arena.cast.rival,
        &arena.cast.alice,
        &arena.cast.bob,
    ]
    .map(|key| key.insecure_clone());
    let operator = arena.cast.operator.insecure_clone();
    arena.sides([&rival, &alice, &bob].map(Signer::pubkey), [watcher.pubkey()]);

    let Arena { world, cast, .. } = &mut *arena;
    let audit = Sampling::draw(world, cast, &case, 0);
    audit.commit(world, &watcher, own.roots());
    audit.commit(world, &rival, &[[1; 32]; 2]);
    let seen = audit.entry(world, &watcher.pubkey()).commitment;
    let copy = audit.commitment_of(world, &alice.pubkey(), seen, None);
    world.send(&[copy], &[&alice]).expect_ok();
    world.pass_slots(1);
    let mut duel = arena.open_dispute(&rival, 0, &case, 0, &model, &own);
    duel.play_until(arena, &operator, &case.asked[0].answer, Phase::Traced);
    let read = duel.trace(arena).expect("the operator has posted it").roots;
    let Arena { world, cast, .. } = &mut *arena;
    audit.commit(world, &bob, &read);

    audit.ask(world, &watcher, &case);
    let attach = send::attach_audit_trace(&audit.state(world));
    world.send(&[attach], &[&operator]).expect_ok();
    audit.reveal(world, &watcher);
    for (lazy, expected) in [
        (&rival, OracleError::WrongOpening),
        (&alice, OracleError::WrongOpening),
        (&bob, OracleError::CommittedTooLate),
    ] {
        let reveal = audit.reveal_of(world, &lazy.pubkey());
        world.send(&[reveal], &[lazy]).expect_error(expected);
    }
    let stranger = cast.stranger.insecure_clone();
    arena.wind_up(&case);
    let Arena { world, cast, .. } = &mut *arena;
    audit.wait(world);
    audit.settle(world, &stranger);
    world.given_payment_account(cast, &watcher.pubkey());
    for auditor in [&watcher, &rival, &alice, &bob] {
        audit.pay_out(world, &stranger, &auditor.pubkey());
    }
    assert_eq!(world.usdc_of(&watcher.pubkey()), AUDITS.fee_units);
}
