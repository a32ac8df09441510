//! Stake, reports and settlements together: what a vault owes is what everybody in it is owed, after any sequence of calls.

use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};
use model_token::state::DisputeTerms;
use proptest::{prelude::*, sample::Index};

use super::{
    Audit, AuditEntry, AuditFund, Dispute, Equivocation, Inquiry, Operator, Report, ReportStatus, StakeVault, Subject,
};
use crate::{
    audit_game::{AuditGame, AuditPhase, audit_commitment},
    data_game::Geometry,
    errors::OracleError,
    game::{Game, Phase},
    math::data_fee::data_fee_units,
};

const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 1_000,
    seal_slots: 100,
    response_slots: 50,
    clock_slots: 300,
    bond_ratio_bps: 20_000,
    min_bond_units: 100,
    challenger_bond_units: 70,
    open_fee_units: 3,
    move_cost_units: 11,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 2_000,
    notice_slots: 2_000,
    epoch_slots: 2_000,
    byte_fee_units: 2,
};

fn at(slot: u64) -> Now {
    Now {
        slot,
        unix: i64::try_from(slot * 2 / 5).unwrap(),
        last_restart_slot: 0,
    }
}

fn operator() -> Operator {
    Operator {
        version: 1,
        bump: 255,
        authority: Pubkey::new_unique(),
        backup: Pubkey::new_unique(),
        mint: Pubkey::default(),
        generation: 0,
        stake_units: 0,
        locked_units: 0,
        unbonding_units: 0,
        unbonding: Deadline::default(),
        next_sequence: 0,
        open_reports: 0,
        open_disputes: 0,
        endpoint_key_hash: [0; 32],
        endpoint: String::new(),
        jail: Deadline::default(),
        previous_key_hash: [0; 32],
        key_change: Deadline::default(),
        reserved: [0; 64],
    }
}

fn stake_vault() -> StakeVault {
    StakeVault {
        version: 1,
        bump: 255,
        mint: Pubkey::default(),
        stake_tokens: Pubkey::default(),
        owed_units: 0,
        insurance_units: 0,
        reserved: [0; 64],
    }
}

fn report(bond_units: u64) -> Report {
    Report {
        version: 1,
        bump: 255,
        operator: Pubkey::default(),
        model: Pubkey::default(),
        model_version: Pubkey::default(),
        version_number: 1,
        model_root: [0; 32],
        node_count: 3,
        mint: Pubkey::default(),
        sequence: 0,
        generation: 0,
        status: ReportStatus::Open,
        period_start_unix: 0,
        period_end_unix: 1,
        bond_units,
        max_collect_units: bond_units / 2,
        seal_by: Deadline::after(&at(0), 100),
        window: Deadline::default(),
        disputes_opened: 0,
        disputes_settled: 0,
        share_paid: false,
        slashed_units: 0,
        costs_paid_units: 0,
        open_traces: 0,
        terms: TERMS,
        rent_payer: Pubkey::default(),
        open_inquiries: 0,
        demands_made: 0,
        demands_pending: 0,
        audits_drawn: 0,
        open_audits: 0,
        reserved: [0; 60],
    }
}

fn dispute(now: &Now, order: u32) -> Dispute {
    Dispute {
        version: 1,
        bump: 255,
        report: Pubkey::default(),
        challenger: Pubkey::default(),
        nonce: 0,
        order,
        operator: Pubkey::default(),
        mint: Pubkey::default(),
        commitment: [0; 32],
        collection: Pubkey::default(),
        receipt_index: 0,
        input_root: [0; 32],
        output_root: [0; 32],
        claim_hash: [0; 32],
        trace: Pubkey::default(),
        bond_units: TERMS.challenger_bond_units,
        settled: false,
        payout_units: 0,
        rent_payer: Pubkey::default(),
        game: Game::open(now, &TERMS, &Pubkey::default(), order, &[0; 32], 3),
        reserved: [0; 64],
    }
}

fn equivocation(due_units: u64) -> Equivocation {
    Equivocation {
        version: 1,
        bump: 255,
        operator: Pubkey::default(),
        mint: Pubkey::default(),
        question: [0; 32],
        key_hashes: [[1; 32]; 2],
        prover: Pubkey::default(),
        due_units,
        slashed_units: 0,
        prover_share_bps: TERMS.prover_share_bps,
        payout_units: 0,
        reserved: [0; 64],
    }
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T>, error: OracleError) {
    assert_eq!(result.unwrap_err(), error.into());
}

