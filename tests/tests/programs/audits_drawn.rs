//! Which receipt an audit is about, and who says so.

use ::model_token::state::{AuditTerms, Checkable, Settings};
use ::opml_oracle::{
    audit_game::{DRAW_LAG_SLOTS, DRAW_PERIOD_SLOTS, TURNS_TO_DRAW},
    errors::OracleError,
    state::Report,
};
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    instructions::{audit as send, opml_oracle, revenue_escrow},
};
use imo_protocol::{Bucket, Collection};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    cluster::slot_hash,
    models::{dense, honest},
    world::{AUDITS, Case, Sampling, Service, terms, usdc},
};
use opml_runtime::Model;
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

fn model() -> Model {
    dense(&[8, 6, 3])
}

/// A sealed report of five receipts, with money for two audits.
fn given_a_case() -> (World, Cast, Case) {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, 2 * AUDITS.fee_units);
    let service = world.given_service(&cast, &model());
    let asked = (0..5).map(|seed| honest(&model(), seed, usdc(1))).collect();
    let case = world.given_sealed(&cast, service, asked);
    (world, cast, case)
}

fn sealed_slot(world: &World, case: &Case) -> u64 {
    world.read::<Report>(&case.report).window.opened_slot
}

#[track_caller]
fn assert_refused(world: &mut World, cast: &Cast, case: &Case, number: u8, expected: OracleError) {
    let draw = Sampling::draw_of(world, &cast.stranger.pubkey(), case, number);
    world.send(&[draw], &[&cast.stranger]).expect_error(expected);
}

#[test]
fn given_a_sealed_report_when_drawn_around_the_first_slot_that_decides_then_not_before_its_hash_is_known() {
    let (mut world, cast, case) = given_a_case();
    let first = sealed_slot(&world, &case) + DRAW_LAG_SLOTS;
    for slot in [first - 1, first] {
        world.pass_until_slot(slot);
        world.set_slot_hashes(|_| false);
        assert_refused(&mut world, &cast, &case, 0, OracleError::DrawTooEarly);
    }
    // The slot itself had no block: the next one that has decides, once it is there.
    let skipped = |slot| slot == first;
    world.pass_until_slot(first + 1);
    world.set_slot_hashes(skipped);
    assert_refused(&mut world, &cast, &case, 0, OracleError::DrawTooEarly);
    world.pass_until_slot(first + 2);
    world.set_slot_hashes(skipped);
    let draw = Sampling::draw_of(&world, &cast.stranger.pubkey(), &case, 0);
    world.send(&[draw], &[&cast.stranger]).expect_ok();

    let audit = Sampling::of(&case, 0).state(&world);
    assert_eq!(audit.deciding_slot, first + 1);
    let receipt = ::opml_oracle::audit_game::drawn_receipt(&slot_hash(first + 1), &case.report.to_bytes(), 0, 5);
    assert_eq!(Some(u64::from(audit.receipt_index)), receipt);
    assert_eq!((audit.collection, audit.by_permission), (case.collection, false));
    assert_eq!(world.audit_fund().owed_units, AUDITS.fee_units);
    let report: Report = world.read(&case.report);
    assert_eq!(
        (report.audits_drawn, report.open_audits, report.demands_pending),
        (1, 1, 0)
    );
    // A draw asks nothing of anybody: the operator may still take a collection back.
    assert!(report.is_unchallenged());
}

#[test]
fn given_two_callers_at_different_times_of_a_period_when_they_draw_then_the_same_receipt_and_only_once() {
    let (mut world, cast, case) = given_a_case();
    world.pass_draw(&case.report);
    let mut late = world.fork().expect("a light world can be forked");
    // A little before the last moment, because the clock is rounded up.
    let slot = sealed_slot(&late, &case) + terms().window_slots - TURNS_TO_DRAW * terms().response_slots - 5;
    late.pass_until_slot(slot);
    late.set_slot_hashes(|_| false);
    assert!(slot > sealed_slot(&late, &case) + DRAW_LAG_SLOTS + 1 && slot < DRAW_PERIOD_SLOTS + world.now().slot);
    let [one, other] = [(&mut world, &cast.stranger), (&mut late, &cast.operator)].map(|(world, caller)| {
        let draw = Sampling::draw_of(world, &caller.pubkey(), &case, 0);
        world.send(std::slice::from_ref(&draw), &[caller]).expect_ok();
        world.send(&[draw], &[caller]).expect_error(ALREADY_IN_USE);
        let audit = Sampling::of(&case, 0).state(world);
        (audit.deciding_slot, audit.receipt_index)
    });
    assert_eq!(one, other);
}

