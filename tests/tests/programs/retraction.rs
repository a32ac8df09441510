//! Collections that their operator takes back before anybody else finds the error.

use ::opml_oracle::{
    game::Phase,
    state::{Operator, ReportStatus},
};
use ::revenue_escrow::{
    errors::RevenueEscrowError,
    state::{Credit, Earnings},
};
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    instructions::{opml_oracle, revenue_escrow},
};
use imo_protocol::{Bucket, Collection};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest, lying},
    world::{BOND, CREDIT, Case, Duel, LANE, STAKE, usdc},
};
use opml_runtime::{Model, execute};
use solana_signer::Signer;

/// What is collected, and what everybody but the operator would have got of it: the operator's 40 percent are rounded down.
const PRICE: u64 = usdc(10) + 1;
const FEE: u64 = PRICE - 4_000_000;
/// The fee in proportion to 15, 10 and 5 of the other 60 percent; without a token, the developer takes the redeem pool's and the holders' part, too.
const TO_PROTOCOL: u64 = 500_000;
const TO_DEVELOPER: u64 = FEE - TO_PROTOCOL;

fn runtime() -> Model {
    dense(&[8, 6, 3])
}

/// An open report with one collection, and an operator that can pay for taking it back.
fn given_open() -> (World, Cast, Case) {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &runtime());
    let case = world.given_collected(&cast, service, vec![lying(&runtime(), 0, PRICE, 0)]);
    world.given_usdc(&cast.operator.pubkey(), FEE);
    (world, cast, case)
}

fn available(world: &World, case: &Case) -> u64 {
    world.read::<Credit>(&case.service.customer.credit).available_units
}

fn earned(world: &World, case: &Case, recipient: &Pubkey) -> u64 {
    let vault = addresses::revenue_escrow::vault(&case.service.published.model);
    let earnings = addresses::revenue_escrow::earnings(&vault, recipient);
    if world.is_made(&earnings) {
        world.read::<Earnings>(&earnings).owed_units
    } else {
        0
    }
}

fn free(world: &World, case: &Case) -> u64 {
    let operator: Operator = world.read(&case.service.operator);
    operator.free_units().expect("the counters fit")
}

#[test]
fn given_an_error_found_in_time_when_retracted_then_the_payer_is_refunded_and_all_others_get_what_they_would_have() {
    for sealed_before in [false, true] {
        let (mut world, cast, case) = given_open();
        let operator = cast.operator.pubkey();
        if sealed_before {
            world.seal(&cast, &case.report);
        }
        world.retract(&cast.operator, &case.collection);
        assert_eq!(world.usdc_of(&operator), 0);
        if !sealed_before {
            world.seal(&cast, &case.report);
        }
        // The money and the bond wait until the end of the window.
        let refund = revenue_escrow::refund(&world.read(&case.collection));
        world
            .send(&[refund], &[&cast.stranger])
            .expect_error(RevenueEscrowError::ReportNotRejected);
        assert_eq!(free(&world, &case), STAKE - BOND);
        world.finalise(&cast, &case.report);
        assert_eq!(free(&world, &case), STAKE);

        world.refund(&cast, &case);
        assert_eq!(available(&world, &case), CREDIT - LANE + PRICE);
        assert!(!world.is_made(&case.collection));
        let bucket = addresses::revenue_escrow::bucket(&case.report);
        let close = revenue_escrow::close_bucket(&world.read::<Bucket>(&bucket));
        world
            .send(std::slice::from_ref(&close), &[&cast.stranger])
            .expect_error(RevenueEscrowError::NotEmpty);
        world.split(&cast, &case.report);
        let [developer, treasury] = [&cast.developer, &cast.treasury].map(Signer::pubkey);
        assert_eq!(earned(&world, &case, &operator), 0);
        assert_eq!(earned(&world, &case, &developer), TO_DEVELOPER);
        assert_eq!(earned(&world, &case, &treasury), TO_PROTOCOL);
        world.send(&[close], &[&cast.stranger]).expect_ok();
        let close = opml_oracle::close_report(&world.read(&case.report));
        world.send(&[close], &[&cast.stranger]).expect_ok();
    }
}

#[test]
fn given_two_collections_when_one_is_retracted_then_the_split_counts_the_other_and_the_first_waits_for_its_refund() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &runtime());
    let mut second = world.given_customer(&cast.alice, &cast.watcher, &service.published, service.operator);
    let case = world.given_collected(&cast, service, vec![honest(&runtime(), 0, usdc(20))]);
    let (receipts, voucher) = world.given_answers(&mut second, &[lying(&runtime(), 1, PRICE, 0)]);
    let lane = world.collected_lane(&cast.operator, &second, case.report);
    world
        .send(
            &revenue_escrow::collect(lane, &voucher, receipts.root()),
            &[&cast.operator],
        )
        .expect_ok();
    let wrong = addresses::revenue_escrow::collection(&case.report, &second.lane);
    world.given_usdc(&cast.operator.pubkey(), FEE);
    world.retract(&cast.operator, &wrong);
    world.seal(&cast, &case.report);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    assert_eq!(earned(&world, &case, &cast.operator.pubkey()), usdc(8));
    assert_eq!(earned(&world, &case, &cast.treasury.pubkey()), usdc(1) + TO_PROTOCOL);
    assert_eq!(earned(&world, &case, &cast.developer.pubkey()), usdc(11) + TO_DEVELOPER);

    // What stands cannot be refunded, and what is retracted cannot be closed before its payer has the money.
    let state: Collection = world.read(&wrong);
    let early = revenue_escrow::close_collection(&state);
    world
        .send(&[early], &[&cast.stranger])
        .expect_error(RevenueEscrowError::CollectionNeeded);
    let standing = revenue_escrow::refund(&world.read(&case.collection));
    world
        .send(&[standing], &[&cast.stranger])
        .expect_error(RevenueEscrowError::ReportNotRejected);
    let before = world.read::<Credit>(&second.credit).available_units;
    world
        .send(&[revenue_escrow::refund(&state)], &[&cast.stranger])
        .expect_ok();
    assert_eq!(world.read::<Credit>(&second.credit).available_units - before, PRICE);
    let close = revenue_escrow::close_collection(&world.read(&case.collection));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

