//! A random audit from the draw to the last closed account: who is paid for recomputing, and what not answering costs.

use ::opml_oracle::{
    audit_game::{AuditPhase, TURNS_TO_ASK, audit_commitment},
    errors::OracleError,
    game::Phase,
    state::{Operator, Report, ReportStatus, StakeVault, Trace},
};
use ::revenue_escrow::{
    errors::RevenueEscrowError,
    state::{Credit, Earnings},
};
use anchor_lang::error::ErrorCode;
use imo_client::{
    addresses,
    instructions::{audit as send, data::Permission, opml_oracle, revenue_escrow},
};
use imo_protocol::Now;
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{chain, dense, honest, lying},
    world::{AUDITS, Asked, BOND, CREDIT, Case, Duel, LANE, STAKE, Sampling, Service, terms, usdc},
};
use opml_runtime::{Model, execute, execute::trace_tree};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

/// What the fund holds.
const FUND: u64 = usdc(3);
const FEE: u64 = AUDITS.fee_units;

fn model() -> Model {
    dense(&[8, 6, 3])
}

/// A report with these receipts, and a drawn audit of one of them.
fn given_an_audit_of(asked: Vec<Asked>, model: &Model) -> (World, Cast, Case, Sampling) {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, FUND);
    let service = world.given_service(&cast, model);
    let case = world.given_sealed(&cast, service, asked);
    let audit = Sampling::draw(&mut world, &cast, &case, 0);
    (world, cast, case, audit)
}

/// An honest report of five receipts, and a drawn audit of one of them.
fn given_an_audit() -> (World, Cast, Case, Sampling) {
    let asked = (0..5).map(|seed| honest(&model(), seed, usdc(2))).collect();
    given_an_audit_of(asked, &model())
}

/// What an auditor computes itself of the drawn receipt.
fn own_roots(world: &World, case: &Case, audit: &Sampling, model: &Model) -> Vec<[u8; 32]> {
    let index = audit.state(world).receipt_index as usize;
    let own = execute(model, &case.asked[index].input).expect("the input fits the model");
    own.roots().to_vec()
}

fn vault(world: &World) -> StakeVault {
    world.read(&addresses::opml_oracle::stake_vault(&world.usdc))
}

fn status(world: &World, case: &Case) -> ReportStatus {
    world.read::<Report>(&case.report).status
}

#[test]
fn given_auditors_who_recompute_when_the_report_is_final_then_they_share_the_fee_and_the_rest_stays() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    let auditors: [&Keypair; 3] = [&cast.watcher, &cast.rival, &cast.alice];
    for auditor in auditors {
        audit.commit(&mut world, auditor, &roots);
    }
    // A lazy one commits to something, an absent one to the truth that it never shows.
    audit.commit(&mut world, &cast.bob, &[[1; 32]; 2]);
    audit.commit(&mut world, &cast.payer, &roots);
    audit.ask(&mut world, &cast.watcher, &case);
    assert_eq!(world.read::<Report>(&case.report).demands_pending, 1);
    audit.answer(&mut world, &cast.backup, &case);
    assert_eq!(world.read::<Report>(&case.report).demands_pending, 0);
    for auditor in auditors {
        audit.reveal(&mut world, auditor);
    }
    let guess = audit.reveal_of(&world, &cast.bob.pubkey());
    world
        .send(&[guess], &[&cast.bob])
        .expect_error(OracleError::WrongOpening);

    let settle = send::settle_audit(&audit.state(&world));
    world
        .send(std::slice::from_ref(&settle), &[&cast.stranger])
        .expect_error(OracleError::AuditNotOver);
    let early = send::withdraw_audit_fee(
        cast.stranger.pubkey(),
        &audit.state(&world),
        &audit.entry(&world, &cast.bob.pubkey()),
    );
    world
        .send(&[early], &[&cast.stranger])
        .expect_error(OracleError::NotSettled);
    world.finalise(&cast, &case.report);
    world.send(std::slice::from_ref(&settle), &[&cast.stranger]).expect_ok();
    world
        .send(&[settle], &[&cast.stranger])
        .expect_error(OracleError::AlreadySettled);
    let share = FEE / 3;
    assert_eq!(audit.state(&world).auditor_units, share);
    assert_eq!(world.audit_fund().owed_units, 3 * share);
    let close = send::close_audit(&audit.state(&world));
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(OracleError::EntriesOpen);

    for auditor in auditors.map(Signer::pubkey) {
        world.given_payment_account(&cast, &auditor);
        let entry = addresses::opml_oracle::audit_entry(&audit.audit, &auditor);
        let (rent, before) = (world.lamports(&entry), world.lamports(&auditor));
        audit.pay_out(&mut world, &cast.stranger, &auditor);
        assert_eq!(world.usdc_of(&auditor), share);
        assert_eq!(world.lamports(&auditor), before + rent);
    }
    for auditor in [&cast.bob, &cast.payer].map(Signer::pubkey) {
        let before = world.usdc_of(&auditor);
        audit.pay_out(&mut world, &cast.stranger, &auditor);
        assert_eq!(world.usdc_of(&auditor), before);
    }
    world.send(&[close], &[&cast.stranger]).expect_ok();
    assert_eq!(world.audit_fund().owed_units, 0);
    assert_eq!(world.audit_tokens(), FUND - 3 * share);
}

