use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::ReportSealed,
    state::{OPERATOR_SEED, Operator, REPORT_SEED, Report},
};

/// Ends collecting for a report and opens its challenge window.
///
/// The operator's authority may at any time, anyone once the report's seal deadline is past. Refuses a report that is not open.
#[derive(Accounts)]
pub struct SealReport<'info> {
    pub caller: Signer<'info>,
    #[account(
        mut,
        has_one = operator @ OracleError::WrongOperator,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
}

impl SealReport<'_> {
    fn validate(&self, now: &Now) -> Result<()> {
        require!(
            self.caller.key() == self.operator.authority || self.report.seal_by.is_past(now),
            OracleError::SealNotYours
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts.validate(&now)?;
        let report = &mut ctx.accounts.report;
        report.seal(&now)?;
        emit!(ReportSealed {
            report: report.key(),
            operator: report.operator,
            due_slot: report.window.due_slot,
            due_unix: report.window.due_unix,
        });
        Ok(())
    }
}
