//! Posting, collecting against a bond, sealing and the end of a report; and the stake behind it.

use ::opml_oracle::{
    errors::OracleError,
    state::{Operator, Report, ReportStatus},
};
use ::revenue_escrow::errors::RevenueEscrowError;
use anchor_lang::error::ErrorCode;
use imo_client::{
    addresses,
    instructions::{
        opml_oracle::{self, ReportTerms},
        revenue_escrow,
    },
};
use imo_protocol::{Bucket, Collection, Now};
use imo_tests::{
    Outcome, World,
    attack::{swap, unsigned},
    models::{dense, honest},
    world::{BOND, STAKE, terms, usdc},
};
use solana_signer::Signer;

#[test]
fn given_a_bond_when_more_is_collected_than_it_covers_then_refused_by_the_unit() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let mut service = world.given_service(&cast, &model);
    // A bond of twice what is collected.
    let report = world.given_report_with_bond(&cast.operator, &service.published, usdc(20) + 1);
    assert_eq!(world.read::<Report>(&report).max_collect_units, usdc(10));
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    let (receipts, voucher) = world.given_answers(&mut service.customer, &[honest(&model, 0, usdc(10) + 1)]);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    world
        .send(&collect, &[&cast.operator])
        .expect_error(RevenueEscrowError::BondExceeded);

    // Two lanes that only together are too much.
    let mut second = world.given_customer(&cast.alice, &cast.watcher, &service.published, service.operator);
    let mut third = world.given_customer(&cast.bob, &cast.rival, &service.published, service.operator);
    for (customer, units, accepted) in [(&mut second, usdc(6), true), (&mut third, usdc(4) + 1, false)] {
        let lane = world.collected_lane(&cast.operator, customer, report);
        let (receipts, voucher) = world.given_answers(customer, &[honest(&model, 1, units)]);
        let collected = world.send(
            &revenue_escrow::collect(lane, &voucher, receipts.root()),
            &[&cast.operator],
        );
        if accepted {
            collected.expect_ok();
        } else {
            collected.expect_error(RevenueEscrowError::BondExceeded);
        }
    }
}

#[test]
fn given_more_than_a_lane_holds_when_collected_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let mut service = world.given_service(&cast, &model);
    let report = world.given_report_with_bond(&cast.operator, &service.published, STAKE);
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    let (receipts, voucher) =
        world.given_answers(&mut service.customer, &[honest(&model, 0, imo_tests::world::LANE + 1)]);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    world
        .send(&collect, &[&cast.operator])
        .expect_error(RevenueEscrowError::NotEnoughFunds);
}

#[test]
fn given_a_sealed_report_when_collected_or_sealed_again_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let mut service = world.given_service(&cast, &model);
    let report = world.given_report(&cast.operator, &service.published);
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    let (receipts, voucher) = world.given_answers(&mut service.customer, &[honest(&model, 0, usdc(1))]);
    world.seal(&cast, &report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    world
        .send(&collect, &[&cast.operator])
        .expect_error(RevenueEscrowError::ReportNotOpen);
    let seal = opml_oracle::seal_report(cast.operator.pubkey(), &world.read(&report));
    world
        .send(&[seal], &[&cast.operator])
        .expect_error(OracleError::ReportNotOpen);
    world.finalise(&cast, &report);
    world
        .send(&collect, &[&cast.operator])
        .expect_error(RevenueEscrowError::ReportNotOpen);
}

