use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::DisputeLost,
    game::Side,
    instructions::verdict::reject_report,
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report},
};

/// Ends a dispute whose side to move let its deadline pass. A silent operator is proven wrong and its report rejected; a silent challenger
/// loses its bond and changes nothing else.
///
/// Anyone may. Refuses while the deadline is not past: at no moment are a move and a timeout both possible.
#[derive(Accounts)]
pub struct Timeout<'info> {
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
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

impl Timeout<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now = Now::read()?;
        let accounts = ctx.accounts;
        let silent = accounts.dispute.game.time_out(&now).map_err(OracleError::from)?;
        match silent {
            Side::Operator => reject_report(
                &accounts.dispute,
                &mut accounts.report,
                &mut accounts.operator,
                &now,
                true,
            ),
            Side::Challenger => {
                emit!(DisputeLost {
                    dispute: accounts.dispute.key(),
                    report: accounts.dispute.report,
                    challenger: accounts.dispute.challenger,
                });
                Ok(())
            }
        }
    }
}