#[test]
fn given_the_protocols_share_when_split_then_the_audits_part_goes_to_the_fund_and_nowhere_else() {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, 0);
    let service = world.given_service(&cast, &model());
    let case = world.given_sealed(&cast, service, vec![honest(&model(), 0, usdc(10) + 999)]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    let protocol_units = case.collected_units * 500 / 10_000;
    let audit_units = protocol_units * u64::from(AUDITS.share_bps) / 10_000;
    let (published, treasury, stranger) = (case.service.published, cast.treasury.pubkey(), cast.stranger.pubkey());
    let vault = addresses::revenue_escrow::vault(&published.model);
    let earnings = addresses::revenue_escrow::earnings(&vault, &treasury);
    let state: Earnings = world.read(&earnings);
    assert_eq!(
        (state.owed_units, state.audit_units),
        (protocol_units - audit_units, audit_units)
    );

    // The treasury takes its own, whoever it is; the audits' part is not in it.
    world.given_payment_account(&cast, &treasury);
    let withdraw = revenue_escrow::withdraw_earnings(stranger, published.model, treasury, world.usdc);
    world.send(&[withdraw], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&treasury), protocol_units - audit_units);
    let pay = revenue_escrow::pay_audit_share(published.model, treasury, world.usdc);
    let tokens = addresses::opml_oracle::audit_tokens(&world.usdc);
    let elsewhere = addresses::payment_account(&treasury, &world.usdc);
    world
        .send(&[swap(&pay, &tokens, &elsewhere)], &[&cast.treasury])
        .expect_error(ErrorCode::ConstraintSeeds);
    world.send(std::slice::from_ref(&pay), &[&cast.stranger]).expect_ok();
    world
        .send(&[pay], &[&cast.stranger])
        .expect_error(RevenueEscrowError::AmountIsZero);
    assert_eq!(world.audit_tokens(), audit_units);
    assert_eq!(world.audit_fund().owed_units, 0);
}