#[test]
fn given_a_report_that_stays_open_when_its_time_is_over_then_anyone_seals_and_nothing_more_is_collected() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let mut service = world.given_service(&cast, &model);
    let report = world.given_report(&cast.operator, &service.published);
    let (receipts, voucher) = world.given_answers(&mut service.customer, &[honest(&model, 0, usdc(1))]);
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    let seal = opml_oracle::seal_report(cast.stranger.pubkey(), &world.read(&report));
    let due = world.read::<Report>(&report).seal_by;
    let at = |slot, unix| Now {
        slot,
        unix,
        last_restart_slot: 0,
    };
    for now in [
        at(due.due_slot, due.due_unix),
        at(due.due_slot + 1, due.due_unix),
        at(due.due_slot, due.due_unix + 1),
    ] {
        world.set_now(now);
        world
            .send(std::slice::from_ref(&seal), &[&cast.stranger])
            .expect_error(OracleError::SealNotYours);
    }
    world.set_now(at(due.due_slot + 1, due.due_unix + 1));
    world
        .send(&collect, &[&cast.operator])
        .expect_error(RevenueEscrowError::ReportSealDue);
    let dispute = opml_oracle::open_dispute(
        cast.watcher.pubkey(),
        cast.watcher.pubkey(),
        &world.read(&report),
        0,
        [0; 32],
    );
    world.given_usdc(&cast.watcher.pubkey(), usdc(10));
    world
        .send(&[dispute], &[&cast.watcher])
        .expect_error(OracleError::ReportNotSealed);
    world.send(&[seal], &[&cast.stranger]).expect_ok();
    assert_eq!(
        world.read::<Report>(&report).window.opened_slot,
        due.due_slot + 1,
        "the window runs from the seal"
    );

    // Empty as it is, it ends, and the stake is free.
    world.finalise(&cast, &report);
    let operator: Operator = world.read(&service.operator);
    assert_eq!((operator.locked_units, operator.open_reports), (0, 0));
    let state: Report = world.read(&report);
    let bucket = addresses::revenue_escrow::bucket(&report);
    let rent = world.lamports(&report) + world.lamports(&bucket);
    let before = world.lamports(&cast.operator.pubkey());
    let close = [
        revenue_escrow::close_bucket(&world.read::<Bucket>(&bucket)),
        opml_oracle::close_report(&state),
    ];
    world.send(&close, &[&cast.stranger]).expect_ok();
    assert_eq!(world.lamports(&cast.operator.pubkey()) - before, rent);
}

#[test]
fn given_too_little_stake_or_bond_when_a_report_is_posted_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let authority = cast.operator.pubkey();
    let report = world.report_terms(&service.published, BOND);
    let post =
        |world: &World, report| opml_oracle::post_report(authority, &world.read::<Operator>(&service.operator), report);
    let smallest = terms().min_bond_units;
    let cases = [
        (
            ReportTerms {
                bond_units: smallest - 1,
                ..report
            },
            OracleError::BondTooSmall,
        ),
        (
            ReportTerms {
                bond_units: STAKE + 1,
                ..report
            },
            OracleError::NotEnoughFreeStake,
        ),
        (
            ReportTerms {
                period_start_unix: report.period_end_unix,
                ..report
            },
            OracleError::PeriodEmpty,
        ),
    ];
    for (report, error) in cases {
        let post = post(&world, report);
        world.send(&[post], &[&cast.operator]).expect_error(error);
    }
    let first = post(
        &world,
        ReportTerms {
            bond_units: STAKE - smallest + 1,
            ..report
        },
    );
    world.send(&[first], &[&cast.operator]).expect_ok();
    let second = post(
        &world,
        ReportTerms {
            bond_units: smallest,
            ..report
        },
    );
    world
        .send(&[second], &[&cast.operator])
        .expect_error(OracleError::NotEnoughFreeStake);
    // What is announced to leave answers for nothing any more.
    let unbond = opml_oracle::request_unbond(authority, world.usdc, smallest);
    world
        .send(&[unbond], &[&cast.operator])
        .expect_error(OracleError::NotEnoughFreeStake);
    let stake = opml_oracle::stake_bond(authority, service.operator, world.usdc, 1);
    world.given_usdc(&authority, 1);
    world.send(&[stake], &[&cast.operator]).expect_ok();
    let last = post(
        &world,
        ReportTerms {
            bond_units: smallest,
            ..report
        },
    );
    world.send(&[last], &[&cast.operator]).expect_ok();
}

