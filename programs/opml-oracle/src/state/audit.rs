use anchor_lang::prelude::*;
use imo_protocol::Now;
use opml::Claim;

use super::{AuditFund, Report, ReportStatus};
use crate::{
    audit_game::{AuditGame, AuditPhase, audit_commitment},
    errors::OracleError,
    math::audit_fee::auditor_units,
};

/// Seeds: `"audit", report, number u8`.
pub const AUDIT_SEED: &[u8] = b"audit";
/// Seeds: `"audit_entry", audit, auditor`.
pub const AUDIT_ENTRY_SEED: &[u8] = b"audit_entry";

/// A receipt of a report that was drawn to be recomputed, and what is paid for that.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Audit {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The report.
    pub report: Pubkey,
    /// Its number among the audits of the report, from 0.
    pub number: u8,
    /// The operator account of the report.
    pub operator: Pubkey,
    /// The mint of the fee.
    pub mint: Pubkey,
    /// The slot whose hash drew the receipt.
    pub deciding_slot: u64,
    /// The Collection that holds the receipt.
    pub collection: Pubkey,
    /// Index of the receipt in it.
    pub receipt_index: u32,
    /// Whether only who has the permission of the receipt's payer audits it: the lane is private, or not everybody can check the version.
    pub by_permission: bool,
    /// Promised to all its auditors together, in units.
    pub fee_units: u64,
    /// Root of the claim's output, once the receipt is shown.
    pub output_root: [u8; 32],
    /// Hash of the claim, once the receipt is shown.
    pub claim_hash: [u8; 32],
    /// Phase, deadline, counts.
    pub game: AuditGame,
    /// Whether what it pays is decided.
    pub settled: bool,
    /// What each auditor gets whose commitment was opened, once it is settled, in units.
    pub auditor_units: u64,
    /// Entries not yet closed.
    pub open_entries: u32,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Audit::INIT_SPACE == 374);

/// What one auditor committed to, and whether it turned out to be the operator's trace.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct AuditEntry {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The audit.
    pub audit: Pubkey,
    /// Who recomputed, and is paid; paid this account's rent, too.
    pub auditor: Pubkey,
    /// Hides the trace root.
    pub commitment: [u8; 32],
    /// When it was made.
    pub committed_slot: u64,
    /// Whether it was opened to the operator's trace.
    pub matched: bool,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(AuditEntry::INIT_SPACE == 139);

impl Audit {
    /// Refuses another place than the drawn one. Whoever acts names it, so that a fork that drew another redirects nothing.
    pub fn require_drawn(&self, collection: &Pubkey, receipt_index: u32) -> Result<()> {
        require!(
            self.collection == *collection && self.receipt_index == receipt_index,
            OracleError::NotTheDrawnReceipt
        );
        Ok(())
    }

    /// The drawn receipt is shown: the operator owes the trace of its claim.
    pub fn ask(&mut self, now: &Now, report: &mut Report, claim: &Claim) -> Result<()> {
        report.require_owed()?;
        self.game.ask(now, &report.window).map_err(OracleError::from)?;
        report.begin_answer()?;
        self.output_root = claim.output_root;
        self.claim_hash = claim.claim_hash();
        Ok(())
    }

    /// Opens an entry to the operator's trace.
    pub fn reveal(&mut self, now: &Now, audit: &Pubkey, entry: &mut AuditEntry, salt: &[u8; 32]) -> Result<()> {
        require!(!entry.matched, OracleError::AlreadyRevealed);
        let auditor = entry.auditor;
        self.game
            .reveal(now, &entry.commitment, entry.committed_slot, |trace_root| {
                audit_commitment(audit, &auditor, trace_root, salt)
            })
            .map_err(OracleError::from)?;
        entry.matched = true;
        Ok(())
    }

    /// Decides what each auditor gets: an equal part when the report is final, nothing when it is rejected, because then nobody knows whether what they agreed
    /// on was true. Returns what stays in the fund, in units.
    pub fn settle(&mut self, now: &Now, report: &mut Report, fund: &mut AuditFund) -> Result<u64> {
        require!(!self.settled, OracleError::AlreadySettled);
        let rejected = report.status == ReportStatus::Rejected;
        self.game
            .require_over_with(now, report.is_terminal(), rejected)
            .map_err(OracleError::from)?;
        // The report is rejected while it was to be answered: it need not be any more.
        if self.game.phase == AuditPhase::Asked {
            report.end_demand()?;
        }
        let matched = if rejected { 0 } else { self.game.matched };
        self.auditor_units = auditor_units(self.fee_units, matched);
        let paid_units = self.auditor_units.checked_mul(matched.into());
        let left_units = paid_units
            .and_then(|units| self.fee_units.checked_sub(units))
            .ok_or(OracleError::AmountOverflow)?;
        fund.release(left_units)?;
        self.settled = true;
        report.end_audit()?;
        Ok(left_units)
    }

    /// One entry is paid and closed. Returns what its auditor gets, in units.
    pub fn pay(&mut self, entry: &AuditEntry, fund: &mut AuditFund) -> Result<u64> {
        require!(self.settled, OracleError::NotSettled);
        let units = if entry.matched { self.auditor_units } else { 0 };
        fund.release(units)?;
        self.open_entries = self.open_entries.checked_sub(1).ok_or(OracleError::CountOverflow)?;
        Ok(units)
    }
}