#[test]
fn given_an_audit_that_was_closed_when_drawn_again_then_refused() {
    let (mut world, cast, case) = given_a_case();
    let audit = Sampling::draw(&mut world, &cast, &case, 0);
    audit.wait(&mut world);
    audit.settle(&mut world, &cast.stranger);
    audit.close(&mut world, &cast.stranger);
    // The address is free, but the report remembers.
    world.set_slot_hashes(|_| false);
    assert_refused(&mut world, &cast, &case, 0, OracleError::AlreadyDrawn);
}

#[test]
fn given_a_window_when_a_slot_too_little_is_left_then_not_drawn() {
    let (mut world, cast, case) = given_a_case();
    let last = sealed_slot(&world, &case) + terms().window_slots - TURNS_TO_DRAW * terms().response_slots;
    world.pass_until_slot(last);
    world.set_slot_hashes(|_| false);
    let mut later = world.fork().expect("a light world can be forked");
    later.pass_until_slot(last + 1);
    later.set_slot_hashes(|_| false);
    assert_refused(&mut later, &cast, &case, 0, OracleError::WindowTooShort);
    let draw = Sampling::draw_of(&world, &cast.stranger.pubkey(), &case, 0);
    world.send(&[draw], &[&cast.stranger]).expect_ok();
}

#[test]
fn given_a_report_of_five_receipts_when_a_second_audit_is_drawn_then_there_is_one_only() {
    let (mut world, cast, case) = given_a_case();
    world.pass_draw(&case.report);
    for number in [1, 15, 16, 255] {
        let draw = Sampling::draw_of(&world, &cast.stranger.pubkey(), &case, number);
        world
            .send(&[draw], &[&cast.stranger])
            .expect_error(OracleError::NoSuchAudit);
    }
}

#[test]
fn given_two_collections_when_drawn_then_only_the_one_that_holds_the_receipt_is_accepted() {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, 2 * AUDITS.fee_units);
    let model = model();
    let service = world.given_service(&cast, &model);
    let (published, operator) = (service.published, service.operator);
    let asked = |seeds: std::ops::Range<u64>| seeds.map(|seed| honest(&model, seed, usdc(1))).collect::<Vec<_>>();
    let case = world.given_collected(&cast, service, asked(0..3));
    let mut customer = world.given_customer(&cast.alice, &cast.session, &published, operator);
    let more = asked(3..7);
    let (receipts, voucher) = world.given_answers(&mut customer, &more);
    let lane = world.collected_lane(&cast.operator, &customer, case.report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    world.send(&collect, &[&cast.operator]).expect_ok();
    world.seal(&cast, &case.report);
    let second = addresses::revenue_escrow::collection(&case.report, &customer.lane);
    let [a, b]: [Collection; 2] = [case.collection, second].map(|address| world.read(&address));
    assert_eq!((a.first_receipt, a.count, b.first_receipt, b.count), (0, 3, 3, 4));
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(&case.report));
    assert_eq!(bucket.receipt_count, 7);

    world.pass_draw(&case.report);
    let drawn = world.drawn(&case.report, 0).expect("a slot decides");
    let (right, wrong) = if drawn < 3 { (a, b) } else { (b, a) };
    let report: Report = world.read(&case.report);
    let stranger = cast.stranger.pubkey();
    let elsewhere = send::draw_audit(stranger, &report, &wrong, 0);
    world
        .send(&[elsewhere], &[&cast.stranger])
        .expect_error(OracleError::NotTheDrawnReceipt);
    let draw = send::draw_audit(stranger, &report, &right, 0);
    world.send(&[draw], &[&cast.stranger]).expect_ok();
    let audit = Sampling::of(&case, 0).state(&world);
    assert_eq!(u64::from(audit.receipt_index), drawn - right.first_receipt);
    assert_eq!(
        audit.collection,
        addresses::revenue_escrow::collection(&case.report, &right.lane)
    );
}

#[test]
fn given_another_account_in_place_of_the_sysvar_when_drawn_then_refused() {
    let (mut world, cast, case) = given_a_case();
    world.pass_draw(&case.report);
    let sysvar = ::opml_oracle::constants::SLOT_HASHES;
    let look_alike = Pubkey::new_from_array([0x51; 32]);
    let copy = world.account(&sysvar).expect("the chain keeps its hashes");
    world.set_account(&look_alike, copy);
    let draw = Sampling::draw_of(&world, &cast.stranger.pubkey(), &case, 0);
    world
        .send(&[swap(&draw, &sysvar, &look_alike)], &[&cast.stranger])
        .expect_error(OracleError::NotSlotHashes);
}