#[test]
fn given_an_operator_when_somebody_else_acts_for_it_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let rival = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let [authority, rival_key, stranger] = [&cast.operator, &cast.rival, &cast.stranger].map(Signer::pubkey);
    let state: Operator = world.read(&service.operator);
    let post = opml_oracle::post_report(authority, &state, world.report_terms(&service.published, BOND));
    let own_signature = swap(&post, &authority, &rival_key);
    world
        .send(&[own_signature], &[&cast.rival])
        .expect_error(OracleError::NotTheAuthority);
    let unbond = opml_oracle::request_unbond(authority, world.usdc, 1);
    let recipient = addresses::payment_account(&stranger, &world.usdc);
    world.given_payment_account(&cast, &stranger);
    let withdraw = opml_oracle::withdraw_bond(authority, world.usdc, recipient);
    let profile = imo_tests::world::profile(&stranger);
    let update = opml_oracle::update_operator(authority, world.usdc, profile);
    for instruction in [unbond, withdraw, update] {
        let by_rival = swap(&instruction, &authority, &rival_key);
        world
            .send(&[by_rival], &[&cast.rival])
            .expect_error(OracleError::NotTheAuthority);
        let unsigned = unsigned(&instruction, &authority);
        world
            .send(&[unsigned], &[&cast.stranger])
            .expect_error(ErrorCode::AccountNotSigner);
    }
    let report = world.given_report(&cast.operator, &service.published);
    let seal = opml_oracle::seal_report(rival_key, &world.read(&report));
    world
        .send(std::slice::from_ref(&seal), &[&cast.rival])
        .expect_error(OracleError::SealNotYours);
    let with_own_operator = swap(&seal, &service.operator, &rival);
    world
        .send(&[with_own_operator], &[&cast.rival])
        .expect_error(OracleError::WrongOperator);
}

#[test]
fn given_stake_that_leaves_when_it_is_early_or_a_dispute_is_open_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let authority = cast.operator.pubkey();
    let recipient = addresses::payment_account(&authority, &world.usdc);
    let withdraw = opml_oracle::withdraw_bond(authority, world.usdc, recipient);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.operator])
        .expect_error(OracleError::NothingUnbonding);
    let unbond = opml_oracle::request_unbond(authority, world.usdc, usdc(100));
    world.send(&[unbond], &[&cast.operator]).expect_ok();
    let due = world.read::<Operator>(&service.operator).unbonding;
    assert!(due.length_slots() >= terms().finality_slots());

    // Another announcement counts all of it anew.
    world.pass_slots(100);
    let more = opml_oracle::request_unbond(authority, world.usdc, usdc(1));
    world.send(&[more], &[&cast.operator]).expect_ok();
    let due = world.read::<Operator>(&service.operator).unbonding;
    let at = |slot, unix| Now {
        slot,
        unix,
        last_restart_slot: 0,
    };
    for now in [
        at(due.due_slot, due.due_unix),
        at(due.due_slot + 1, due.due_unix),
        at(due.due_slot, due.due_unix + 1),
    ] {
        world.set_now(now);
        world
            .send(std::slice::from_ref(&withdraw), &[&cast.operator])
            .expect_error(OracleError::StillUnbonding);
    }

    // A report of it is disputed meanwhile.
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let own = opml_runtime::execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = imo_tests::world::Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    world.pass_slots(10);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.operator])
        .expect_error(OracleError::DisputesOpen);
    duel.time_out(&mut world, &cast.stranger);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.operator])
        .expect_error(OracleError::DisputesOpen);
    duel.settle(&mut world, &cast.stranger);
    world.send(&[withdraw], &[&cast.operator]).expect_ok();
    assert_eq!(world.usdc_of(&authority), usdc(101));
    assert_eq!(
        world.read::<Operator>(&case.service.operator).stake_units,
        STAKE - usdc(101)
    );
}

