//! Data that somebody asks for: receipts, the input of one, a constant of the model. All trees are so small that no answer is longer than what is paid at least.

use opml_oracle::errors::OracleError as Error;

use super::{Code, Ledger, NOT_THERE, stake::Status, time::Due};

/// What an answer costs at least: as much as so many bytes.
const PAID_BYTES: u64 = 512;

#[derive(Clone, Debug)]
pub struct Inquiry {
    pub report: usize,
    /// Who asks: a challenger.
    pub demander: usize,
    pub demands: u64,
    /// Until when the demand that waits must be answered.
    pub pending: Option<Due>,
    pub fees: u64,
    /// Its turn among the disputes, once it was not answered.
    pub order: Option<u32>,
    pub settled: bool,
    pub payout: u64,
    pub closed: bool,
}

impl Inquiry {
    /// What the vault owes its demander, or the operator.
    pub fn owed(&self) -> u64 {
        if self.settled { self.payout } else { self.fees }
    }
}

impl Ledger {
    pub(super) fn require_disputable(&self, report: usize) -> Result<(), Code> {
        let report = &self.reports[report];
        match report.status {
            Status::Open => Err(Error::ReportNotSealed.into()),
            Status::Final | Status::Rejected => Err(Error::ReportEnded.into()),
            Status::Sealed if report.window.is_some_and(|window| window.is_past(&self.now)) => {
                Err(Error::WindowClosed.into())
            }
            Status::Sealed => Ok(()),
        }
    }

    pub fn open_inquiry(&mut self, report: usize, demander: usize) -> Result<(), Code> {
        if self.reports[report].closed {
            return Err(NOT_THERE);
        }
        self.require_disputable(report)?;
        self.reports[report].inquiries += 1;
        self.inquiries.push(Inquiry {
            report,
            demander,
            demands: 0,
            pending: None,
            fees: 0,
            order: None,
            settled: false,
            payout: 0,
            closed: false,
        });
        Ok(())
    }

    pub fn demand_data(&mut self, inquiry: usize) -> Result<(), Code> {
        let Inquiry { report, demander, .. } = self.inquiries[inquiry];
        self.require_disputable(report)?;
        if self.inquiries[inquiry].pending.is_some() {
            return Err(Error::DemandPending.into());
        }
        let fee = self.terms.byte_fee_units * PAID_BYTES;
        let due = Due::after(&self.now, self.terms.response_slots);
        let key = self.people.challengers[demander];
        self.charge(&key, fee)?;
        self.reports[report].demands_made += 1;
        self.reports[report].demands_pending += 1;
        let inquiry = &mut self.inquiries[inquiry];
        inquiry.demands += 1;
        inquiry.fees += fee;
        inquiry.pending = Some(due);
        Ok(())
    }

    /// The report still owes an answer to a demand; until when.
    fn owed_answer(&self, inquiry: usize) -> Result<Due, Code> {
        let inquiry = &self.inquiries[inquiry];
        if self.reports[inquiry.report].has_ended() {
            return Err(Error::ReportEnded.into());
        }
        inquiry.pending.ok_or(Error::NothingDemanded.into())
    }

    /// The input, or other bytes of the same length.
    pub fn serve_data(&mut self, inquiry: usize, is_it: bool) -> Result<(), Code> {
        if self.owed_answer(inquiry)?.is_past(&self.now) {
            return Err(Error::MoveTooLate.into());
        }
        if !is_it {
            return Err(Error::WrongPreimage.into());
        }
        self.inquiries[inquiry].pending = None;
        let report = self.inquiries[inquiry].report;
        self.reports[report].demands_pending -= 1;
        Ok(())
    }

    pub fn time_out_demand(&mut self, inquiry: usize) -> Result<(), Code> {
        if !self.owed_answer(inquiry)?.is_past(&self.now) {
            return Err(Error::TimeoutTooEarly.into());
        }
        let place = self.inquiries[inquiry].report;
        let report = &mut self.reports[place];
        report.demands_pending -= 1;
        let order = report.disputes;
        report.disputes += 1;
        self.operators[report.operator].open_disputes += 1;
        self.reject(place);
        let inquiry = &mut self.inquiries[inquiry];
        inquiry.pending = None;
        inquiry.order = Some(order);
        Ok(())
    }

    pub fn settle_inquiry(&mut self, inquiry: usize) -> Result<(), Code> {
        let terms = self.terms;
        let asked = self.inquiries[inquiry].clone();
        if asked.settled {
            return Err(Error::AlreadySettled.into());
        }
        let report = &mut self.reports[asked.report];
        if !report.has_ended() {
            return Err(Error::ReportNotEnded.into());
        }
        let mut payout = 0;
        if report.status == Status::Final {
            self.operators[report.operator].stake += asked.fees;
        } else {
            payout = asked.fees;
        }
        if let Some(order) = asked.order {
            if order != report.settled {
                return Err(Error::SettleInOrder.into());
            }
            payout += report.reward(&terms, asked.demands);
            report.settled += 1;
            self.operators[report.operator].open_disputes -= 1;
        }
        report.inquiries -= 1;
        report.demands_pending -= u32::from(asked.pending.is_some());
        if asked.order.is_some() {
            self.insure_unclaimed(asked.report);
        }
        let inquiry = &mut self.inquiries[inquiry];
        inquiry.pending = None;
        inquiry.settled = true;
        inquiry.payout = payout;
        Ok(())
    }

    pub fn withdraw_inquiry(&mut self, inquiry: usize) -> Result<(), Code> {
        let asked = &mut self.inquiries[inquiry];
        if asked.closed {
            return Err(NOT_THERE);
        }
        if !asked.settled {
            return Err(Error::NotSettled.into());
        }
        asked.closed = true;
        let (demander, payout) = (self.people.challengers[asked.demander], asked.payout);
        self.pay(&demander, payout);
        Ok(())
    }
}