#[test]
fn given_locked_stake_when_more_than_is_free_is_wanted_then_refused() {
    let mut operator = operator();
    operator.credit(100).unwrap();
    operator.lock(60).unwrap();
    assert_refused(operator.lock(41), OracleError::NotEnoughFreeStake);
    assert_refused(operator.unbond(&at(0), 41, 10), OracleError::NotEnoughFreeStake);
    assert_refused(operator.unbond(&at(0), 0, 10), OracleError::AmountIsZero);
    operator.unbond(&at(0), 40, 10).unwrap();
    assert_refused(operator.lock(1), OracleError::NotEnoughFreeStake);
}

#[test]
fn given_unbonding_stake_when_withdrawn_early_or_under_dispute_then_refused() {
    let mut operator = operator();
    assert_refused(operator.withdraw_unbonded(&at(0)), OracleError::NothingUnbonding);
    operator.credit(100).unwrap();
    operator.unbond(&at(0), 30, 1_000).unwrap();
    operator.unbond(&at(500), 20, 1_000).unwrap();
    // All of it counts from the last announcement.
    assert_refused(operator.withdraw_unbonded(&at(1_100)), OracleError::StillUnbonding);
    operator.open_disputes = 1;
    assert_refused(operator.withdraw_unbonded(&at(1_600)), OracleError::DisputesOpen);
    operator.open_disputes = 0;
    assert_eq!(operator.withdraw_unbonded(&at(1_600)).unwrap(), 50);
    assert_eq!((operator.stake_units, operator.unbonding_units), (50, 0));
    assert_refused(operator.withdraw_unbonded(&at(1_600)), OracleError::NothingUnbonding);
}

#[test]
fn given_a_report_when_it_goes_its_way_then_each_step_once_and_in_time() {
    let mut operator = operator();
    operator.credit(500).unwrap();
    operator.lock(400).unwrap();
    operator.open_report().unwrap();
    let mut report = report(400);
    assert_refused(report.require_disputable(&at(1)), OracleError::ReportNotSealed);
    assert_refused(report.finalise(&at(9_999), &mut operator), OracleError::ReportNotSealed);
    report.seal(&at(10)).unwrap();
    assert_refused(report.seal(&at(11)), OracleError::ReportNotOpen);
    report.require_disputable(&at(1_010)).unwrap();
    assert_refused(report.require_disputable(&at(1_014)), OracleError::WindowClosed);
    assert_refused(report.finalise(&at(1_010), &mut operator), OracleError::WindowOpen);
    report.enter_dispute(&mut operator).unwrap();
    assert_refused(
        report.finalise(&at(1_014), &mut operator),
        OracleError::DisputesUnsettled,
    );
    report.leave_dispute(&mut operator, 0, false).unwrap();
    report.finalise(&at(1_014), &mut operator).unwrap();
    assert_eq!(
        (operator.locked_units, operator.open_reports, operator.stake_units),
        (0, 0, 500)
    );
    assert_refused(report.finalise(&at(1_015), &mut operator), OracleError::ReportEnded);
    assert_refused(report.require_disputable(&at(20)), OracleError::ReportEnded);
    assert_refused(report.reject(&mut operator, &at(20)), OracleError::ReportEnded);
}

#[test]
fn given_a_rejected_report_when_it_is_rejected_again_then_slashed_once() {
    let mut operator = operator();
    operator.credit(500).unwrap();
    operator.lock(400).unwrap();
    operator.open_report().unwrap();
    let mut report = report(400);
    report.seal(&at(10)).unwrap();
    assert!(report.reject(&mut operator, &at(20)).unwrap());
    assert!(!report.reject(&mut operator, &at(20)).unwrap());
    assert_eq!(
        (operator.stake_units, operator.locked_units, operator.open_reports),
        (100, 0, 0)
    );
    assert_eq!(report.slashed_units, 400);
    assert_refused(report.require_disputable(&at(20)), OracleError::ReportEnded);
}

