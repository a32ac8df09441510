use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::RevenueEscrowError,
    events::LaneReleased,
    state::{CREDIT_SEED, Credit, LANE_SEED, Lane},
};

/// Moves what was announced back to the credit's available money, once the notice is due and before it lapses. The payer may.
#[derive(Accounts)]
pub struct ReleaseLane<'info> {
    pub payer: Signer<'info>,
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
    #[account(
        mut,
        seeds = [LANE_SEED, lane.credit.as_ref(), lane.operator.as_ref()],
        bump = lane.bump,
        has_one = credit @ RevenueEscrowError::WrongRelation,
    )]
    pub lane: Box<Account<'info, Lane>>,
}

impl ReleaseLane<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let ReleaseLane { payer: _, credit, lane } = ctx.accounts;
        let amount_units = lane.funds().leave(&Now::read()?)?;
        credit.unreserve(amount_units)?;
        credit.funds().add(amount_units)?;
        emit!(LaneReleased {
            lane: lane.key(),
            credit: credit.key(),
            amount_units
        });
        Ok(())
    }
}