#[test]
fn given_a_fund_without_the_fee_or_no_fee_at_all_when_drawn_then_refused() {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, AUDITS.fee_units - 1);
    let service = world.given_service(&cast, &model());
    let case = world.given_sealed(&cast, service, vec![honest(&model(), 0, usdc(1))]);
    world.pass_draw(&case.report);
    assert_refused(&mut world, &cast, &case, 0, OracleError::AuditFundShort);
    // Anyone adds to it by a transfer.
    let tokens = addresses::opml_oracle::audit_tokens(&world.usdc);
    world.given_usdc_at(&tokens, 1);
    let draw = Sampling::draw_of(&world, &cast.stranger.pubkey(), &case, 0);
    world.send(&[draw], &[&cast.stranger]).expect_ok();
    assert_eq!(world.audit_fund().owed_units, world.audit_tokens());

    let free = Settings {
        audits: AuditTerms { fee_units: 0, ..AUDITS },
        ..world.settings(&cast)
    };
    world.given_settings(&cast, free);
    world.given_usdc_at(&tokens, usdc(10));
    let case = world.given_sealed(&cast, case.service, vec![honest(&model(), 1, usdc(1))]);
    world.pass_draw(&case.report);
    assert_refused(&mut world, &cast, &case, 0, OracleError::AuditFundShort);
}

#[test]
fn given_a_report_that_is_open_or_has_ended_when_drawn_then_refused() {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, AUDITS.fee_units);
    let service = world.given_service(&cast, &model());
    let case = world.given_collected(&cast, service, vec![honest(&model(), 0, usdc(1))]);
    assert_refused(&mut world, &cast, &case, 0, OracleError::ReportNotSealed);
    world.seal(&cast, &case.report);
    world.finalise(&cast, &case.report);
    world.set_slot_hashes(|_| false);
    assert_refused(&mut world, &cast, &case, 0, OracleError::ReportEnded);
}

#[test]
fn given_a_version_that_nobody_can_check_when_drawn_then_refused_and_one_for_some_by_permission_only() {
    for (checkable, by_permission) in [(Checkable::Nobody, None), (Checkable::WithAccess, Some(true))] {
        let (mut world, cast) = World::light();
        world.given_audits(&cast, AUDITS.fee_units);
        let published = world.given_header_checkable_by(&cast, 0, model().header(), checkable);
        world.given_vault(&cast, &published);
        let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
        let customer = world.given_customer(&cast.payer, &cast.session, &published, operator);
        let service = Service {
            published,
            operator,
            customer,
        };
        let case = world.given_sealed(&cast, service, vec![honest(&model(), 0, usdc(1))]);
        world.pass_draw(&case.report);
        let draw = Sampling::draw_of(&world, &cast.stranger.pubkey(), &case, 0);
        let landed = world.send(&[draw], &[&cast.stranger]);
        match by_permission {
            None => landed.expect_error(OracleError::NotAuditable),
            Some(expected) => {
                landed.expect_ok();
                assert_eq!(Sampling::of(&case, 0).state(&world).by_permission, expected);
            }
        }
    }
}

#[test]
fn given_a_mint_that_is_not_listed_when_its_fund_is_made_then_refused_and_none_is_made_twice() {
    let (mut world, cast) = World::light();
    let stranger = cast.stranger.pubkey();
    let other = world.key().pubkey();
    world.create_mint(&other, &stranger);
    let create = send::create_audit_fund(stranger, other);
    world
        .send(&[create], &[&cast.stranger])
        .expect_error(OracleError::MintNotAllowed);
    let create = send::create_audit_fund(stranger, world.usdc);
    world.send(std::slice::from_ref(&create), &[&cast.stranger]).expect_ok();
    world.send(&[create], &[&cast.stranger]).expect_error(ALREADY_IN_USE);
}

#[test]
fn given_a_drawn_audit_when_its_report_is_to_be_closed_then_settled_first() {
    let (mut world, cast, case) = given_a_case();
    let audit = Sampling::draw(&mut world, &cast, &case, 0);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    let close = revenue_escrow::close_collection(&world.read(&case.collection));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(&case.report));
    world
        .send(&[revenue_escrow::close_bucket(&bucket)], &[&cast.stranger])
        .expect_ok();
    let close = opml_oracle::close_report(&world.read(&case.report));
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(OracleError::AuditsOpen);
    audit.settle(&mut world, &cast.stranger);
    assert_eq!(world.audit_fund().owed_units, 0);
    world.send(&[close], &[&cast.stranger]).expect_ok();
    // The audit's account needs no report.
    let (rent, before) = (world.lamports(&audit.audit), world.lamports(&cast.stranger.pubkey()));
    let close = send::close_audit(&audit.state(&world));
    world.send(&[close], &[&cast.alice]).expect_ok();
    assert_eq!(world.lamports(&cast.stranger.pubkey()), before + rent);
}
