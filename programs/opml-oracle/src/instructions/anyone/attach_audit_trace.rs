use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::AuditAnswered,
    state::{AUDIT_SEED, Audit, REPORT_SEED, Report, TRACE_SEED, Trace},
};

/// Answers an audit with the trace that the operator posted for a dispute or another audit on the same claim. Whoever committed before it was posted is paid as for any
/// other answer; nobody else, because it could be copied.
///
/// Anyone may, however late: who has shown its trace is not silent. Refuses the trace of another report or claim.
#[derive(Accounts)]
pub struct AttachAuditTrace<'info> {
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
        constraint = trace.report == report.key() @ OracleError::WrongTrace,
        constraint = trace.claim_hash == audit.claim_hash @ OracleError::WrongTrace,
        seeds = [TRACE_SEED, trace.report.as_ref(), trace.claim_hash.as_ref()],
        bump = trace.bump,
    )]
    pub trace: Box<Account<'info, Trace>>,
}

impl AttachAuditTrace<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let (audit, trace) = (&mut accounts.audit, &accounts.trace);
        accounts.report.require_owed()?;
        audit
            .game
            .attach(&Now::read()?, &trace.trace_root, trace.posted_slot)
            .map_err(OracleError::from)?;
        accounts.report.end_demand()?;
        emit!(AuditAnswered::of(audit));
        Ok(())
    }
}
