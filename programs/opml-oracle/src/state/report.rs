use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};
use model_token::state::DisputeTerms;

use super::Operator;
use crate::{errors::OracleError, math::settlement::Slash};

/// Seeds: `"report", operator, sequence u64`.
pub const REPORT_SEED: &[u8] = b"report";

/// Where a report is in its life.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportStatus {
    /// The escrow collects for it; nobody can dispute it.
    Open,
    /// Nothing is collected any more; disputes open while the window lasts.
    Sealed,
    /// Nobody proved anything: the money may be split.
    Final,
    /// Somebody proved fraud: the bond is slashed, the money goes back to the payers.
    Rejected,
}

/// What an operator says was used in a period, on one version of a model, and the bond that answers for it.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Report {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The operator account.
    pub operator: Pubkey,
    /// The model account.
    pub model: Pubkey,
    /// The account of the model's version.
    pub model_version: Pubkey,
    /// Number of that version.
    pub version_number: u16,
    /// What every claim of this report is about.
    pub model_root: [u8; 32],
    /// Nodes of the model: leaves of every trace.
    pub node_count: u32,
    /// The mint of revenue and bond.
    pub mint: Pubkey,
    /// Number of this report among the operator's, from 0.
    pub sequence: u64,
    /// Generation of the operator.
    pub generation: u64,
    /// Where it is in its life.
    pub status: ReportStatus,
    /// Begin of the period, in Unix seconds.
    pub period_start_unix: i64,
    /// End of the period, in Unix seconds.
    pub period_end_unix: i64,
    /// Locked of the operator's stake, in units.
    pub bond_units: u64,
    /// The most that the escrow collects for this report, in units.
    pub max_collect_units: u64,
    /// Until when only the operator may seal it.
    pub seal_by: Deadline,
    /// Until when disputes may be opened; runs from the seal.
    pub window: Deadline,
    /// Disputes ever opened, and whatever else ended in silence; the order of the next one.
    pub disputes_opened: u32,
    /// Of those, how many are settled; the order of the next one to settle.
    pub disputes_settled: u32,
    /// Whether the prover's share was given.
    pub share_paid: bool,
    /// The bond, once it is slashed, in units.
    pub slashed_units: u64,
    /// Given to challengers for their moves out of the slashed bond, in units.
    pub costs_paid_units: u64,
    /// Trace accounts not yet closed.
    pub open_traces: u32,
    /// The terms it is under, as its version had them.
    pub terms: DisputeTerms,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Inquiries not yet settled.
    pub open_inquiries: u32,
    /// Demands for data ever made.
    pub demands_made: u32,
    /// Answers that the operator owes. While there is one, the report cannot become final.
    pub demands_pending: u32,
    /// Bit `i` is whether its audit number `i` was ever drawn.
    pub audits_drawn: u16,
    /// Audits not yet settled.
    pub open_audits: u16,
    /// Zero.
    pub reserved: [u8; 60],
}

const _: () = assert!(Report::INIT_SPACE == 506);

impl Report {
    /// Whether nothing can change its status any more.
    pub fn is_terminal(&self) -> bool {
        matches!(self.status, ReportStatus::Final | ReportStatus::Rejected)
    }

    /// Whether nobody has begun to look for an error in it.
    pub fn is_unchallenged(&self) -> bool {
        self.disputes_opened == 0 && self.demands_made == 0
    }

    /// Whether every dispute is settled.
    pub fn is_settled(&self) -> bool {
        self.disputes_settled == self.disputes_opened
    }

    /// Refuses a new dispute outside the window, and after a rejection, which needs no second one.
    pub fn require_disputable(&self, now: &Now) -> Result<()> {
        match self.status {
            ReportStatus::Sealed => {}
            ReportStatus::Open => return err!(OracleError::ReportNotSealed),
            ReportStatus::Final | ReportStatus::Rejected => return err!(OracleError::ReportEnded),
        }
        require!(!self.window.is_past(now), OracleError::WindowClosed);
        Ok(())
    }

    /// One more dispute counts as open; nothing of the operator's stake leaves until it is settled. Returns its place in the order.
    pub fn enter_dispute(&mut self, operator: &mut Operator) -> Result<u32> {
        let order = self.disputes_opened;
        self.disputes_opened = order.checked_add(1).ok_or(OracleError::CountOverflow)?;
        operator.open_disputes = operator
            .open_disputes
            .checked_add(1)
            .ok_or(OracleError::CountOverflow)?;
        Ok(order)
    }

