use anchor_lang::prelude::*;

use crate::{
    errors::YieldError,
    events::PositionClosed,
    state::{POSITION_SEED, Position},
};

/// Closes a position in which nothing is left; the rent goes back to who paid it. Anyone may: staking again makes a new one.
#[derive(Accounts)]
pub struct ClosePosition<'info> {
    #[account(
        mut,
        close = rent_payer,
        seeds = [POSITION_SEED, position.pool.as_ref(), position.owner.as_ref()],
        bump = position.bump,
        has_one = rent_payer @ YieldError::WrongRentPayer,
    )]
    pub position: Box<Account<'info, Position>>,
    /// CHECK: only receives lamports; its address is the position's.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl ClosePosition<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.position.is_empty(), YieldError::PositionNotEmpty);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        emit!(PositionClosed {
            pool: ctx.accounts.position.pool,
            owner: ctx.accounts.position.owner
        });
        Ok(())
    }
}