#[test]
fn given_the_time_to_commit_when_around_its_end_then_exactly_one_of_committing_and_asking_is_possible() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    let due_slot = audit.state(&world).game.deadline.due_slot;
    for (slot, is_over) in [(due_slot - 1, false), (due_slot, false), (due_slot + 1, true)] {
        world.pass_until_slot(slot);
        let mut fork = world.fork().expect("a light world can be forked");
        let commit = audit.commit_of(&fork, &cast.rival.pubkey(), &roots, None);
        let committed = fork.send(&[commit], &[&cast.rival]);
        let mut fork = world.fork().expect("a light world can be forked");
        let ask = audit.ask_of(&fork, &case);
        let asked = fork.send(&[ask], &[&cast.stranger]);
        if is_over {
            committed.expect_error(OracleError::MoveTooLate);
            asked.expect_ok();
        } else {
            committed.expect_ok();
            asked.expect_error(OracleError::TimeoutTooEarly);
        }
    }
}

#[test]
fn given_an_auditor_when_it_commits_twice_or_to_another_place_then_refused() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    let watcher = cast.watcher.pubkey();
    // On another fork of the chain another receipt was drawn: there it would be a commitment to the wrong one.
    let mut forked = audit.state(&world);
    forked.receipt_index = (forked.receipt_index + 1) % 5;
    let commitment = audit_commitment(&audit.audit, &watcher, &trace_tree(&roots).root(), &[0; 32]);
    let elsewhere = send::commit_audit(watcher, &forked, &world.read(&case.collection), None, commitment);
    world
        .send(&[elsewhere], &[&cast.watcher])
        .expect_error(OracleError::NotTheDrawnReceipt);
    audit.commit(&mut world, &cast.watcher, &roots);
    let again = audit.commit_of(&world, &watcher, &roots, None);
    world.send(&[again], &[&cast.watcher]).expect_error(ALREADY_IN_USE);
}

#[test]
fn given_a_draw_that_nobody_commits_to_when_asked_then_the_operator_owes_nothing_and_the_fee_is_free_at_once() {
    let (mut world, cast, case, audit) = given_an_audit();
    audit.wait(&mut world);
    let ask = audit.ask_of(&world, &case);
    world
        .send(&[ask], &[&cast.stranger])
        .expect_error(OracleError::NothingCommitted);
    assert_eq!(world.audit_fund().owed_units, FEE);
    audit.settle(&mut world, &cast.stranger);
    audit.close(&mut world, &cast.stranger);
    assert_eq!(world.audit_fund().owed_units, 0);
    assert_eq!(world.audit_tokens(), FUND);
    world.finalise(&cast, &case.report);
}

#[test]
fn given_another_receipt_or_too_little_time_when_asked_then_refused() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    audit.wait(&mut world);
    let state = audit.state(&world);
    let other = send::ask_audit(&state, case.shown((state.receipt_index + 1) % 5));
    world
        .send(&[other], &[&cast.stranger])
        .expect_error(OracleError::NotTheDrawnReceipt);
    let mut invented = case.shown(state.receipt_index);
    invented.output_root = [7; 32];
    world
        .send(&[send::ask_audit(&state, invented)], &[&cast.stranger])
        .expect_error(OracleError::WrongReceiptPath);

    let report: Report = world.read(&case.report);
    let turns = TURNS_TO_ASK * terms().response_slots;
    let last = Now {
        slot: report.window.due_slot - turns,
        unix: report.window.due_unix - i64::try_from(turns * 2 / 5).expect("two turns are short"),
        ..world.now()
    };
    let ask = audit.ask_of(&world, &case);
    let mut later = world.fork().expect("a light world can be forked");
    for (slots, seconds) in [(1, 0), (0, 1)] {
        later.set_now(Now {
            slot: last.slot + slots,
            unix: last.unix + seconds,
            ..last
        });
        later
            .send(std::slice::from_ref(&ask), &[&cast.stranger])
            .expect_error(OracleError::WindowTooShort);
    }
    world.set_now(last);
    world.send(std::slice::from_ref(&ask), &[&cast.stranger]).expect_ok();
    world
        .send(&[ask], &[&cast.stranger])
        .expect_error(OracleError::WrongAuditPhase);
    // Nobody asked in time: the audit comes to nothing, and the report to its end.
    later.finalise(&cast, &case.report);
    audit.settle(&mut later, &cast.stranger);
    audit.pay_out(&mut later, &cast.stranger, &cast.watcher.pubkey());
    assert_eq!(later.audit_fund().owed_units, 0);
}