    /// One dispute is settled, which took `costs_units` of the slashed bond, and the prover's share when `gives_share`.
    pub fn leave_dispute(&mut self, operator: &mut Operator, costs_units: u64, gives_share: bool) -> Result<()> {
        self.disputes_settled = self.disputes_settled.checked_add(1).ok_or(OracleError::CountOverflow)?;
        operator.open_disputes = operator
            .open_disputes
            .checked_sub(1)
            .ok_or(OracleError::CountOverflow)?;
        self.costs_paid_units = self
            .costs_paid_units
            .checked_add(costs_units)
            .ok_or(OracleError::AmountOverflow)?;
        self.share_paid |= gives_share;
        Ok(())
    }

    /// One more inquiry counts as open.
    pub fn begin_inquiry(&mut self) -> Result<()> {
        self.open_inquiries = self.open_inquiries.checked_add(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }

    /// One inquiry is settled.
    pub fn end_inquiry(&mut self) -> Result<()> {
        self.open_inquiries = self.open_inquiries.checked_sub(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }

    /// Audit `number` is drawn, once for good: a second draw would be a second chance for who dislikes the first.
    pub fn begin_audit(&mut self, number: u8) -> Result<()> {
        let bit = 1u16.checked_shl(number.into()).ok_or(OracleError::NoSuchAudit)?;
        require!(self.audits_drawn & bit == 0, OracleError::AlreadyDrawn);
        self.audits_drawn |= bit;
        self.open_audits = self.open_audits.checked_add(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }

    /// One audit is settled.
    pub fn end_audit(&mut self) -> Result<()> {
        self.open_audits = self.open_audits.checked_sub(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }

    /// The operator owes one more answer, because somebody demanded data.
    pub fn begin_demand(&mut self) -> Result<()> {
        self.demands_made = self.demands_made.checked_add(1).ok_or(OracleError::CountOverflow)?;
        self.begin_answer()
    }

    /// The operator owes one more answer.
    pub fn begin_answer(&mut self) -> Result<()> {
        self.demands_pending = self.demands_pending.checked_add(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }

    /// The operator owes one answer less: it is there, too late, or no longer of use.
    pub fn end_demand(&mut self) -> Result<()> {
        self.demands_pending = self.demands_pending.checked_sub(1).ok_or(OracleError::CountOverflow)?;
        Ok(())
    }

    /// Refuses an answer, and the end of the time for it, when the report has ended: then nobody owes any.
    pub fn require_owed(&self) -> Result<()> {
        require!(!self.is_terminal(), OracleError::ReportEnded);
        Ok(())
    }

    /// Ends collecting and opens the window.
    pub fn seal(&mut self, now: &Now) -> Result<()> {
        require!(self.status == ReportStatus::Open, OracleError::ReportNotOpen);
        self.status = ReportStatus::Sealed;
        self.window = Deadline::after(now, self.terms.window_slots);
        Ok(())
    }

    /// Nobody proved anything: frees the bond.
    pub fn finalise(&mut self, now: &Now, operator: &mut Operator) -> Result<()> {
        match self.status {
            ReportStatus::Sealed => {}
            ReportStatus::Open => return err!(OracleError::ReportNotSealed),
            ReportStatus::Final | ReportStatus::Rejected => return err!(OracleError::ReportEnded),
        }
        require!(self.window.is_past(now), OracleError::WindowOpen);
        require!(self.is_settled(), OracleError::DisputesUnsettled);
        require!(self.demands_pending == 0, OracleError::DemandsPending);
        operator.unlock(self.bond_units)?;
        operator.end_report()?;
        self.status = ReportStatus::Final;
        Ok(())
    }

    /// Fraud is proven: slashes the bond and jails the operator, the first time. Returns whether it was the first.
    pub fn reject(&mut self, operator: &mut Operator, now: &Now) -> Result<bool> {
        match self.status {
            ReportStatus::Rejected => return Ok(false),
            ReportStatus::Sealed => {}
            // A live dispute keeps a report from becoming final, and none opens before the seal.
            ReportStatus::Open => return err!(OracleError::ReportNotSealed),
            ReportStatus::Final => return err!(OracleError::ReportEnded),
        }
        operator.slash(self.bond_units)?;
        operator.end_report()?;
        operator.jail(now, self.terms.unbonding_slots);
        self.slashed_units = self.bond_units;
        self.status = ReportStatus::Rejected;
        Ok(true)
    }

    /// What happened so far to the slashed bond, or `None` while the report stands.
    pub fn slash(&self) -> Option<Slash> {
        (self.status == ReportStatus::Rejected).then_some(Slash {
            slashed_units: self.slashed_units,
            costs_paid_units: self.costs_paid_units,
            share_paid: self.share_paid,
            prover_share_bps: self.terms.prover_share_bps,
            cost_cap_bps: self.terms.cost_cap_bps,
        })
    }
}