#[test]
fn given_a_report_when_finalised_then_not_before_the_window_is_past_and_only_once() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_collected(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let finalise = opml_oracle::finalise_report(&world.read(&case.report));
    world
        .send(std::slice::from_ref(&finalise), &[&cast.stranger])
        .expect_error(OracleError::ReportNotSealed);
    world.seal(&cast, &case.report);
    let due = world.read::<Report>(&case.report).window;
    let at = |slot, unix| Now {
        slot,
        unix,
        last_restart_slot: 0,
    };
    for now in [
        at(due.due_slot, due.due_unix),
        at(due.due_slot + 1, due.due_unix),
        at(due.due_slot, due.due_unix + 1),
    ] {
        world.set_now(now);
        world
            .send(std::slice::from_ref(&finalise), &[&cast.stranger])
            .expect_error(OracleError::WindowOpen);
    }
    let split = revenue_escrow::split(world.split_of(&cast, &case.report));
    world
        .send(std::slice::from_ref(&split), &[&cast.stranger])
        .expect_error(RevenueEscrowError::ReportNotFinal);
    world.set_now(at(due.due_slot + 1, due.due_unix + 1));
    world
        .send(std::slice::from_ref(&finalise), &[&cast.stranger])
        .expect_ok();
    world
        .send(&[finalise], &[&cast.stranger])
        .expect_error(OracleError::ReportEnded);
    let refund = revenue_escrow::refund(&world.read(&case.collection));
    world
        .send(&[refund], &[&cast.stranger])
        .expect_error(RevenueEscrowError::ReportNotRejected);

    // Closing in the wrong order.
    let collection: Collection = world.read(&case.collection);
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(&case.report));
    let close_collection = revenue_escrow::close_collection(&collection);
    let close_bucket = revenue_escrow::close_bucket(&bucket);
    let close_report = opml_oracle::close_report(&world.read(&case.report));
    let refused = world.send(std::slice::from_ref(&close_collection), &[&cast.stranger]);
    refused.expect_error(RevenueEscrowError::CollectionNeeded);
    world
        .send(std::slice::from_ref(&close_report), &[&cast.stranger])
        .expect_error(OracleError::BucketOpen);
    world.send(std::slice::from_ref(&split), &[&cast.stranger]).expect_ok();
    world
        .send(&[split], &[&cast.stranger])
        .expect_error(RevenueEscrowError::AlreadySplit);
    world
        .send(std::slice::from_ref(&close_bucket), &[&cast.stranger])
        .expect_error(RevenueEscrowError::BucketInUse);
    // An empty account in place of the bucket.
    let empty = cast.stranger.pubkey();
    let elsewhere = swap(&close_report, &addresses::revenue_escrow::bucket(&case.report), &empty);
    world
        .send(&[elsewhere], &[&cast.stranger])
        .expect_error(OracleError::WrongBucket);
    world.send(&[close_collection], &[&cast.stranger]).expect_ok();
    world.send(&[close_bucket], &[&cast.stranger]).expect_ok();
    world.send(&[close_report], &[&cast.stranger]).expect_ok();
    assert!(!world.exists(&case.report));
}

#[test]
fn given_a_final_report_when_the_model_has_no_token_then_the_developer_takes_the_holders_share() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    let vault = addresses::revenue_escrow::vault(&case.service.published.model);
    let owed = |recipient| {
        let earnings = addresses::revenue_escrow::earnings(&vault, &recipient);
        world.read::<::revenue_escrow::state::Earnings>(&earnings).owed_units
    };
    assert_eq!(owed(cast.developer.pubkey()), usdc(11));
    assert_eq!(owed(cast.operator.pubkey()), usdc(8));
    assert_eq!(owed(cast.treasury.pubkey()), usdc(1));
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Final);
}

#[test]
fn given_a_token_without_a_pool_when_split_then_refused_until_anyone_makes_the_pool() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let published = service.published;
    world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, imo_tests::world::ALICE_COMMITS);
    world.given_settled(&cast, &published);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    let split = revenue_escrow::split(world.split_of(&cast, &case.report));
    world
        .send(&[split], &[&cast.stranger])
        .expect_error(RevenueEscrowError::PoolMissing);
    world.given_pool(&cast, &published);
    world.split(&cast, &case.report);
    assert_eq!(world.pool(&published).redeem_units, usdc(9));
}

