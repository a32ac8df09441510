//! Who gets the fees of an inquiry, and what not answering costs.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Operator, Report, ReportStatus, StakeVault},
};
use ::revenue_escrow::state::Credit;
use anchor_lang::error::ErrorCode;
use imo_client::{
    addresses,
    data::Source,
    instructions::{data, opml_oracle},
};
use imo_protocol::Bucket;
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest, lying},
    world::{BOND, CREDIT, Case, Duel, LANE, STAKE, Search, terms, usdc},
};
use opml_runtime::{Model, execute};
use solana_signer::Signer;

/// What a demander starts with for each inquiry.
const DEMANDER: u64 = usdc(1);

fn model() -> Model {
    dense(&[8, 6, 3])
}

fn given_a_case(world: &mut World, cast: &Cast) -> Case {
    let service = world.given_service(cast, &model());
    let asked = (0..5).map(|seed| honest(&model(), seed, usdc(2))).collect();
    world.given_sealed(cast, service, asked)
}

/// What an answer of this many bytes costs.
fn fee(bytes: u64) -> u64 {
    terms().byte_fee_units * bytes.max(512)
}

fn share() -> u64 {
    BOND * u64::from(terms().prover_share_bps) / 10_000
}

fn vault(world: &World) -> StakeVault {
    world.read(&addresses::opml_oracle::stake_vault(&world.usdc))
}

#[test]
fn given_answered_demands_when_the_report_is_final_then_the_operator_has_earned_the_fees() {
    let (mut world, cast) = World::with_protocol();
    let case = given_a_case(&mut world, &cast);
    let receipts = case.all_receipts();
    let source = Source::Receipts(&case.receipts, &receipts);
    let search = Search::receipts(&mut world, &cast.watcher, &case, 0);
    // Two hashes, then four receipts.
    search.walk(&mut world, &cast.operator, 0, source);
    let fees = fee(2 * 32) + fee(4 * 96);
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), DEMANDER - fees);
    assert_eq!(search.state(&world).fees_units, fees);
    assert_eq!(vault(&world).owed_units, STAKE + fees);

    let settle = data::settle_inquiry(&search.state(&world));
    world
        .send(std::slice::from_ref(&settle), &[&cast.stranger])
        .expect_error(OracleError::ReportNotEnded);
    let early = data::withdraw_inquiry(cast.stranger.pubkey(), &search.state(&world));
    world
        .send(&[early], &[&cast.stranger])
        .expect_error(OracleError::NotSettled);
    world.finalise(&cast, &case.report);
    world.send(std::slice::from_ref(&settle), &[&cast.stranger]).expect_ok();
    world
        .send(&[settle], &[&cast.stranger])
        .expect_error(OracleError::AlreadySettled);
    let operator: Operator = world.read(&case.service.operator);
    assert_eq!(operator.free_units().expect("the counters agree"), STAKE + fees);

    let (rent, before) = (world.lamports(&search.inquiry), world.lamports(&cast.watcher.pubkey()));
    search.pay_out(&mut world, &cast.stranger);
    assert_eq!(world.lamports(&cast.watcher.pubkey()), before + rent);
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), DEMANDER - fees);
    assert_eq!(vault(&world).owed_units, STAKE + fees);
}

#[test]
fn given_withheld_receipts_when_timed_out_then_slashed_and_the_demander_has_fees_costs_and_share() {
    let (mut world, cast) = World::with_protocol();
    let case = given_a_case(&mut world, &cast);
    let receipts = case.all_receipts();
    let search = Search::receipts(&mut world, &cast.watcher, &case, 0);
    search.demand(&mut world, 0);
    search.serve(&mut world, &cast.operator, Source::Receipts(&case.receipts, &receipts));
    search.demand(&mut world, 0);
    search.time_out(&mut world, &cast.stranger);

    let report: Report = world.read(&case.report);
    assert_eq!(report.status, ReportStatus::Rejected);
    assert_eq!((report.disputes_opened, report.disputes_settled), (1, 0));
    let operator: Operator = world.read(&case.service.operator);
    assert_eq!(
        (operator.stake_units, operator.locked_units, operator.open_disputes),
        (STAKE - BOND, 0, 1)
    );
    world.refund(&cast, &case);
    let credit: Credit = world.read(&case.service.customer.credit);
    assert_eq!(credit.available_units, CREDIT - LANE + case.collected_units);

    search.settle(&mut world, &cast.stranger);
    let costs = 2 * terms().move_cost_units;
    assert_eq!(vault(&world).insurance_units, BOND - costs - share());
    assert_eq!(world.read::<Operator>(&case.service.operator).open_disputes, 0);
    search.pay_out(&mut world, &cast.stranger);
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), DEMANDER + costs + share());
}

#[test]
fn given_an_input_root_that_is_no_tree_when_a_stranger_demands_it_then_it_wins_by_silence() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let service = world.given_service(&cast, &model);
    let mut asked = honest(&model, 0, usdc(2));
    asked.claim.input_root = [0x6E; 32];
    let case = world.given_sealed(&cast, service, vec![asked]);
    let search = Search::input(&mut world, &cast.stranger, &case, 0, 0);
    search.demand(&mut world, 0);
    let serve = data::serve_data(&search.state(&world), case.asked[0].input.bytes().to_vec());
    world
        .send(&[serve], &[&cast.operator])
        .expect_error(OracleError::WrongPreimage);
    search.time_out(&mut world, &cast.stranger);
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Rejected);
}