#[test]
fn given_an_answer_when_it_is_somebody_elses_or_another_outputs_or_the_second_then_refused() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    let early = audit.answer_of(&world, &cast.operator.pubkey(), &case);
    world
        .send(&[early], &[&cast.operator])
        .expect_error(OracleError::WrongLastRoot);
    audit.ask(&mut world, &cast.watcher, &case);
    let forged = audit.answer_of(&world, &cast.stranger.pubkey(), &case);
    world
        .send(&[forged], &[&cast.stranger])
        .expect_error(OracleError::NotTheOperator);
    let operator = cast.operator.pubkey();
    let mut other = roots.clone();
    other[1] = [9; 32];
    let state = audit.state(&world);
    for (roots, expected) in [
        (other, OracleError::WrongLastRoot),
        (roots[..1].to_vec(), OracleError::WrongRootCount),
    ] {
        let answer = send::post_audit_trace(operator, operator, &state, roots);
        world.send(&[answer], &[&cast.operator]).expect_error(expected);
    }
    let root_only = send::post_audit_trace_root(operator, operator, &state, [1; 32], vec![[1; 32]]);
    world
        .send(&[root_only], &[&cast.operator])
        .expect_error(OracleError::TraceMustBeWhole);
    audit.answer(&mut world, &cast.operator, &case);
    let again = audit.answer_of(&world, &operator, &case);
    world.send(&[again], &[&cast.operator]).expect_error(ALREADY_IN_USE);
}

#[test]
fn given_an_owed_trace_when_around_its_deadline_then_exactly_one_of_answer_and_timeout_is_possible() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    audit.ask(&mut world, &cast.watcher, &case);
    let due_slot = audit.state(&world).game.deadline.due_slot;
    for (slot, is_over) in [(due_slot - 1, false), (due_slot, false), (due_slot + 1, true)] {
        world.pass_until_slot(slot);
        let mut fork = world.fork().expect("a light world can be forked");
        let answer = audit.answer_of(&fork, &cast.operator.pubkey(), &case);
        let answered = fork.send(&[answer], &[&cast.operator]);
        let mut fork = world.fork().expect("a light world can be forked");
        let time_out = send::time_out_audit(&audit.state(&fork));
        let timed_out = fork.send(&[time_out], &[&cast.stranger]);
        if is_over {
            answered.expect_error(OracleError::MoveTooLate);
            timed_out.expect_ok();
        } else {
            answered.expect_ok();
            timed_out.expect_error(OracleError::TimeoutTooEarly);
        }
    }
}

#[test]
fn given_a_silent_operator_when_timed_out_then_rejected_all_of_the_bond_insures_and_the_fee_stays() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    audit.ask(&mut world, &cast.watcher, &case);
    // The report does not become final while the answer is owed.
    let report: Report = world.read(&case.report);
    let mut waiting = world.fork().expect("a light world can be forked");
    waiting.pass_until_slot(report.window.due_slot + 1);
    waiting
        .send(&[opml_oracle::finalise_report(&report)], &[&cast.stranger])
        .expect_error(OracleError::DemandsPending);
    audit.time_out(&mut waiting, &cast.stranger);
    assert_eq!(status(&waiting, &case), ReportStatus::Rejected);

    audit.time_out(&mut world, &cast.stranger);
    assert_eq!(status(&world, &case), ReportStatus::Rejected);
    assert_eq!(audit.state(&world).game.phase, AuditPhase::Silent);
    assert_eq!(vault(&world).insurance_units, BOND);
    assert_eq!(vault(&world).owed_units, STAKE);
    let operator: Operator = world.read(&case.service.operator);
    assert_eq!(
        (operator.stake_units, operator.locked_units, operator.open_disputes),
        (STAKE - BOND, 0, 0)
    );
    assert!(operator.jail.is_set());
    world.refund(&cast, &case);
    let credit: Credit = world.read(&case.service.customer.credit);
    assert_eq!(credit.available_units, CREDIT - LANE + case.collected_units);

    let again = send::time_out_audit(&audit.state(&world));
    world
        .send(&[again], &[&cast.stranger])
        .expect_error(OracleError::ReportEnded);
    audit.settle(&mut world, &cast.stranger);
    audit.pay_out(&mut world, &cast.stranger, &cast.watcher.pubkey());
    audit.close(&mut world, &cast.stranger);
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), 0);
    assert_eq!((world.audit_fund().owed_units, world.audit_tokens()), (0, FUND));
}

