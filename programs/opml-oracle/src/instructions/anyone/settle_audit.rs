use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::AuditSettled,
    state::{AUDIT_FUND_SEED, AUDIT_SEED, Audit, AuditFund, REPORT_SEED, Report},
};

/// Decides what an audit pays: when its report is final, each auditor whose commitment was opened an equal part of the fee; when it is rejected, nobody. What nobody gets stays
/// in the fund. No token moves.
///
/// Anyone may, once the report has ended and the time to open commitments is over; at once when nobody committed in time, and when the report is rejected.
#[derive(Accounts)]
pub struct SettleAudit<'info> {
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    #[account(
        mut,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        constraint = audit_fund.mint == audit.mint @ OracleError::WrongMint,
        seeds = [AUDIT_FUND_SEED, audit_fund.mint.as_ref()],
        bump = audit_fund.bump,
    )]
    pub audit_fund: Box<Account<'info, AuditFund>>,
}

impl SettleAudit<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let audit = &mut accounts.audit;
        let left_units = audit.settle(&Now::read()?, &mut accounts.report, &mut accounts.audit_fund)?;
        emit!(AuditSettled {
            audit: audit.key(),
            report: audit.report,
            matched: audit.game.matched,
            auditor_units: audit.auditor_units,
            left_units,
        });
        Ok(())
    }
}
