//! An operator whose report was rejected: what it may not do for a while, and what it still may.

use ::opml_oracle::{
    errors::OracleError,
    state::{Operator, Report, ReportStatus},
};
use imo_client::{addresses, instructions::opml_oracle};
use imo_protocol::Now;
use imo_tests::{
    Cast, Outcome, World,
    models::{dense, lying},
    world::{BOND, Case, Duel, STAKE, terms, usdc},
};
use opml_runtime::{Model, execute};
use solana_signer::Signer;

/// A report that is rejected because the operator did not answer.
fn given_a_rejected_report(world: &mut World, cast: &Cast, model: &Model) -> Case {
    let service = world.given_service(cast, model);
    let case = world.given_sealed(cast, service, vec![lying(model, 0, usdc(10), 0)]);
    let own = execute(model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(world, &cast.watcher, &case, 0, model, &own);
    duel.challenger_moves(world);
    duel.time_out(world, &cast.stranger);
    duel.settle(world, &cast.stranger);
    world.refund(cast, &case);
    duel.pay_out(world, &cast.stranger);
    case
}

#[test]
fn given_a_rejected_report_when_its_operator_posts_or_withdraws_around_the_deadline_then_past_it_only() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let case = given_a_rejected_report(&mut world, &cast, &model);
    let key = cast.operator.pubkey();
    let jail = world.read::<Operator>(&case.service.operator).jail;
    assert_eq!(jail.length_slots(), terms().unbonding_slots);
    // Announced in jail, so that only the jail's own deadline is open to doubt when the announcement is first past.
    let unbond = opml_oracle::request_unbond(key, world.usdc, usdc(1));
    world.send(&[unbond], &[&cast.operator]).expect_ok();
    let recipient = addresses::payment_account(&key, &world.usdc);
    let withdraw = opml_oracle::withdraw_bond(key, world.usdc, recipient);
    let at = |slot, unix| Now {
        slot,
        unix,
        last_restart_slot: 0,
    };
    for now in [
        at(jail.due_slot - 1, jail.due_unix - 1),
        at(jail.due_slot, jail.due_unix),
        at(jail.due_slot + 1, jail.due_unix),
        at(jail.due_slot, jail.due_unix + 1),
    ] {
        world.set_now(now);
        let state: Operator = world.read(&case.service.operator);
        let post = opml_oracle::post_report(key, &state, world.report_terms(&case.service.published, BOND));
        world.send(&[post], &[&cast.operator]).expect_error(OracleError::Jailed);
    }
    world.set_now(at(jail.due_slot + 1, jail.due_unix + 1));
    world.given_report(&cast.operator, &case.service.published);
    let due = world.read::<Operator>(&case.service.operator).unbonding;
    world.pass_until_slot(due.due_slot + 1);
    world.send(&[withdraw], &[&cast.operator]).expect_ok();
}

#[test]
fn given_stake_that_was_announced_before_when_the_operator_is_jailed_then_it_waits_for_the_end_of_the_jail() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &model);
    let key = cast.operator.pubkey();
    let unbond = opml_oracle::request_unbond(key, world.usdc, STAKE - BOND);
    world.send(&[unbond], &[&cast.operator]).expect_ok();
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(10), 0)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    duel.time_out(&mut world, &cast.stranger);
    duel.settle(&mut world, &cast.stranger);
    let state: Operator = world.read(&case.service.operator);
    assert!(state.unbonding.due_slot < state.jail.due_slot);
    world.pass_until_slot(state.unbonding.due_slot + 1);
    let recipient = addresses::payment_account(&key, &world.usdc);
    let withdraw = opml_oracle::withdraw_bond(key, world.usdc, recipient);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.operator])
        .expect_error(OracleError::Jailed);
    world.pass_until_slot(state.jail.due_slot + 1);
    world.send(&[withdraw], &[&cast.operator]).expect_ok();
    assert_eq!(world.usdc_of(&key), STAKE - BOND);
}

#[test]
fn given_a_jailed_operator_when_it_ends_its_other_reports_and_adds_stake_then_it_may() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &model);
    let open = world.given_report(&cast.operator, &service.published);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(10), 0)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    duel.time_out(&mut world, &cast.stranger);
    assert!(world.read::<Operator>(&case.service.operator).jail.is_set());
    let key = cast.operator.pubkey();
    world.given_usdc(&key, usdc(1));
    let stake = opml_oracle::stake_bond(key, case.service.operator, world.usdc, usdc(1));
    let update = opml_oracle::update_operator(key, world.usdc, imo_tests::world::profile(&cast.bob.pubkey()));
    world.send(&[stake, update], &[&cast.operator]).expect_ok();
    if world.read::<Report>(&open).status == ReportStatus::Open {
        let seal = opml_oracle::seal_report(key, &world.read(&open));
        world.send(&[seal], &[&cast.operator]).expect_ok();
    }
    world.finalise(&cast, &open);
    assert_eq!(world.read::<Report>(&open).status, ReportStatus::Final);
    duel.settle(&mut world, &cast.stranger);
    world.refund(&cast, &case);
    // And another operator of the same person is another operator.
    let other = world.given_operator(&cast.rival, &cast.backup.pubkey());
    assert!(!world.read::<Operator>(&other).jail.is_set());
}
