use anchor_lang::prelude::*;

use crate::{
    errors::RevenueEscrowError,
    events::LaneClosed,
    state::{CREDIT_SEED, Credit, LANE_SEED, Lane},
};

/// Closes a lane without money; the rent goes back to who paid it. The payer may, but not in the slot of its opening: a lane opened again has
/// another generation, so that no voucher of this one is good for it.
#[derive(Accounts)]
pub struct CloseLane<'info> {
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
        close = rent_payer,
        seeds = [LANE_SEED, lane.credit.as_ref(), lane.operator.as_ref()],
        bump = lane.bump,
        has_one = credit @ RevenueEscrowError::WrongRelation,
        has_one = rent_payer @ RevenueEscrowError::WrongRentPayer,
    )]
    pub lane: Box<Account<'info, Lane>>,
    /// CHECK: the lane names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseLane<'_> {
    fn validate(&self, slot: u64) -> Result<()> {
        require!(slot > self.lane.generation, RevenueEscrowError::OpenedInThisSlot);
        require!(
            [self.lane.reserved_units, self.lane.releasing_units] == [0; 2],
            RevenueEscrowError::NotEmpty
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate(Clock::get()?.slot)?;
        let CloseLane {
            payer: _,
            credit,
            lane,
            rent_payer: _,
        } = ctx.accounts;
        credit.open_lanes = credit.open_lanes.checked_sub(1).ok_or(RevenueEscrowError::Overflow)?;
        emit!(LaneClosed {
            lane: lane.key(),
            generation: lane.generation
        });
        Ok(())
    }
}