#[test]
fn given_a_dispute_opened_before_when_the_operator_is_silent_in_the_audit_then_the_dispute_has_the_share() {
    let model = model();
    let (mut world, cast, case, audit) = given_an_audit_of(vec![lying(&model, 0, usdc(2), 0)], &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    audit.commit(&mut world, &cast.rival, own.roots());
    audit.ask(&mut world, &cast.rival, &case);
    // Who recomputes a lie does not wait for the audit.
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    audit.time_out(&mut world, &cast.stranger);
    assert_eq!(vault(&world).insurance_units, terms().open_fee_units);
    duel.time_out(&mut world, &cast.stranger);
    duel.settle(&mut world, &cast.stranger);
    duel.pay_out(&mut world, &cast.stranger);
    let share = BOND * u64::from(terms().prover_share_bps) / 10_000;
    let cost = terms().move_cost_units;
    assert_eq!(
        world.usdc_of(&cast.watcher.pubkey()),
        usdc(10) - terms().open_fee_units + cost + share
    );
    assert_eq!(
        vault(&world).insurance_units,
        terms().open_fee_units + BOND - cost - share
    );
}

#[test]
fn given_a_lie_when_the_audit_makes_the_operator_show_its_trace_then_the_auditor_disputes_with_it_and_wins() {
    let model = chain(17);
    let (mut world, cast, case, audit) = given_an_audit_of(vec![lying(&model, 1, usdc(2), 3)], &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    audit.commit(&mut world, &cast.watcher, own.roots());
    audit.ask(&mut world, &cast.watcher, &case);
    audit.answer(&mut world, &cast.operator, &case);
    let trace = addresses::opml_oracle::trace(&case.report, &case.asked[0].claim.claim_hash());
    assert_eq!(
        world.read::<Trace>(&trace).trace_root,
        audit.state(&world).game.trace_root
    );
    let honest = audit.reveal_of(&world, &cast.watcher.pubkey());
    world
        .send(&[honest], &[&cast.watcher])
        .expect_error(OracleError::WrongOpening);

    // The dispute uses the trace that is there: the operator has no second story.
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    assert_eq!(duel.phase(&world), Phase::Traced);
    assert_eq!(duel.state(&world).trace, trace);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    assert_eq!(status(&world, &case), ReportStatus::Rejected);
    audit.settle(&mut world, &cast.stranger);
    assert_eq!(audit.state(&world).auditor_units, 0);
    assert_eq!(world.audit_fund().owed_units, 0);
}

#[test]
fn given_a_friend_who_is_told_the_trace_of_a_lie_when_the_lie_is_proven_then_the_friend_gets_nothing() {
    let model = model();
    let (mut world, cast, case, audit) = given_an_audit_of(vec![lying(&model, 0, usdc(2), 0)], &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    audit.commit(&mut world, &cast.rival, case.asked[0].answer.roots());
    audit.ask(&mut world, &cast.rival, &case);
    audit.answer(&mut world, &cast.operator, &case);
    audit.reveal(&mut world, &cast.rival);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    // No need to wait: nothing that is still to come pays anybody.
    audit.settle(&mut world, &cast.stranger);
    assert_eq!(audit.state(&world).game.matched, 1);
    audit.pay_out(&mut world, &cast.stranger, &cast.rival.pubkey());
    assert_eq!(world.usdc_of(&cast.rival.pubkey()), 0);
    assert_eq!((world.audit_fund().owed_units, world.audit_tokens()), (0, FUND));
}

#[test]
fn given_a_made_up_trace_below_the_right_output_when_audited_then_the_honest_auditor_proves_it_wrong() {
    let model = model();
    let (mut world, cast, case, audit) = given_an_audit_of(vec![honest(&model, 0, usdc(2))], &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let lie = lying(&model, 0, usdc(2), 0).answer;
    let mut story = lie.roots().to_vec();
    *story.last_mut().expect("a model has a node") = case.asked[0].claim.output_root;
    // Its friends are told the story, and would be paid; the honest would not.
    audit.commit(&mut world, &cast.rival, &story);
    audit.commit(&mut world, &cast.watcher, own.roots());
    audit.ask(&mut world, &cast.watcher, &case);
    let operator = cast.operator.pubkey();
    let answer = send::answer_audit(operator, operator, &audit.state(&world), &story);
    world.send(&[answer], &[&cast.operator]).expect_ok();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &lie, Phase::Proven);
    assert_eq!(status(&world, &case), ReportStatus::Rejected);
}

#[test]
fn given_a_copied_commitment_when_opened_then_it_opens_for_its_author_only() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    let seen = audit.entry(&world, &cast.watcher.pubkey()).commitment;
    let copy = audit.commitment_of(&world, &cast.rival.pubkey(), seen, None);
    world.send(&[copy], &[&cast.rival]).expect_ok();
    let early = audit.reveal_of(&world, &cast.watcher.pubkey());
    world
        .send(&[early], &[&cast.watcher])
        .expect_error(OracleError::WrongAuditPhase);
    audit.ask(&mut world, &cast.watcher, &case);
    audit.answer(&mut world, &cast.operator, &case);
    let copied = audit.reveal_of(&world, &cast.rival.pubkey());
    world
        .send(&[copied], &[&cast.rival])
        .expect_error(OracleError::WrongOpening);
    let anothers = swap(
        &audit.reveal_of(&world, &cast.watcher.pubkey()),
        &cast.watcher.pubkey(),
        &cast.rival.pubkey(),
    );
    world
        .send(&[anothers], &[&cast.rival])
        .expect_error(OracleError::NotTheAuditor);
    audit.reveal(&mut world, &cast.watcher);
    let twice = audit.reveal_of(&world, &cast.watcher.pubkey());
    world
        .send(&[twice], &[&cast.watcher])
        .expect_error(OracleError::AlreadyRevealed);
}

#[test]
fn given_the_time_to_open_commitments_when_around_its_end_then_not_after_it() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    audit.ask(&mut world, &cast.watcher, &case);
    audit.answer(&mut world, &cast.operator, &case);
    let due_slot = audit.state(&world).game.deadline.due_slot;
    for (slot, is_over) in [(due_slot - 1, false), (due_slot, false), (due_slot + 1, true)] {
        world.pass_until_slot(slot);
        let mut fork = world.fork().expect("a light world can be forked");
        let reveal = audit.reveal_of(&fork, &cast.watcher.pubkey());
        let revealed = fork.send(&[reveal], &[&cast.watcher]);
        if is_over {
            revealed.expect_error(OracleError::MoveTooLate);
        } else {
            revealed.expect_ok();
        }
    }
    // Nobody showed anything: the whole fee stays.
    world.finalise(&cast, &case.report);
    audit.settle(&mut world, &cast.stranger);
    assert_eq!((world.audit_fund().owed_units, world.audit_tokens()), (0, FUND));
}

#[test]
fn given_a_trace_that_a_dispute_brought_when_it_is_the_answer_then_only_who_committed_before_is_paid() {
    let model = model();
    let (mut world, cast, case, audit) = given_an_audit_of(vec![honest(&model, 0, usdc(2))], &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    audit.commit(&mut world, &cast.watcher, own.roots());
    world.pass_slots(1);
    let mut duel = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Traced);
    // From now on anyone can read the trace: in the same slot and later.
    audit.commit(&mut world, &cast.alice, own.roots());
    world.pass_slots(1);
    audit.commit(&mut world, &cast.bob, own.roots());
    audit.ask(&mut world, &cast.watcher, &case);
    let answer = audit.answer_of(&world, &cast.operator.pubkey(), &case);
    world.send(&[answer], &[&cast.operator]).expect_error(ALREADY_IN_USE);

    // However late somebody says so: who has shown its trace is not silent.
    audit.wait(&mut world);
    let time_out = send::time_out_audit(&audit.state(&world));
    world
        .send(std::slice::from_ref(&time_out), &[&cast.stranger])
        .expect_error(OracleError::TraceIsPosted);
    let hidden = swap(
        &time_out,
        &addresses::opml_oracle::trace(&case.report, &case.asked[0].claim.claim_hash()),
        &cast.stranger.pubkey(),
    );
    world
        .send(&[hidden], &[&cast.stranger])
        .expect_error(OracleError::WrongTrace);
    let attach = send::attach_audit_trace(&audit.state(&world));
    world.send(std::slice::from_ref(&attach), &[&cast.stranger]).expect_ok();
    world
        .send(&[attach], &[&cast.stranger])
        .expect_error(OracleError::WrongAuditPhase);
    audit.reveal(&mut world, &cast.watcher);
    for late in [&cast.alice, &cast.bob] {
        let reveal = audit.reveal_of(&world, &late.pubkey());
        world
            .send(&[reveal], &[late])
            .expect_error(OracleError::CommittedTooLate);
    }
    duel.time_out(&mut world, &cast.stranger);
    duel.settle(&mut world, &cast.stranger);
    world.finalise(&cast, &case.report);
    audit.wait(&mut world);
    audit.settle(&mut world, &cast.stranger);
    world.given_payment_account(&cast, &cast.watcher.pubkey());
    for auditor in [&cast.watcher, &cast.alice, &cast.bob] {
        audit.pay_out(&mut world, &cast.stranger, &auditor.pubkey());
    }
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), FEE);
}

