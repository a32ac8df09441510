//! Random audits: who recomputes a receipt that nobody chose, and what pays for it.

use imo_protocol::Now;
use opml_oracle::errors::OracleError as Error;

use super::{
    CHALLENGERS, Code, IN_USE, Ledger, NOT_THERE,
    stake::{Report, Status, Trace},
    time::Due,
};

/// Slots from the seal to the first that can decide a draw, and from one to the next.
const DRAW_LAG: u64 = 32;
const DRAW_PERIOD: u64 = 512;
/// A report has an audit for each begun so many receipts.
const RECEIPTS: u64 = 512;

/// What audits are paid out of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fund {
    pub held: u64,
    /// Promised to audits, or to auditors.
    pub owed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditPhase {
    Drawn,
    Asked,
    Traced,
    Silent,
}

#[derive(Clone, Debug)]
pub struct Audit {
    pub report: usize,
    /// The receipt that was drawn: whose collection, and which of it.
    pub payer: usize,
    pub receipt: u32,
    pub phase: AuditPhase,
    pub due: Due,
    /// The claim that the operator owes the trace of.
    pub claim: Option<[u8; 32]>,
    /// When its trace was posted, in slots.
    traced_slot: u64,
    /// By challenger.
    pub entries: [Option<Entry>; CHALLENGERS],
    pub committed: u32,
    pub matched: u32,
    pub fee: u64,
    pub settled: bool,
    pub auditor_units: u64,
    pub closed: bool,
}

/// What an auditor committed to.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Whether it is what the operator has to show.
    pub is_operators: bool,
    slot: u64,
    pub matched: bool,
}

impl Audit {
    /// What the fund owes for it.
    pub fn owed(&self) -> u64 {
        let unpaid = self.entries.iter().flatten().filter(|entry| entry.matched).count() as u64;
        if self.settled {
            unpaid * self.auditor_units
        } else {
            self.fee
        }
    }

    fn enter(&mut self, phase: AuditPhase, now: &Now, response: u64) {
        self.phase = phase;
        self.due = Due::after(now, response);
    }

    fn show(&mut self, trace: &Trace, now: &Now, response: u64) {
        self.traced_slot = trace.slot;
        self.enter(AuditPhase::Traced, now, response);
    }

    fn require(&self, phase: AuditPhase) -> Result<(), Code> {
        (self.phase == phase).then_some(()).ok_or(Error::WrongAuditPhase.into())
    }
}

/// The slot whose hash decides a draw now: of the slots that could, the last one that is over.
pub fn deciding_slot(sealed: u64, now: u64) -> Option<u64> {
    let over = now.checked_sub(sealed + DRAW_LAG + 1)?;
    Some(sealed + DRAW_LAG + over / DRAW_PERIOD * DRAW_PERIOD)
}

impl Report {
    /// How many audits its receipts are worth.
    fn audits(&self) -> u64 {
        self.receipts.div_ceil(RECEIPTS)
    }
}

impl Ledger {
    /// So many turns of answering end with a report's window.
    fn require_left(&self, turns: u64, report: usize) -> Result<(), Code> {
        let needed = Due::after(&self.now, turns * self.terms.response_slots);
        let window = self.reports[report].window.ok_or(Error::ReportNotSealed)?;
        if needed.slot <= window.slot && needed.unix <= window.unix {
            Ok(())
        } else {
            Err(Error::WindowTooShort.into())
        }
    }

    fn audit(&mut self, audit: usize) -> Result<&mut Audit, Code> {
        Some(&mut self.audits[audit])
            .filter(|audit| !audit.closed)
            .ok_or(NOT_THERE)
    }

