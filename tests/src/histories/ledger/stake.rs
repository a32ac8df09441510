//! Operators, their stake and their reports.

use imo_protocol::Now;
use opml_oracle::errors::OracleError as Error;

use model_token::{errors::ModelTokenError, state::DisputeTerms};

use super::{Code, Ledger, NOT_THERE, revenue::Bucket, time::Due};

#[derive(Clone, Debug, Default)]
pub struct Operator {
    pub stake: u64,
    pub locked: u64,
    pub unbonding: u64,
    pub due: Option<Due>,
    pub open_disputes: u32,
    /// After a rejected report.
    pub jail: Option<Due>,
    /// Whether its account is there.
    pub registered: bool,
    /// The key that it answers with, of two, and until when answers under the other one count.
    pub key: usize,
    pub key_change: Option<Due>,
}

/// The trace of a claim that somebody posted.
#[derive(Clone, Copy, Debug)]
pub struct Trace {
    pub claim: [u8; 32],
    pub slot: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Sealed,
    Final,
    Rejected,
}

#[derive(Clone, Debug)]
pub struct Report {
    pub operator: usize,
    pub status: Status,
    pub bond: u64,
    pub max_collect: u64,
    pub seal_by: Due,
    pub window: Option<Due>,
    pub disputes: u32,
    pub settled: u32,
    /// Of the slashed bond: all of it, what is not given away yet, what costs took.
    pub slashed: u64,
    pub slashed_left: u64,
    pub costs: u64,
    pub share_given: bool,
    /// Traces that are not closed.
    pub traces: Vec<Trace>,
    /// Inquiries that are not settled; demands ever made, and those that wait.
    pub inquiries: u32,
    pub demands_made: u32,
    pub demands_pending: u32,
    pub is_audit_drawn: bool,
    /// Audits that are not settled.
    pub open_audits: u32,
    /// Of all its collections ever.
    pub receipts: u64,
    pub bucket: Option<Bucket>,
    pub closed: bool,
}

impl Operator {
    pub fn free(&self) -> u64 {
        self.stake - self.locked - self.unbonding
    }

    fn is_jailed(&self, now: &Now) -> bool {
        self.jail.is_some_and(|jail| !jail.is_past(now))
    }
}

impl Report {
    pub fn is_settled(&self) -> bool {
        self.disputes == self.settled
    }

    /// What somebody gets of the slashed bond whose turn it is: for so many moves, as long as the cap lasts, and the share if nobody had it.
    pub fn reward(&mut self, terms: &DisputeTerms, moves: u64) -> u64 {
        let cap = Ledger::share(self.slashed, terms.cost_cap_bps);
        let costs = (terms.move_cost_units * moves).min(cap - self.costs);
        let share = match self.share_given {
            true => 0,
            false => Ledger::share(self.slashed, terms.prover_share_bps),
        };
        self.share_given = true;
        self.costs += costs;
        self.slashed_left -= costs + share;
        costs + share
    }

    pub fn trace(&self, claim: &[u8; 32]) -> Option<&Trace> {
        self.traces.iter().find(|trace| trace.claim == *claim)
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.status, Status::Final | Status::Rejected)
    }
}

impl Ledger {
    pub fn register_operator(&mut self, operator: usize) -> Result<(), Code> {
        if self.operators[operator].registered {
            return Err(super::IN_USE);
        }
        if self.is_paused() {
            return Err(ModelTokenError::Paused.into());
        }
        self.operators[operator].registered = true;
        Ok(())
    }

    /// Answers with a key from now on. Under the other one evidence counts as long as leaving takes, and until then the key does not change again.
    pub fn update_operator(&mut self, operator: usize, key: usize) -> Result<(), Code> {
        let (now, due) = (self.now, Due::after(&self.now, self.terms.unbonding_slots));
        let operator = &mut self.operators[operator];
        if operator.key == key {
            return Ok(());
        }
        if operator.key_change.is_some_and(|change| !change.is_past(&now)) {
            return Err(Error::KeyChangesTooSoon.into());
        }
        operator.key = key;
        operator.key_change = Some(due);
        Ok(())
    }

    /// Whether an answer that is signed with a key is the operator's.
    pub(super) fn answers_with(&self, operator: usize, key: usize) -> bool {
        let operator = &self.operators[operator];
        let other_counts = operator.key_change.is_some_and(|change| !change.is_past(&self.now));
        operator.key == key || other_counts
    }

    pub fn stake_bond(&mut self, operator: usize, units: u64) -> Result<(), Code> {
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        let key = self.people.operators[operator];
        self.charge(&key, units)?;
        self.operators[operator].stake += units;
        Ok(())
    }

    pub fn request_unbond(&mut self, operator: usize, units: u64) -> Result<(), Code> {
        let due = Due::after(&self.now, self.terms.unbonding_slots);
        let staked = &mut self.operators[operator];
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        if units > staked.free() {
            return Err(Error::NotEnoughFreeStake.into());
        }
        staked.unbonding += units;
        staked.due = Some(due);
        Ok(())
    }

