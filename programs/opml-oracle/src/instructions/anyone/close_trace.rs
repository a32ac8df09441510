use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    events::TraceClosed,
    state::{REPORT_SEED, Report, TRACE_SEED, Trace},
};

/// Closes a trace that no dispute can use any more; its rent goes to who paid it.
///
/// Anyone may, once the report has ended and every dispute of it is settled.
#[derive(Accounts)]
pub struct CloseTrace<'info> {
    #[account(
        mut,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        close = rent_payer,
        has_one = report @ OracleError::WrongReport,
        has_one = rent_payer @ OracleError::WrongRentPayer,
        seeds = [TRACE_SEED, trace.report.as_ref(), trace.claim_hash.as_ref()],
        bump = trace.bump,
    )]
    pub trace: Box<Account<'info, Trace>>,
    /// CHECK: only receives the rent; its address is the one stored.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseTrace<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.report.is_terminal(), OracleError::ReportNotEnded);
        require!(self.report.is_settled(), OracleError::DisputesUnsettled);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let report = &mut ctx.accounts.report;
        report.open_traces = report.open_traces.checked_sub(1).ok_or(OracleError::CountOverflow)?;
        emit!(TraceClosed {
            trace: ctx.accounts.trace.key(),
            report: report.key(),
        });
        Ok(())
    }
}