    /// The receipt that was drawn is in the collection that is named, or another one is named.
    pub fn draw_audit(&mut self, report: usize, number: u8, named: usize, drawn: Option<u64>) -> Result<(), Code> {
        let now = self.now;
        if self.reports[report].closed {
            return Err(NOT_THERE);
        }
        let reported = &self.reports[report];
        let bucket = reported.bucket.as_ref().ok_or(NOT_THERE)?;
        let collection = bucket.collections.get(&named).ok_or(NOT_THERE)?;
        let is_drawn = number == 0 && reported.is_audit_drawn;
        let is_closed = |audit: &Audit| audit.report == report && audit.closed;
        if is_drawn && !self.audits.iter().any(is_closed) {
            return Err(IN_USE);
        }
        self.require_disputable(report)?;
        if u64::from(number) >= reported.audits() {
            return Err(Error::NoSuchAudit.into());
        }
        let drawn = drawn.ok_or(Error::DrawTooEarly)?;
        let receipt = drawn.checked_sub(collection.first_receipt);
        let receipt = receipt.filter(|receipt| *receipt < collection.count);
        let receipt = receipt.ok_or(Error::NotTheDrawnReceipt)?;
        if is_drawn {
            return Err(Error::AlreadyDrawn.into());
        }
        self.require_left(4, report)?;
        let fee = self.audit_fee;
        if self.fund.owed + fee > self.fund.held {
            return Err(Error::AuditFundShort.into());
        }
        self.fund.owed += fee;
        let reported = &mut self.reports[report];
        reported.is_audit_drawn = true;
        reported.open_audits += 1;
        self.audits.push(Audit {
            report,
            payer: named,
            receipt: u32::try_from(receipt).expect("a collection is small"),
            phase: AuditPhase::Drawn,
            due: Due::after(&now, self.terms.response_slots),
            claim: None,
            traced_slot: 0,
            entries: [None; CHALLENGERS],
            committed: 0,
            matched: 0,
            fee,
            settled: false,
            auditor_units: 0,
            closed: false,
        });
        Ok(())
    }

    fn require_owed(&self, report: usize) -> Result<(), Code> {
        match self.reports[report].has_ended() {
            true => Err(Error::ReportEnded.into()),
            false => Ok(()),
        }
    }

    pub fn commit_audit(&mut self, audit: usize, auditor: usize, is_operators: bool) -> Result<(), Code> {
        let now = self.now;
        let report = self.audit(audit)?.report;
        if self.audits[audit].entries[auditor].is_some() {
            return Err(IN_USE);
        }
        self.require_owed(report)?;
        let audit = self.audit(audit)?;
        audit.require(AuditPhase::Drawn)?;
        if audit.due.is_past(&now) {
            return Err(Error::MoveTooLate.into());
        }
        audit.committed += 1;
        audit.entries[auditor] = Some(Entry {
            is_operators,
            slot: now.slot,
            matched: false,
        });
        Ok(())
    }

    /// The receipt is shown, whose claim has this hash.
    pub fn ask_audit(&mut self, audit: usize, claim: [u8; 32]) -> Result<(), Code> {
        let (now, response) = (self.now, self.terms.response_slots);
        let report = self.audit(audit)?.report;
        self.require_owed(report)?;
        self.audits[audit].require(AuditPhase::Drawn)?;
        if !self.audits[audit].due.is_past(&now) {
            return Err(Error::TimeoutTooEarly.into());
        }
        if self.audits[audit].committed == 0 {
            return Err(Error::NothingCommitted.into());
        }
        self.require_left(2, report)?;
        let audit = self.audit(audit)?;
        audit.claim = Some(claim);
        audit.enter(AuditPhase::Asked, &now, response);
        self.reports[report].demands_pending += 1;
        Ok(())
    }

    pub fn post_audit_trace(&mut self, audit: usize) -> Result<(), Code> {
        let (now, response) = (self.now, self.terms.response_slots);
        let Audit { report, claim, .. } = *self.audit(audit)?;
        let claim = claim.ok_or(Error::WrongAuditPhase)?;
        if self.reports[report].trace(&claim).is_some() {
            return Err(IN_USE);
        }
        self.require_owed(report)?;
        let answered = self.audit(audit)?;
        answered.require(AuditPhase::Asked)?;
        if answered.due.is_past(&now) {
            return Err(Error::MoveTooLate.into());
        }
        let trace = Trace { claim, slot: now.slot };
        answered.show(&trace, &now, response);
        let report = &mut self.reports[report];
        report.demands_pending -= 1;
        report.traces.push(trace);
        Ok(())
    }

    pub fn attach_audit_trace(&mut self, audit: usize) -> Result<(), Code> {
        let (now, response) = (self.now, self.terms.response_slots);
        let Audit { report, claim, .. } = *self.audit(audit)?;
        let claim = claim.ok_or(NOT_THERE)?;
        let trace = *self.reports[report].trace(&claim).ok_or(NOT_THERE)?;
        self.require_owed(report)?;
        let answered = self.audit(audit)?;
        answered.require(AuditPhase::Asked)?;
        answered.show(&trace, &now, response);
        self.reports[report].demands_pending -= 1;
        Ok(())
    }