    pub fn withdraw_bond(&mut self, operator: usize) -> Result<(), Code> {
        let now = self.now;
        let staked = &mut self.operators[operator];
        if staked.unbonding == 0 {
            return Err(Error::NothingUnbonding.into());
        }
        let due = staked.due.ok_or(Error::NothingUnbonding)?;
        if !due.is_past(&now) {
            return Err(Error::StillUnbonding.into());
        }
        if staked.open_disputes > 0 {
            return Err(Error::DisputesOpen.into());
        }
        if staked.is_jailed(&now) {
            return Err(Error::Jailed.into());
        }
        staked.due = None;
        let units = std::mem::take(&mut staked.unbonding);
        staked.stake -= units;
        let key = self.people.operators[operator];
        self.pay(&key, units);
        Ok(())
    }

    pub fn post_report(&mut self, operator: usize, bond: u64) -> Result<(), Code> {
        if self.operators[operator].is_jailed(&self.now) {
            return Err(Error::Jailed.into());
        }
        if bond < self.terms.min_bond_units {
            return Err(Error::BondTooSmall.into());
        }
        if !self.admits_report(operator) {
            return Err(Error::NotAppointed.into());
        }
        let staked = &mut self.operators[operator];
        if bond > staked.free() {
            return Err(Error::NotEnoughFreeStake.into());
        }
        staked.locked += bond;
        let max_collect = u128::from(bond) * 10_000 / u128::from(self.terms.bond_ratio_bps);
        self.reports.push(Report {
            operator,
            status: Status::Open,
            bond,
            max_collect: u64::try_from(max_collect).expect("a bond fits"),
            seal_by: Due::after(&self.now, self.terms.seal_slots),
            window: None,
            disputes: 0,
            settled: 0,
            slashed: 0,
            slashed_left: 0,
            costs: 0,
            share_given: false,
            traces: Vec::new(),
            inquiries: 0,
            demands_made: 0,
            demands_pending: 0,
            is_audit_drawn: false,
            open_audits: 0,
            receipts: 0,
            bucket: Some(Bucket::default()),
            closed: false,
        });
        Ok(())
    }

    fn report(&mut self, report: usize) -> Result<&mut Report, Code> {
        Some(&mut self.reports[report])
            .filter(|report| !report.closed)
            .ok_or(NOT_THERE)
    }

    /// By the operator, or by a stranger.
    pub fn seal_report(&mut self, report: usize, by_operator: bool) -> Result<(), Code> {
        let now = self.now;
        let window = Due::after(&now, self.terms.window_slots);
        let report = self.report(report)?;
        if !by_operator && !report.seal_by.is_past(&now) {
            return Err(Error::SealNotYours.into());
        }
        if report.status != Status::Open {
            return Err(Error::ReportNotOpen.into());
        }
        report.status = Status::Sealed;
        report.window = Some(window);
        Ok(())
    }

    pub fn finalise_report(&mut self, report: usize) -> Result<(), Code> {
        let now = self.now;
        let report = self.report(report)?;
        match report.status {
            Status::Open => return Err(Error::ReportNotSealed.into()),
            Status::Final | Status::Rejected => return Err(Error::ReportEnded.into()),
            Status::Sealed => {}
        }
        if !report.window.is_some_and(|window| window.is_past(&now)) {
            return Err(Error::WindowOpen.into());
        }
        if !report.is_settled() {
            return Err(Error::DisputesUnsettled.into());
        }
        if report.demands_pending > 0 {
            return Err(Error::DemandsPending.into());
        }
        report.status = Status::Final;
        let (operator, bond) = (report.operator, report.bond);
        self.operators[operator].locked -= bond;
        Ok(())
    }

    /// What of a slashed bond is nobody's once all disputes are settled.
    pub(super) fn insure_unclaimed(&mut self, report: usize) {
        let report = &mut self.reports[report];
        if report.status == Status::Rejected && report.is_settled() {
            self.insurance += std::mem::take(&mut report.slashed_left);
        }
    }

    /// Somebody is right: the bond is gone, and the operator jailed.
    pub(super) fn reject(&mut self, report: usize) {
        let jail = Due::after(&self.now, self.terms.unbonding_slots);
        let report = &mut self.reports[report];
        if report.status == Status::Rejected {
            return;
        }
        report.status = Status::Rejected;
        report.slashed = report.bond;
        report.slashed_left = report.bond;
        let operator = &mut self.operators[report.operator];
        operator.locked -= report.bond;
        operator.stake -= report.bond;
        operator.jail = Some(jail);
    }

    pub fn close_report(&mut self, report: usize) -> Result<(), Code> {
        let report = self.report(report)?;
        if !report.has_ended() {
            return Err(Error::ReportNotEnded.into());
        }
        if !report.is_settled() {
            return Err(Error::DisputesUnsettled.into());
        }
        if !report.traces.is_empty() {
            return Err(Error::TracesOpen.into());
        }
        if report.inquiries > 0 {
            return Err(Error::InquiriesOpen.into());
        }
        if report.open_audits > 0 {
            return Err(Error::AuditsOpen.into());
        }
        if report.bucket.is_some() {
            return Err(Error::BucketOpen.into());
        }
        report.closed = true;
        Ok(())
    }

    pub fn close_trace(&mut self, report: usize, claim: &[u8; 32]) -> Result<(), Code> {
        let report = self.report(report)?;
        let place = report
            .traces
            .iter()
            .position(|trace| trace.claim == *claim)
            .ok_or(NOT_THERE)?;
        if !report.has_ended() {
            return Err(Error::ReportNotEnded.into());
        }
        if !report.is_settled() {
            return Err(Error::DisputesUnsettled.into());
        }
        report.traces.remove(place);
        Ok(())
    }
}
