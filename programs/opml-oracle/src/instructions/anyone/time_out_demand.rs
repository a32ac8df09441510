use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    data_game::DemandedNode,
    errors::OracleError,
    events::DataWithheld,
    instructions::verdict::reject_for_silence,
    state::{INQUIRY_SEED, Inquiry, OPERATOR_SEED, Operator, REPORT_SEED, Report},
};

/// Rejects the report of an operator that let the deadline of a demand for data pass. The inquiry joins the end of the queue of whoever is paid out of the bond:
/// whoever opened a dispute before comes first.
///
/// Anyone may. Refuses while the answer is still in time, and after the report has ended, when nobody owes an answer any more.
#[derive(Accounts)]
pub struct TimeOutDemand<'info> {
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [INQUIRY_SEED, inquiry.report.as_ref(), inquiry.demander.as_ref(), &inquiry.nonce.to_le_bytes()],
        bump = inquiry.bump,
    )]
    pub inquiry: Box<Account<'info, Inquiry>>,
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

impl TimeOutDemand<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let inquiry = &mut accounts.inquiry;
        accounts.report.require_owed()?;
        let now = Now::read()?;
        let DemandedNode { level, index, .. } = inquiry.game.time_out(&now).map_err(OracleError::from)?;
        accounts.report.end_demand()?;
        let order = reject_for_silence(inquiry.key(), &mut accounts.report, &mut accounts.operator, &now)?;
        inquiry.order = Some(order);
        emit!(DataWithheld {
            inquiry: inquiry.key(),
            report: inquiry.report,
            demander: inquiry.demander,
            level,
            index,
            order,
        });
        Ok(())
    }
}
