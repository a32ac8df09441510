use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::ReportFinalised,
    state::{OPERATOR_SEED, Operator, REPORT_SEED, Report},
};

/// Makes a report final that nobody proved wrong, and frees its bond.
///
/// Anyone may. Refuses before the window is past, while a dispute is not settled, and while a demand for data waits for its answer.
#[derive(Accounts)]
pub struct FinaliseReport<'info> {
    #[account(
        mut,
        has_one = operator @ OracleError::WrongOperator,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
}

impl FinaliseReport<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let report = &mut ctx.accounts.report;
        report.finalise(&Now::read()?, &mut ctx.accounts.operator)?;
        emit!(ReportFinalised {
            report: report.key(),
            operator: report.operator,
            bond_units: report.bond_units,
        });
        Ok(())
    }
}