#[test]
fn given_a_friend_who_proves_first_when_settled_then_the_earlier_opened_dispute_takes_the_share() {
    let (mut operator, mut vault) = (operator(), stake_vault());
    operator.credit(1_000).unwrap();
    operator.lock(1_000).unwrap();
    operator.open_report().unwrap();
    vault.owe(1_000).unwrap();
    let mut report = report(1_000);
    report.seal(&at(10)).unwrap();
    let [mut honest, mut friend] = [0, 1].map(|_| {
        let order = report.enter_dispute(&mut operator).unwrap();
        vault.owe(TERMS.challenger_bond_units).unwrap();
        dispute(&at(20), order)
    });
    friend.game.phase = Phase::Proven;
    report.reject(&mut operator, &at(20)).unwrap();
    assert_refused(
        friend.settle(&mut report, &mut operator, &mut vault),
        OracleError::SettleInOrder,
    );
    assert_refused(
        honest.settle(&mut report, &mut operator, &mut vault),
        OracleError::DisputeNotFinished,
    );
    honest.game.phase = Phase::Proven;
    honest.game.challenger_moves = 5;
    honest.settle(&mut report, &mut operator, &mut vault).unwrap();
    assert_eq!(honest.payout_units, 70 + 55 + 300);
    assert_refused(
        honest.settle(&mut report, &mut operator, &mut vault),
        OracleError::AlreadySettled,
    );
    let (_, remainder) = friend.settle(&mut report, &mut operator, &mut vault).unwrap();
    assert_eq!(friend.payout_units, 70);
    assert_eq!(remainder, Some(1_000 - 55 - 300));
    assert_eq!(vault.insurance_units, 645);
}

/// About a Collection of one receipt.
fn inquiry(report: &mut Report) -> Result<Inquiry> {
    let geometry = Geometry::Receipts {
        lane: Pubkey::default(),
        first_sequence: 0,
        count: 1,
    };
    let subject = Subject::Receipts {
        collection: Pubkey::default(),
    };
    let address = (Pubkey::default(), report);
    Inquiry::open(address, 255, Pubkey::default(), 0, subject, [1; 32], geometry)
}

#[test]
fn given_stake_that_comes_free_bit_by_bit_when_an_equivocation_is_slashed_then_it_costs_what_it_costs_and_rounds_like_one()
 {
    let (mut operator, mut vault) = (operator(), stake_vault());
    let mut equivocation = equivocation(101);
    for _ in 0..101 {
        operator.credit(1).unwrap();
        equivocation.slash(&mut operator, &mut vault).unwrap();
    }
    operator.credit(50).unwrap();
    equivocation.slash(&mut operator, &mut vault).unwrap();
    assert_eq!((operator.stake_units, equivocation.slashed_units), (50, 101));
    // A floor of the prover's 30 percent, the rest insures.
    assert_eq!((equivocation.payout_units, vault.insurance_units), (30, 71));
}

#[test]
fn given_locked_free_and_leaving_stake_when_slashed_then_the_locked_part_stays() {
    let (mut operator, mut vault) = (operator(), stake_vault());
    operator.credit(100).unwrap();
    operator.lock(60).unwrap();
    operator.unbond(&at(0), 25, 10).unwrap();
    let mut equivocation = equivocation(1_000);
    equivocation.slash(&mut operator, &mut vault).unwrap();
    assert_eq!((operator.stake_units, operator.locked_units), (60, 60));
    assert_eq!((operator.unbonding_units, operator.free_units().unwrap()), (0, 0));
    operator.unlock(60).unwrap();
    equivocation.slash(&mut operator, &mut vault).unwrap();
    assert_eq!((operator.stake_units, equivocation.slashed_units), (0, 100));
}

#[test]
fn given_a_jailed_operator_when_its_time_is_past_then_free() {
    let mut operator = operator();
    operator.require_not_jailed(&at(0)).unwrap();
    operator.credit(10).unwrap();
    operator.unbond(&at(0), 10, 1).unwrap();
    operator.jail(&at(10), 100);
    for slot in [10, 110] {
        assert_refused(operator.require_not_jailed(&at(slot)), OracleError::Jailed);
        assert_refused(operator.withdraw_unbonded(&at(slot)), OracleError::Jailed);
    }
    operator.require_not_jailed(&at(113)).unwrap();
    operator.withdraw_unbonded(&at(113)).unwrap();
}