#[test]
fn given_a_report_that_is_rejected_while_the_trace_is_owed_then_nobody_owes_it_any_more() {
    let model = model();
    let (mut world, cast, case, audit) = given_an_audit_of(vec![lying(&model, 0, usdc(2), 0)], &model);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    audit.commit(&mut world, &cast.watcher, own.roots());
    audit.wait(&mut world);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::TileKnown);
    audit.ask(&mut world, &cast.watcher, &case);
    duel.challenger_moves(&mut world);
    assert_eq!(status(&world, &case), ReportStatus::Rejected);
    let attach = send::attach_audit_trace(&audit.state(&world));
    world
        .send(&[attach], &[&cast.stranger])
        .expect_error(OracleError::ReportEnded);
    let commit = audit.commit_of(&world, &cast.alice.pubkey(), own.roots(), None);
    world
        .send(&[commit], &[&cast.alice])
        .expect_error(OracleError::ReportEnded);
    audit.wait(&mut world);
    let time_out = send::time_out_audit(&audit.state(&world));
    world
        .send(&[time_out], &[&cast.stranger])
        .expect_error(OracleError::ReportEnded);
    audit.settle(&mut world, &cast.stranger);
    audit.pay_out(&mut world, &cast.stranger, &cast.watcher.pubkey());
    audit.close(&mut world, &cast.stranger);
    let report: Report = world.read(&case.report);
    assert_eq!((report.demands_pending, report.open_audits), (0, 0));
    assert_eq!((world.audit_fund().owed_units, world.audit_tokens()), (0, FUND));
}

