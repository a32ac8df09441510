//! Who may operate a model, and what an operator keeps that is sent away.

use ::model_token::{errors::ModelTokenError, state::OperatorAccess};
use ::opml_oracle::{
    errors::OracleError,
    state::{Operator, Report, ReportStatus},
};
use ::revenue_escrow::errors::RevenueEscrowError;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    instructions::{model_token, opml_oracle, revenue_escrow},
};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest},
    world::{BOND, Published, Service, terms, usdc},
};
use solana_signer::Signer;

/// A service of the cast's operator on a model that is open to everybody.
fn given_open() -> (World, Cast, Service) {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    (world, cast, service)
}

fn set_access(world: &mut World, cast: &Cast, published: &Published, operators: OperatorAccess) {
    let set = model_token::set_operator_access(cast.developer.pubkey(), published.model, operators);
    world.send(&[set], &[&cast.developer]).expect_ok();
}

fn appoint(world: &mut World, cast: &Cast, published: &Published, key: &Pubkey) {
    let developer = cast.developer.pubkey();
    let appoint = model_token::appoint_operator(developer, developer, published.model, *key);
    world.send(&[appoint], &[&cast.developer]).expect_ok();
}

/// What dismisses the cast's operator.
fn dismiss(cast: &Cast, published: &Published) -> Instruction {
    model_token::dismiss_operator(cast.developer.pubkey(), published.model, cast.operator.pubkey())
}

fn close(world: &World, published: &Published, key: &Pubkey) -> Instruction {
    let appointment = addresses::model_token::appointment(&published.model, key);
    model_token::close_appointment(&world.read(&appointment))
}

/// What posts the operator's next report, with its appointment or without any.
fn post(world: &World, operator: &Pubkey, published: &Published, appointed: bool) -> Instruction {
    let state: Operator = world.read(operator);
    let terms = world.report_terms(published, BOND);
    if appointed {
        opml_oracle::post_report_as_appointed(state.authority, &state, terms)
    } else {
        opml_oracle::post_report(state.authority, &state, terms)
    }
}

#[test]
fn given_a_model_with_a_list_when_an_operator_without_an_appointment_comes_then_no_lane_and_no_report() {
    let (mut world, cast, service) = given_open();
    let published = service.published;
    set_access(&mut world, &cast, &published, OperatorAccess::Listed);
    let payer = cast.payer.pubkey();
    let rival = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let open_lane = revenue_escrow::open_lane(payer, payer, published.model, rival, 1, false);
    world
        .send(std::slice::from_ref(&open_lane), &[&cast.payer])
        .expect_error(RevenueEscrowError::NotAppointed);
    world.pass_slots(terms().notice_slots + 1);
    let post = post(&world, &service.operator, &published, false);
    world
        .send(std::slice::from_ref(&post), &[&cast.operator])
        .expect_error(OracleError::NotAppointed);

    // Somebody else's appointment is not theirs.
    appoint(&mut world, &cast, &published, &cast.stranger.pubkey());
    let theirs = addresses::model_token::appointment(&published.model, &cast.stranger.pubkey());
    let with = |instruction: &Instruction, appointment: &Pubkey| {
        let mut changed = instruction.clone();
        changed.accounts.last_mut().expect("it names accounts").pubkey = *appointment;
        changed
    };
    world
        .send(&[with(&post, &theirs)], &[&cast.operator])
        .expect_error(OracleError::NotAppointed);
    world
        .send(&[with(&open_lane, &theirs)], &[&cast.payer])
        .expect_error(RevenueEscrowError::NotAppointed);
    // Nor is their own for another model.
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    for key in [cast.operator.pubkey(), cast.rival.pubkey()] {
        appoint(&mut world, &cast, &other, &key);
    }
    let [ours, rivals] =
        [&cast.operator, &cast.rival].map(|key| addresses::model_token::appointment(&other.model, &key.pubkey()));
    world
        .send(&[with(&post, &ours)], &[&cast.operator])
        .expect_error(OracleError::NotAppointed);
    world
        .send(&[with(&open_lane, &rivals)], &[&cast.payer])
        .expect_error(RevenueEscrowError::NotAppointed);

    for key in [cast.operator.pubkey(), cast.rival.pubkey()] {
        appoint(&mut world, &cast, &published, &key);
    }
    let rivals = addresses::model_token::appointment(&published.model, &cast.rival.pubkey());
    world.send(&[with(&open_lane, &rivals)], &[&cast.payer]).expect_ok();
    world.given_report(&cast.operator, &published);
}

#[test]
fn given_work_from_before_the_list_when_reported_then_good_for_the_notice_only() {
    for (slots, good) in [(terms().notice_slots, true), (terms().notice_slots + 1, false)] {
        let (mut world, cast, service) = given_open();
        set_access(&mut world, &cast, &service.published, OperatorAccess::Listed);
        world.pass_slots(slots);
        let post = post(&world, &service.operator, &service.published, false);
        let outcome = world.send(&[post], &[&cast.operator]);
        if good {
            outcome.expect_ok();
        } else {
            outcome.expect_error(OracleError::NotAppointed);
        }
    }
}

