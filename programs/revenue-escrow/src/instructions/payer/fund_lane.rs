use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::RevenueEscrowError,
    events::LaneFunded,
    state::{CREDIT_SEED, Credit, LANE_SEED, Lane},
};

/// Reserves more of a credit's available money for a lane's operator. The payer may.
#[derive(Accounts)]
pub struct FundLane<'info> {
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

impl FundLane<'_> {
    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        require!(amount_units > 0, RevenueEscrowError::AmountIsZero);
        let now = Now::read()?;
        let accounts = ctx.accounts;
        let lane = &mut accounts.lane;
        accounts.credit.funds().take(amount_units, &now)?;
        accounts.credit.reserve(amount_units)?;
        lane.funds().lapse(&now)?;
        lane.funds().add(amount_units)?;
        emit!(LaneFunded {
            lane: lane.key(),
            amount_units,
            reserved_units: lane.reserved_units
        });
        Ok(())
    }
}