#[test]
fn given_a_key_when_it_changes_then_the_old_one_counts_for_its_time_and_no_key_is_lost() {
    let mut operator = operator();
    let [first, second, third] = [[1; 32], [2; 32], [3; 32]];
    operator.endpoint_key_hash = first;
    operator.change_key(first, &at(0), 100).unwrap();
    assert!(!operator.key_change.is_set(), "the same key is no change");
    operator.change_key(second, &at(10), 100).unwrap();
    assert_refused(
        operator.change_key(third, &at(110), 100),
        OracleError::KeyChangesTooSoon,
    );
    assert_refused(
        operator.change_key(first, &at(110), 100),
        OracleError::KeyChangesTooSoon,
    );
    operator.change_key(second, &at(20), 100).unwrap();
    for (key, slot, counts) in [
        (first, 110, true),
        (second, 110, true),
        (third, 110, false),
        (first, 113, false),
        (second, 113, true),
    ] {
        assert_eq!(operator.answers_with(&key, &at(slot)), counts, "{slot}");
    }
    operator.change_key(third, &at(113), 100).unwrap();
    assert!(operator.answers_with(&second, &at(113)));
}

#[test]
fn given_a_punished_equivocation_when_something_is_left_to_do_then_it_is_not_over() {
    let mut operator = operator();
    operator.endpoint_key_hash = [2; 32];
    operator.previous_key_hash = [1; 32];
    operator.key_change = Deadline::after(&at(0), 100);
    operator.credit(5).unwrap();
    let mut equivocation = equivocation(10);
    equivocation.slashed_units = 9;
    equivocation.payout_units = 3;
    assert_refused(equivocation.require_over(&operator, &at(200)), OracleError::PayoutWaits);
    equivocation.payout_units = 0;
    assert_refused(equivocation.require_over(&operator, &at(200)), OracleError::SlashWaits);
    operator.stake_units = 0;
    equivocation.require_over(&operator, &at(200)).unwrap();
    assert_refused(
        equivocation.require_over(&operator, &at(100)),
        OracleError::EvidenceCounts,
    );
    // One of two keys counts no longer, so that the pair does not.
    equivocation.key_hashes = [[1; 32], [2; 32]];
    equivocation.require_over(&operator, &at(200)).unwrap();
    equivocation.key_hashes = [[2; 32]; 2];
    assert_refused(
        equivocation.require_over(&operator, &at(200)),
        OracleError::EvidenceCounts,
    );
}

#[derive(Clone, Debug)]
enum Call {
    Stake(u64),
    Unbond(u64),
    WithdrawBond,
    Post(u64),
    Seal(Index),
    Open(Index),
    /// Ends a dispute, after so many moves of each side.
    Finish(Index, bool, u16, u16),
    Settle(Index),
    Withdraw(Index),
    Finalise(Index),
    Ask(Index),
    Demand(Index),
    Serve(Index),
    /// The deadline of a demand may be past.
    Withhold(Index),
    SettleInquiry(Index),
    WithdrawInquiry(Index),
    Punish(u64),
    Slash(Index),
    Reward(Index),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        2 => (1u64..5_000).prop_map(Call::Stake),
        1 => (1u64..5_000).prop_map(Call::Unbond),
        1 => Just(Call::WithdrawBond),
        3 => (100u64..2_000).prop_map(Call::Post),
        3 => any::<Index>().prop_map(Call::Seal),
        6 => any::<Index>().prop_map(Call::Open),
        6 => (any::<Index>(), any::<bool>(), 0u16..20, 0u16..20).prop_map(|(i, proven, c, o)| Call::Finish(i, proven, c, o)),
        9 => any::<Index>().prop_map(Call::Settle),
        4 => any::<Index>().prop_map(Call::Withdraw),
        3 => any::<Index>().prop_map(Call::Finalise),
        4 => any::<Index>().prop_map(Call::Ask),
        6 => any::<Index>().prop_map(Call::Demand),
        4 => any::<Index>().prop_map(Call::Serve),
        4 => any::<Index>().prop_map(Call::Withhold),
        6 => any::<Index>().prop_map(Call::SettleInquiry),
        3 => any::<Index>().prop_map(Call::WithdrawInquiry),
        1 => (1u64..3_000).prop_map(Call::Punish),
        2 => any::<Index>().prop_map(Call::Slash),
        1 => any::<Index>().prop_map(Call::Reward),
    ]
}