#[test]
fn given_a_retracted_lie_when_a_watcher_proves_it_all_the_same_then_slashed_and_the_payer_gets_the_fee_too() {
    let (mut world, cast, case) = given_open();
    world.retract(&cast.operator, &case.collection);
    world.seal(&cast, &case.report);
    let model = runtime();
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    // The payer need not wait for the dispute to be settled, and is not paid twice.
    world.refund(&cast, &case);
    assert_eq!(available(&world, &case), CREDIT - LANE + PRICE + FEE);
    let again = revenue_escrow::refund(&world.read(&case.collection));
    world
        .send(&[again], &[&cast.stranger])
        .expect_error(RevenueEscrowError::AlreadyRefunded);
    duel.settle(&mut world, &cast.stranger);
    assert_eq!(free(&world, &case), STAKE - BOND);
    let close = revenue_escrow::close_collection(&world.read(&case.collection));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let bucket = addresses::revenue_escrow::bucket(&case.report);
    let close = revenue_escrow::close_bucket(&world.read::<Bucket>(&bucket));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

#[test]
fn given_a_dispute_when_the_operator_wants_to_escape_then_too_late_to_retract() {
    let (mut world, cast, case) = given_open();
    world.seal(&cast, &case.report);
    let model = runtime();
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let retract = world.retraction_of(&cast.operator, &case.collection);
    world
        .send(std::slice::from_ref(&retract), &[&cast.operator])
        .expect_error(RevenueEscrowError::ReportIsChallenged);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    world
        .send(&[retract], &[&cast.operator])
        .expect_error(RevenueEscrowError::TooLateToRetract);
    duel.settle(&mut world, &cast.stranger);
}

#[test]
fn given_a_collection_when_retracted_twice_late_or_by_others_then_refused() {
    let (mut world, cast, case) = given_open();
    let [operator, stranger] = [&cast.operator, &cast.stranger].map(Signer::pubkey);
    world.given_usdc(&stranger, FEE);
    world.given_usdc(&operator, FEE);
    let retract = world.retraction_of(&cast.operator, &case.collection);
    let tokens = |key: &Pubkey| addresses::payment_account(key, &world.usdc);
    let by_stranger = swap(
        &swap(&retract, &operator, &stranger),
        &tokens(&operator),
        &tokens(&stranger),
    );
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(RevenueEscrowError::NotOperatorAuthority);
    let rival = world.given_operator(&cast.rival, &cast.backup.pubkey());
    world.given_usdc(&cast.rival.pubkey(), FEE);
    let by_rival = swap(
        &swap(&retract, &operator, &cast.rival.pubkey()),
        &case.service.operator,
        &rival,
    );
    world
        .send(&[by_rival], &[&cast.rival])
        .expect_error(RevenueEscrowError::WrongOperator);
    world
        .send(std::slice::from_ref(&retract), &[&cast.operator])
        .expect_ok();
    world
        .send(&[retract], &[&cast.operator])
        .expect_error(RevenueEscrowError::AlreadyRetracted);

    let late = world.given_collected(&cast, case.service, vec![honest(&runtime(), 1, PRICE)]);
    world.seal(&cast, &late.report);
    world.finalise(&cast, &late.report);
    assert_eq!(
        world.read::<::opml_oracle::state::Report>(&late.report).status,
        ReportStatus::Final
    );
    let retract = world.retraction_of(&cast.operator, &late.collection);
    world
        .send(&[retract], &[&cast.operator])
        .expect_error(RevenueEscrowError::TooLateToRetract);
}

#[test]
fn given_a_retraction_when_more_is_collected_then_the_bond_answers_for_both() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &runtime());
    let mut second = world.given_customer(&cast.alice, &cast.watcher, &service.published, service.operator);
    // A bond of 100 answers for 50.
    let case = world.given_collected(&cast, service, vec![honest(&runtime(), 0, usdc(30))]);
    world.given_usdc(&cast.operator.pubkey(), usdc(18));
    world.retract(&cast.operator, &case.collection);
    let (receipts, voucher) = world.given_answers(&mut second, &[honest(&runtime(), 1, usdc(20) + 1)]);
    let lane = world.collected_lane(&cast.operator, &second, case.report);
    world
        .send(
            &revenue_escrow::collect(lane, &voucher, receipts.root()),
            &[&cast.operator],
        )
        .expect_error(RevenueEscrowError::BondExceeded);
}

#[test]
fn given_a_bucket_when_closed_before_its_report_has_ended_or_opened_after_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &runtime());
    let report = world.given_report(&cast.operator, &service.published);
    let bucket = addresses::revenue_escrow::bucket(&report);
    let close = revenue_escrow::close_bucket(&world.read::<Bucket>(&bucket));
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(RevenueEscrowError::ReportNotEnded);
    world.seal(&cast, &report);
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(RevenueEscrowError::ReportNotEnded);
    world.finalise(&cast, &report);
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let again = revenue_escrow::open_bucket(cast.stranger.pubkey(), report);
    world
        .send(&[again], &[&cast.stranger])
        .expect_error(RevenueEscrowError::ReportNotOpen);
}