#[test]
fn given_a_dispute_opened_before_when_data_is_withheld_then_the_dispute_is_settled_first_and_has_the_share() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(2), 0)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let search = Search::input(&mut world, &cast.rival, &case, 0, 0);
    search.demand(&mut world, 0);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    // The challenger goes on in time, although nobody answers the other.
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Traced);
    world.pass_slots(100);
    duel.challenger_moves(&mut world);
    search.time_out(&mut world, &cast.stranger);
    assert_eq!(search.state(&world).order, Some(1));
    let settle = data::settle_inquiry(&search.state(&world));
    world
        .send(std::slice::from_ref(&settle), &[&cast.stranger])
        .expect_error(OracleError::SettleInOrder);

    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    duel.settle(&mut world, &cast.stranger);
    world.send(&[settle], &[&cast.stranger]).expect_ok();
    duel.pay_out(&mut world, &cast.stranger);
    search.pay_out(&mut world, &cast.stranger);
    let cost = terms().move_cost_units;
    assert_eq!(world.usdc_of(&cast.rival.pubkey()), DEMANDER + cost);
    let watcher = usdc(10) - terms().open_fee_units + 3 * cost + share();
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), watcher);
    assert_eq!(
        vault(&world).insurance_units,
        terms().open_fee_units + BOND - 4 * cost - share()
    );
}

#[test]
fn given_a_pending_demand_when_the_report_is_rejected_by_another_then_the_fees_come_back_and_nothing_else() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(2), 0)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let search = Search::input(&mut world, &cast.rival, &case, 0, 0);
    search.demand(&mut world, 0);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    duel.settle(&mut world, &cast.stranger);

    let state = search.state(&world);
    let source = Source::Tensor(&case.asked[0].input);
    let serve = data::serve_data(&state, search.answer_of(&world, source));
    world
        .send(&[serve], &[&cast.operator])
        .expect_error(OracleError::ReportEnded);
    search.wait(&mut world);
    world
        .send(&[data::time_out_demand(&state)], &[&cast.stranger])
        .expect_error(OracleError::ReportEnded);
    search.settle(&mut world, &cast.stranger);
    search.pay_out(&mut world, &cast.stranger);
    assert_eq!(world.usdc_of(&cast.rival.pubkey()), DEMANDER);
    let report: Report = world.read(&case.report);
    assert_eq!(
        (report.demands_pending, report.open_inquiries, report.disputes_opened),
        (0, 0, 1)
    );
}

#[test]
fn given_an_inquiry_that_is_not_settled_when_the_report_is_closed_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let case = given_a_case(&mut world, &cast);
    // Nothing was ever demanded.
    let search = Search::receipts(&mut world, &cast.watcher, &case, 0);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    let collection = world.read(&case.collection);
    let close = imo_client::instructions::revenue_escrow::close_collection(&collection);
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(&case.report));
    let close = imo_client::instructions::revenue_escrow::close_bucket(&bucket);
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let close = opml_oracle::close_report(&world.read(&case.report));
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(OracleError::InquiriesOpen);
    search.settle(&mut world, &cast.stranger);
    world.send(&[close], &[&cast.stranger]).expect_ok();
    // Who has nothing to get back needs no token account, and the report need not be there.
    search.pay_out(&mut world, &cast.stranger);
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), DEMANDER);
}

#[test]
fn given_a_payout_when_it_is_taken_elsewhere_or_twice_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let case = given_a_case(&mut world, &cast);
    let search = Search::input(&mut world, &cast.watcher, &case, 0, 0);
    search.demand(&mut world, 0);
    search.time_out(&mut world, &cast.stranger);
    search.settle(&mut world, &cast.stranger);
    let [watcher, stranger] = [&cast.watcher, &cast.stranger].map(Signer::pubkey);
    world.given_payment_account(&cast, &stranger);
    let [to_watcher, to_stranger] = [watcher, stranger].map(|owner| addresses::payment_account(&owner, &world.usdc));
    let pay = data::withdraw_inquiry(stranger, &search.state(&world));
    world
        .send(&[swap(&pay, &to_watcher, &to_stranger)], &[&cast.stranger])
        .expect_error(OracleError::RecipientNotAllowed);
    world
        .send(&[swap(&pay, &watcher, &stranger)], &[&cast.stranger])
        .expect_error(OracleError::WrongRentPayer);
    let nowhere = swap(&pay, &to_watcher, &::opml_oracle::ID);
    world
        .send(&[nowhere], &[&cast.stranger])
        .expect_error(OracleError::RecipientMissing);

    // Frozen: nothing is lost, and the demander may name another account.
    world.set_frozen(&to_watcher, true);
    let frozen = anchor_spl::token::spl_token::error::TokenError::AccountFrozen as u32;
    world
        .send(std::slice::from_ref(&pay), &[&cast.stranger])
        .expect_error(frozen);
    let own_choice = data::withdraw_inquiry(watcher, &search.state(&world));
    let elsewhere = swap(&own_choice, &to_watcher, &to_stranger);
    world.send(&[elsewhere], &[&cast.watcher]).expect_ok();
    assert_eq!(world.usdc_of(&stranger), fee(8) + terms().move_cost_units + share());
    world.set_frozen(&to_watcher, false);
    world
        .send(&[pay], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
}