#[test]
fn given_earnings_when_withdrawn_then_only_to_the_recipient_and_only_once() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    let [operator, stranger] = [&cast.operator, &cast.stranger].map(Signer::pubkey);
    world.given_payment_account(&cast, &stranger);
    let model = case.service.published.model;
    let withdraw = revenue_escrow::withdraw_earnings(stranger, model, operator, world.usdc);
    let [to_operator, to_stranger] = [operator, stranger].map(|owner| addresses::payment_account(&owner, &world.usdc));
    let stolen = swap(&withdraw, &to_operator, &to_stranger);
    world
        .send(&[stolen], &[&cast.stranger])
        .expect_error(RevenueEscrowError::WrongDestination);
    // Frozen: it stays owed, and the recipient may name another account.
    world.set_frozen(&to_operator, true);
    let frozen = anchor_spl::token::spl_token::error::TokenError::AccountFrozen as u32;
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.stranger])
        .expect_error(frozen);
    let elsewhere = swap(&swap(&withdraw, &stranger, &operator), &to_operator, &to_stranger);
    world.send(&[elsewhere], &[&cast.operator]).expect_ok();
    assert_eq!(world.usdc_of(&stranger), usdc(8));
    world.set_frozen(&to_operator, false);
    world
        .send(&[withdraw], &[&cast.stranger])
        .expect_error(RevenueEscrowError::AmountIsZero);
}

#[test]
fn given_one_person_as_operator_developer_and_treasury_when_split_then_owed_all_three_shares() {
    let (mut world, cast) = World::with_protocol();
    let developer = cast.developer.pubkey();
    let settings = ::model_token::state::Settings {
        treasury: developer,
        ..world.settings(&cast)
    };
    world.given_settings(&cast, settings);
    let model = dense(&[4, 3]);
    let published = world.given_model(&cast, &model);
    world.given_vault(&cast, &published);
    let operator = world.given_operator(&cast.developer, &cast.backup.pubkey());
    let customer = world.given_customer(&cast.payer, &cast.session, &published, operator);
    let service = imo_tests::world::Service {
        published,
        operator,
        customer,
    };
    let case = world.given_sealed_by(&cast.developer, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    let split = imo_client::instructions::revenue_escrow::SplitReport {
        treasury: developer,
        ..world.split_of(&cast, &case.report)
    };
    world
        .send(&[revenue_escrow::split(split)], &[&cast.stranger])
        .expect_ok();
    let vault = addresses::revenue_escrow::vault(&published.model);
    let earnings = addresses::revenue_escrow::earnings(&vault, &developer);
    assert_eq!(
        world.read::<::revenue_escrow::state::Earnings>(&earnings).owed_units,
        usdc(20)
    );
}

#[test]
fn given_two_payers_when_they_ask_the_same_then_each_has_a_request_of_its_own_and_both_count() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let mut service = world.given_service(&cast, &model);
    let (payer, session) = (world.actor(), world.key());
    let mut second = world.given_customer(&payer, &session, &service.published, service.operator);
    let report = world.given_report(&cast.operator, &service.published);
    let asked = [honest(&model, 7, usdc(1))];
    for customer in [&mut service.customer, &mut second] {
        let (receipts, voucher) = world.given_answers(customer, &asked);
        let lane = world.collected_lane(&cast.operator, customer, report);
        let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
        world.send(&collect, &[&cast.operator]).expect_ok();
    }
    let [first, second] = [&service.customer.lane, &second.lane].map(|lane| {
        let collection = addresses::revenue_escrow::collection(&report, lane);
        world.read::<Collection>(&collection)
    });
    assert_eq!((first.count, second.count), (1, 1));
    assert_ne!(
        first.receipts_root, second.receipts_root,
        "the same answer in two places"
    );
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(&report));
    assert_eq!(bucket.collected_units, usdc(2));
}