#[test]
fn given_a_private_receipt_when_drawn_then_only_with_the_payers_permission() {
    let (mut world, cast) = World::light();
    world.given_audits(&cast, FUND);
    let model = model();
    let published = world.given_model(&cast, &model);
    world.given_vault(&cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = world.given_private_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let asked = Asked {
        salt: [0x5E; 32],
        ..honest(&model, 0, usdc(2))
    };
    let case = world.given_sealed(&cast, service, vec![asked]);
    let audit = Sampling::draw(&mut world, &cast, &case, 0);
    assert!(audit.state(&world).by_permission);
    let roots = own_roots(&world, &case, &audit, &model);
    let watcher = cast.watcher.pubkey();
    for (permission, signer) in [
        (None, &cast.watcher),
        (Some(Permission::Payer(cast.stranger.pubkey())), &cast.stranger),
    ] {
        let commit = audit.commit_of(&world, &watcher, &roots, permission);
        world
            .send(&[commit], &[&cast.watcher, signer])
            .expect_error(OracleError::PermissionMissing);
    }
    for (auditor, permission, signer) in [
        (&cast.watcher, Permission::Payer(cast.payer.pubkey()), &cast.payer),
        (&cast.rival, Permission::Session(cast.session.pubkey()), &cast.session),
    ] {
        let commit = audit.commit_of(&world, &auditor.pubkey(), &roots, Some(permission));
        world.send(&[commit], &[auditor, signer]).expect_ok();
    }
    audit.ask(&mut world, &cast.watcher, &case);
    audit.answer(&mut world, &cast.operator, &case);
    audit.reveal(&mut world, &cast.rival);
}

#[test]
fn given_a_fee_when_it_is_taken_elsewhere_or_twice_then_refused() {
    let (mut world, cast, case, audit) = given_an_audit();
    let roots = own_roots(&world, &case, &audit, &model());
    audit.commit(&mut world, &cast.watcher, &roots);
    audit.ask(&mut world, &cast.watcher, &case);
    audit.answer(&mut world, &cast.operator, &case);
    audit.reveal(&mut world, &cast.watcher);
    world.finalise(&cast, &case.report);
    audit.settle(&mut world, &cast.stranger);
    let [watcher, stranger] = [&cast.watcher, &cast.stranger].map(Signer::pubkey);
    for owner in [watcher, stranger] {
        world.given_payment_account(&cast, &owner);
    }
    let [to_watcher, to_stranger] = [watcher, stranger].map(|owner| addresses::payment_account(&owner, &world.usdc));
    let pay = send::withdraw_audit_fee(stranger, &audit.state(&world), &audit.entry(&world, &watcher));
    for (from, to, expected) in [
        (to_watcher, to_stranger, OracleError::RecipientNotAllowed),
        (watcher, stranger, OracleError::WrongRentPayer),
        (to_watcher, ::opml_oracle::ID, OracleError::RecipientMissing),
    ] {
        world
            .send(&[swap(&pay, &from, &to)], &[&cast.stranger])
            .expect_error(expected);
    }
    // Frozen: nothing is lost, and the auditor may name another account.
    world.set_frozen(&to_watcher, true);
    let frozen = anchor_spl::token::spl_token::error::TokenError::AccountFrozen as u32;
    world
        .send(std::slice::from_ref(&pay), &[&cast.stranger])
        .expect_error(frozen);
    let own_choice = send::withdraw_audit_fee(watcher, &audit.state(&world), &audit.entry(&world, &watcher));
    let elsewhere = swap(&own_choice, &to_watcher, &to_stranger);
    world.send(&[elsewhere], &[&cast.watcher]).expect_ok();
    assert_eq!(world.usdc_of(&stranger), FEE);
    world.set_frozen(&to_watcher, false);
    world
        .send(&[pay], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
}