#[test]
fn given_an_operator_that_is_dismissed_when_it_has_served_then_paid_for_it_and_gets_nothing_new() {
    let (mut world, cast, service) = given_open();
    let (published, operator) = (service.published, service.operator);
    appoint(&mut world, &cast, &published, &cast.operator.pubkey());
    set_access(&mut world, &cast, &published, OperatorAccess::Listed);
    world.pass_slots(terms().notice_slots + 1);
    let model = dense(&[4, 3]);
    let case = world.given_collected(&cast, service, vec![honest(&model, 0, usdc(10))]);
    let dismiss = dismiss(&cast, &published);
    world
        .send(std::slice::from_ref(&dismiss), &[&cast.developer])
        .expect_ok();
    world
        .send(&[dismiss], &[&cast.developer])
        .expect_error(ModelTokenError::AlreadyDismissed);

    // No new lane, at once.
    let alice = cast.alice.pubkey();
    world.given_usdc(&alice, usdc(1));
    let (key, mint) = (cast.operator.pubkey(), world.usdc);
    let credit = addresses::revenue_escrow::credit(&alice, &published.model);
    for instruction in [
        revenue_escrow::open_credit(alice, alice, published.model),
        revenue_escrow::deposit_credit(alice, credit, published.model, mint, usdc(1)),
    ] {
        world.send(&[instruction], &[&cast.alice]).expect_ok();
    }
    let lane = revenue_escrow::open_lane_to_appointed(alice, alice, published.model, operator, key, usdc(1), false);
    world
        .send(std::slice::from_ref(&lane), &[&cast.alice])
        .expect_error(RevenueEscrowError::NotAppointed);

    // What it served meanwhile is reported until the end of the notice.
    world.pass_slots(terms().notice_slots);
    let second = world.given_report(&cast.operator, &published);
    let close = close(&world, &published, &key);
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(ModelTokenError::AppointmentInForce);
    world.pass_slots(1);
    let third = post(&world, &operator, &published, true);
    world
        .send(std::slice::from_ref(&third), &[&cast.operator])
        .expect_error(OracleError::NotAppointed);
    let appointment = addresses::model_token::appointment(&published.model, &key);
    let (rent, before) = (world.lamports(&appointment), world.lamports(&cast.developer.pubkey()));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    assert_eq!(world.lamports(&cast.developer.pubkey()) - before, rent);

    // What is posted goes on to its end.
    for report in [case.report, second] {
        world.seal(&cast, &report);
        world.finalise(&cast, &report);
        assert_eq!(world.read::<Report>(&report).status, ReportStatus::Final);
    }
    world.split(&cast, &case.report);

    // Opened to everybody, or appointed again, it is back.
    set_access(&mut world, &cast, &published, OperatorAccess::Open);
    let fourth = post(&world, &operator, &published, false);
    world.send(&[fourth], &[&cast.operator]).expect_ok();
    set_access(&mut world, &cast, &published, OperatorAccess::Listed);
    appoint(&mut world, &cast, &published, &key);
    world.send(&[lane], &[&cast.alice]).expect_ok();
}

#[test]
fn given_a_dismissal_when_taken_back_before_or_after_its_notice_then_as_if_it_had_not_been() {
    for slots in [0, terms().notice_slots + 1] {
        let (mut world, cast, service) = given_open();
        let published = service.published;
        let key = cast.operator.pubkey();
        appoint(&mut world, &cast, &published, &key);
        set_access(&mut world, &cast, &published, OperatorAccess::Listed);
        world
            .send(&[dismiss(&cast, &published)], &[&cast.developer])
            .expect_ok();
        world.pass_slots(slots);
        appoint(&mut world, &cast, &published, &key);
        world.pass_slots(terms().notice_slots + 1);
        world.given_report(&cast.operator, &published);
        let close = close(&world, &published, &key);
        world
            .send(&[close], &[&cast.stranger])
            .expect_error(ModelTokenError::AppointmentInForce);
    }
}

#[test]
fn given_a_model_when_others_than_its_developer_say_who_operates_it_then_refused() {
    let (mut world, cast, service) = given_open();
    let published = service.published;
    let [developer, stranger, operator] = [&cast.developer, &cast.stranger, &cast.operator].map(Signer::pubkey);
    appoint(&mut world, &cast, &published, &operator);
    for instruction in [
        model_token::set_operator_access(developer, published.model, OperatorAccess::Listed),
        model_token::appoint_operator(developer, developer, published.model, stranger),
        dismiss(&cast, &published),
    ] {
        world
            .send(&[swap(&instruction, &developer, &stranger)], &[&cast.stranger])
            .expect_error(ModelTokenError::NotDeveloper);
    }
    let again = model_token::set_operator_access(developer, published.model, OperatorAccess::Open);
    world
        .send(&[again], &[&cast.developer])
        .expect_error(ModelTokenError::AccessUnchanged);
    // A developer dismisses from its own models only.
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    let foreign = swap(&dismiss(&cast, &published), &published.model, &other.model);
    world
        .send(&[foreign], &[&cast.developer])
        .expect_error(ModelTokenError::WrongModel);
}