    pub fn time_out_audit(&mut self, audit: usize) -> Result<(), Code> {
        let now = self.now;
        let Audit { report, claim, .. } = *self.audit(audit)?;
        self.require_owed(report)?;
        if claim.is_some_and(|claim| self.reports[report].trace(&claim).is_some()) {
            return Err(Error::TraceIsPosted.into());
        }
        let silent = self.audit(audit)?;
        silent.require(AuditPhase::Asked)?;
        if !silent.due.is_past(&now) {
            return Err(Error::TimeoutTooEarly.into());
        }
        silent.phase = AuditPhase::Silent;
        self.reports[report].demands_pending -= 1;
        self.reject(report);
        self.insure_unclaimed(report);
        Ok(())
    }

    pub fn reveal_audit(&mut self, audit: usize, auditor: usize) -> Result<(), Code> {
        let now = self.now;
        let audit = self.audit(audit)?;
        let entry = audit.entries[auditor].ok_or(NOT_THERE)?;
        if entry.matched {
            return Err(Error::AlreadyRevealed.into());
        }
        audit.require(AuditPhase::Traced)?;
        if audit.due.is_past(&now) {
            return Err(Error::MoveTooLate.into());
        }
        if entry.slot >= audit.traced_slot {
            return Err(Error::CommittedTooLate.into());
        }
        if !entry.is_operators {
            return Err(Error::WrongOpening.into());
        }
        audit.matched += 1;
        audit.entries[auditor] = Some(Entry { matched: true, ..entry });
        Ok(())
    }

    pub fn settle_audit(&mut self, audit: usize) -> Result<(), Code> {
        let now = self.now;
        let ended = self.audit(audit)?.clone();
        if ended.settled {
            return Err(Error::AlreadySettled.into());
        }
        let report = &mut self.reports[ended.report];
        let (has_ended, rejected) = (report.has_ended(), report.status == Status::Rejected);
        let is_over = match ended.phase {
            AuditPhase::Drawn if ended.committed == 0 && ended.due.is_past(&now) => true,
            AuditPhase::Drawn => has_ended,
            AuditPhase::Asked | AuditPhase::Silent => rejected,
            AuditPhase::Traced => rejected || (has_ended && ended.due.is_past(&now)),
        };
        if !is_over {
            return Err(Error::AuditNotOver.into());
        }
        if ended.phase == AuditPhase::Asked {
            report.demands_pending -= 1;
        }
        report.open_audits -= 1;
        let matched = if rejected { 0 } else { u64::from(ended.matched) };
        let each = ended.fee.checked_div(matched).unwrap_or(0);
        self.fund.owed -= ended.fee - each * matched;
        let ended = &mut self.audits[audit];
        ended.settled = true;
        ended.auditor_units = each;
        Ok(())
    }

    pub fn withdraw_audit_fee(&mut self, audit: usize, auditor: usize) -> Result<(), Code> {
        let key = self.people.challengers[auditor];
        let paid = self.audit(audit)?;
        let entry = paid.entries[auditor].ok_or(NOT_THERE)?;
        if !paid.settled {
            return Err(Error::NotSettled.into());
        }
        let units = if entry.matched { paid.auditor_units } else { 0 };
        paid.entries[auditor] = None;
        self.fund.owed -= units;
        self.fund.held -= units;
        self.pay(&key, units);
        Ok(())
    }

    pub fn close_audit(&mut self, audit: usize) -> Result<(), Code> {
        let closed = self.audit(audit)?;
        if !closed.settled {
            return Err(Error::NotSettled.into());
        }
        if closed.entries.iter().any(Option::is_some) {
            return Err(Error::EntriesOpen.into());
        }
        closed.closed = true;
        Ok(())
    }

    /// What the protocol set aside of its share goes to the fund.
    pub fn pay_audit_share(&mut self) -> Result<(), Code> {
        let treasury = self.people.treasury;
        if !self.earnings.contains_key(&treasury) {
            return Err(NOT_THERE);
        }
        if self.audit_share == 0 {
            return Err(revenue_escrow::errors::RevenueEscrowError::AmountIsZero.into());
        }
        self.fund.held += std::mem::take(&mut self.audit_share);
        Ok(())
    }
}