fn pick<'a>(reports: &'a mut [Report], i: &Index) -> &'a mut Report {
    let len = reports.len();
    &mut reports[i.index(len)]
}

/// Everything in one mint, as the handlers keep it.
struct World {
    vault: StakeVault,
    /// What the token account holds, in units.
    tokens: u64,
    operator: Operator,
    reports: Vec<Report>,
    /// With the index of their report; `None` once they are closed.
    disputes: Vec<Option<(usize, Dispute)>>,
    /// The same for inquiries.
    inquiries: Vec<Option<(usize, Inquiry)>>,
    equivocations: Vec<Equivocation>,
}

impl World {
    /// Makes a call as its handler does: what is refused is rolled back.
    fn make(&mut self, call: &Call, now: &Now) {
        let mut next = World {
            vault: self.vault.clone(),
            tokens: self.tokens,
            operator: self.operator.clone(),
            reports: self.reports.clone(),
            disputes: self.disputes.clone(),
            inquiries: self.inquiries.clone(),
            equivocations: self.equivocations.clone(),
        };
        if next.attempt(call, now).is_ok() {
            *self = next;
        }
    }

    fn attempt(&mut self, call: &Call, now: &Now) -> Result<()> {
        let World {
            vault,
            tokens,
            operator,
            reports,
            disputes,
            inquiries,
            equivocations,
        } = self;
        match call {
            Call::Stake(units) => {
                operator.credit(*units)?;
                vault.owe(*units)?;
                *tokens += units;
            }
            Call::Unbond(units) => operator.unbond(now, *units, TERMS.unbonding_slots)?,
            Call::WithdrawBond => {
                let units = operator.withdraw_unbonded(now)?;
                vault.pay(units)?;
                *tokens -= units;
            }
            Call::Post(bond) => {
                operator.require_not_jailed(now)?;
                operator.lock(*bond)?;
                operator.open_report()?;
                reports.push(report(*bond));
            }
            Call::Seal(i) if !reports.is_empty() => pick(reports, i).seal(now)?,
            Call::Finalise(i) if !reports.is_empty() => pick(reports, i).finalise(now, operator)?,
            Call::Open(i) if !reports.is_empty() => {
                let index = i.index(reports.len());
                let report = &mut reports[index];
                report.require_disputable(now)?;
                let order = report.enter_dispute(operator)?;
                let units = TERMS.challenger_bond_units + TERMS.open_fee_units;
                vault.insure(TERMS.open_fee_units)?;
                vault.owe(units)?;
                *tokens += units;
                disputes.push(Some((index, dispute(now, order))));
            }
            Call::Finish(i, proven, challenger_moves, operator_moves) if !disputes.is_empty() => {
                let index = i.index(disputes.len());
                let Some((report, dispute)) = &mut disputes[index] else {
                    return Ok(());
                };
                if dispute.is_finished() {
                    return Ok(());
                }
                dispute.game.challenger_moves = *challenger_moves;
                dispute.game.operator_moves = *operator_moves;
                if *proven {
                    dispute.game.phase = Phase::Proven;
                    reports[*report].reject(operator, now)?;
                } else {
                    dispute.game.phase = Phase::Lost;
                }
            }
            Call::Settle(i) if !disputes.is_empty() => {
                let index = i.index(disputes.len());
                if let Some((report, dispute)) = &mut disputes[index] {
                    dispute.settle(&mut reports[*report], operator, vault)?;
                }
            }
            Call::Withdraw(i) if !disputes.is_empty() => {
                let index = i.index(disputes.len());
                if let Some((_, dispute)) = &disputes[index] {
                    require!(dispute.settled, OracleError::NotSettled);
                    vault.pay(dispute.payout_units)?;
                    *tokens -= dispute.payout_units;
                    disputes[index] = None;
                }
            }
            Call::Ask(i) if !reports.is_empty() => {
                let index = i.index(reports.len());
                let report = &mut reports[index];
                report.require_disputable(now)?;
                inquiries.push(Some((index, inquiry(report)?)));
            }
            Call::Demand(i) if !inquiries.is_empty() => {
                let index = i.index(inquiries.len());
                if let Some((report, inquiry)) = &mut inquiries[index] {
                    let report = &mut reports[*report];
                    report.require_disputable(now)?;
                    let (root, geometry) = (inquiry.root, inquiry.geometry);
                    let form = inquiry
                        .game
                        .demand(now, TERMS.response_slots, &root, &geometry, (0, 0, root), &[])
                        .map_err(OracleError::from)?;
                    let fee = data_fee_units(TERMS.byte_fee_units, form.byte_len()).unwrap();
                    inquiry.fees_units += fee;
                    report.begin_demand()?;
                    vault.owe(fee)?;
                    *tokens += fee;
                }
            }
            Call::Serve(i) if !inquiries.is_empty() => {
                let index = i.index(inquiries.len());
                if let Some((report, inquiry)) = &mut inquiries[index] {
                    reports[*report].require_owed()?;
                    let demanded = inquiry.game.pending.take().ok_or(OracleError::NothingDemanded)?;
                    require!(!demanded.deadline.is_past(now), OracleError::MoveTooLate);
                    reports[*report].end_demand()?;
                }
            }
            Call::Withhold(i) if !inquiries.is_empty() => {
                let index = i.index(inquiries.len());
                if let Some((report, inquiry)) = &mut inquiries[index] {
                    let report = &mut reports[*report];
                    report.require_owed()?;
                    inquiry.game.time_out(now).map_err(OracleError::from)?;
                    report.end_demand()?;
                    inquiry.order = Some(report.enter_dispute(operator)?);
                    assert!(report.reject(operator, now)?);
                }
            }
            Call::SettleInquiry(i) if !inquiries.is_empty() => {
                let index = i.index(inquiries.len());
                if let Some((report, inquiry)) = &mut inquiries[index] {
                    inquiry.settle(&mut reports[*report], operator, vault)?;
                }
            }
            Call::WithdrawInquiry(i) if !inquiries.is_empty() => {
                let index = i.index(inquiries.len());
                if let Some((_, inquiry)) = &inquiries[index] {
                    require!(inquiry.settled, OracleError::NotSettled);
                    vault.pay(inquiry.payout_units)?;
                    *tokens -= inquiry.payout_units;
                    inquiries[index] = None;
                }
            }
            Call::Punish(due) => {
                let mut punished = equivocation(*due);
                punished.slash(operator, vault)?;
                operator.jail(now, TERMS.unbonding_slots);
                equivocations.push(punished);
            }
            Call::Slash(i) if !equivocations.is_empty() => {
                let index = i.index(equivocations.len());
                equivocations[index].slash(operator, vault)?;
            }
            Call::Reward(i) if !equivocations.is_empty() => {
                let index = i.index(equivocations.len());
                let units = std::mem::take(&mut equivocations[index].payout_units);
                vault.pay(units)?;
                *tokens -= units;
            }
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> std::result::Result<(), TestCaseError> {
        let disputes = || self.disputes.iter().flatten().map(|(_, dispute)| dispute);
        let bonds: u64 = disputes()
            .filter(|dispute| !dispute.settled)
            .map(|dispute| dispute.bond_units)
            .sum();
        let payouts: u64 = disputes().map(|dispute| dispute.payout_units).sum();
        let slashed: u64 = self
            .reports
            .iter()
            .filter(|report| !report.is_settled())
            .filter_map(Report::slash)
            .map(|slash| slash.remainder_units().unwrap())
            .sum();
        let rewards: u64 = self.equivocations.iter().map(|punished| punished.payout_units).sum();
        let inquiries = || self.inquiries.iter().flatten().map(|(_, inquiry)| inquiry);
        let asked: u64 = inquiries()
            .map(|inquiry| match inquiry.settled {
                true => inquiry.payout_units,
                false => inquiry.fees_units,
            })
            .sum();
        let owed = self.operator.stake_units + bonds + payouts + asked + rewards + slashed + self.vault.insurance_units;
        prop_assert_eq!(self.vault.owed_units, owed);
        prop_assert_eq!(self.tokens, owed);
        self.operator.free_units().unwrap();
        let locked: u64 = self
            .reports
            .iter()
            .filter(|report| !report.is_terminal())
            .map(|report| report.bond_units)
            .sum();
        prop_assert_eq!(self.operator.locked_units, locked);
        let open = self.reports.iter().filter(|report| !report.is_terminal()).count();
        prop_assert_eq!(self.operator.open_reports as usize, open);
        let silenced = inquiries().filter(|inquiry| inquiry.order.is_some() && !inquiry.settled);
        let unsettled = disputes().filter(|dispute| !dispute.settled).count() + silenced.count();
        prop_assert_eq!(self.operator.open_disputes as usize, unsettled);
        for (index, report) in self.reports.iter().enumerate() {
            let of_report = || self.inquiries.iter().flatten().filter(|(report, _)| *report == index);
            let pending = of_report()
                .filter(|(_, inquiry)| inquiry.game.pending.is_some())
                .count();
            let open = of_report().filter(|(_, inquiry)| !inquiry.settled).count();
            prop_assert_eq!(
                (report.demands_pending as usize, report.open_inquiries as usize),
                (pending, open)
            );
            prop_assert!(report.status != ReportStatus::Final || pending == 0);
            // Whoever is not answered is paid only after everybody who opened a dispute.
            let silenced = of_report().filter_map(|(_, inquiry)| inquiry.order);
            prop_assert!(silenced.into_iter().all(|order| order + 1 == report.disputes_opened));
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn given_any_sequence_of_calls_when_made_then_the_vault_owes_exactly_what_everybody_is_owed(
        calls in prop::collection::vec((call(), 0u64..400), 1..120),
    ) {
        let mut world = World {
            vault: stake_vault(),
            tokens: 0,
            operator: operator(),
            reports: Vec::new(),
            disputes: Vec::new(),
            inquiries: Vec::new(),
            equivocations: Vec::new(),
        };
        let mut slot = 1;
        for (call, wait) in &calls {
            slot += wait;
            world.make(call, &at(slot));
            world.check()?;
        }
    }
}

fn audit(number: u8, fee_units: u64, now: &Now, report: &Report) -> Audit {
    Audit {
        version: 1,
        bump: 255,
        report: Pubkey::default(),
        number,
        operator: Pubkey::default(),
        mint: Pubkey::default(),
        deciding_slot: 0,
        collection: Pubkey::new_from_array([1; 32]),
        receipt_index: 2,
        by_permission: false,
        fee_units,
        output_root: [0; 32],
        claim_hash: [0; 32],
        game: AuditGame::draw(now, TERMS.response_slots, &report.window).unwrap(),
        settled: false,
        auditor_units: 0,
        open_entries: 0,
        rent_payer: Pubkey::default(),
        reserved: [0; 32],
    }
}

fn audit_entry(audit: &mut Audit, now: &Now, commitment: [u8; 32]) -> AuditEntry {
    audit.game.commit(now).unwrap();
    audit.open_entries += 1;
    AuditEntry {
        version: 1,
        bump: 255,
        audit: Pubkey::default(),
        auditor: Pubkey::new_unique(),
        commitment,
        committed_slot: now.slot,
        matched: false,
        reserved: [0; 32],
    }
}

#[test]
fn given_a_number_when_drawn_again_or_beyond_the_most_then_refused() {
    let mut report = report(1_000);
    for number in [0, 15, 3] {
        report.begin_audit(number).unwrap();
        assert_eq!(report.begin_audit(number), Err(error!(OracleError::AlreadyDrawn)));
    }
    assert_eq!(report.begin_audit(16), Err(error!(OracleError::NoSuchAudit)));
    assert_eq!((report.audits_drawn, report.open_audits), (0x8009, 3));
}

#[test]
fn given_an_entry_when_opened_twice_or_by_another_name_then_refused() {
    let mut report = report(1_000);
    report.seal(&at(0)).unwrap();
    let now = at(40);
    let mut audit = audit(0, 100, &now, &report);
    let address = Pubkey::new_unique();
    let mut entry = audit_entry(&mut audit, &now, [0; 32]);
    entry.commitment = audit_commitment(&address, &entry.auditor, &[9; 32], &[5; 32]);
    let mut copy = audit_entry(&mut audit, &now, entry.commitment);
    let later = at(100);
    audit.game.ask(&later, &report.window).unwrap();
    audit.game.answer(&later, &[9; 32]).unwrap();
    let wrong = Err(error!(OracleError::WrongOpening));
    assert_eq!(audit.reveal(&later, &address, &mut copy, &[5; 32]), wrong);
    assert_eq!(audit.reveal(&later, &address, &mut entry, &[6; 32]), wrong);
    audit.reveal(&later, &address, &mut entry, &[5; 32]).unwrap();
    assert_eq!(
        audit.reveal(&later, &address, &mut entry, &[5; 32]),
        Err(error!(OracleError::AlreadyRevealed))
    );
    assert_eq!((entry.matched, copy.matched, audit.game.matched), (true, false, 1));
}

proptest! {
    #[test]
    fn given_any_audits_of_a_report_when_all_are_settled_and_paid_then_the_fund_owes_nothing_and_paid_no_more_than_it_promised(
        audits in prop::collection::vec((1u64..1_000_000, prop::collection::vec(any::<bool>(), 0..6), any::<bool>()), 1..16),
        rejected in any::<bool>(),
    ) {
        let mut report = report(1_000);
        report.seal(&at(0)).unwrap();
        let mut fund = AuditFund { version: 1, bump: 255, mint: Pubkey::default(), audit_tokens: Pubkey::default(), owed_units: 0, reserved: [0; 64] };
        let held: u64 = audits.iter().map(|(fee, ..)| fee).sum();
        let now = at(40);
        let mut drawn = Vec::new();
        for (number, (fee, committed, is_answered)) in (0u8..).zip(audits) {
            report.begin_audit(number).unwrap();
            fund.promise(fee, held).unwrap();
            let mut audit = audit(number, fee, &now, &report);
            let address = Pubkey::new_unique();
            let entries: Vec<_> = committed
                .into_iter()
                .map(|is_right| {
                    let mut entry = audit_entry(&mut audit, &now, [0; 32]);
                    let root = if is_right { [9; 32] } else { [8; 32] };
                    entry.commitment = audit_commitment(&address, &entry.auditor, &root, &[5; 32]);
                    (is_right, entry)
                })
                .collect();
            drawn.push((audit, address, entries, is_answered));
        }
        prop_assert_eq!(fund.owed_units, held);
        prop_assert_eq!(fund.promise(1, held), Err(error!(OracleError::AuditFundShort)));

        let claim = opml::Claim { model_root: [0; 32], input_root: [1; 32], output_root: [2; 32] };
        let later = at(100);
        for (audit, address, entries, is_answered) in &mut drawn {
            if entries.is_empty() {
                prop_assert_eq!(audit.ask(&later, &mut report, &claim), Err(error!(OracleError::NothingCommitted)));
                continue;
            }
            audit.ask(&later, &mut report, &claim).unwrap();
            // While it stands, a report owes no answer to the end.
            if *is_answered || !rejected {
                audit.game.answer(&later, &[9; 32]).unwrap();
                report.end_demand().unwrap();
                for (is_right, entry) in entries.iter_mut() {
                    prop_assert_eq!(audit.reveal(&later, address, entry, &[5; 32]).is_ok(), *is_right);
                }
            } else {
                prop_assert_eq!(audit.game.phase, AuditPhase::Asked);
            }
        }
        report.status = if rejected { ReportStatus::Rejected } else { ReportStatus::Final };
        let end = at(2_000);
        let mut paid = 0;
        for (audit, _, entries, _) in &mut drawn {
            let before = fund.owed_units;
            let left = audit.settle(&end, &mut report, &mut fund).unwrap();
            prop_assert_eq!(fund.owed_units, before - left);
            prop_assert_eq!(audit.settle(&end, &mut report, &mut fund), Err(error!(OracleError::AlreadySettled)));
            let right = entries.iter().filter(|(is_right, _)| *is_right).count() as u64;
            for (is_right, entry) in entries.iter() {
                let units = audit.pay(entry, &mut fund).unwrap();
                let expected = if *is_right && !rejected { audit.fee_units / right } else { 0 };
                prop_assert_eq!(units, expected);
                paid += units;
            }
            prop_assert_eq!(audit.open_entries, 0);
        }
        prop_assert_eq!(fund.owed_units, 0);
        prop_assert!(paid <= held);
        prop_assert_eq!((report.open_audits, report.demands_pending), (0, 0));
    }
}
