use anchor_lang::prelude::*;

use crate::{
    errors::YieldError,
    events::VestingClosed,
    state::{VESTING_SEED, Vesting},
};

/// Closes a vesting account in which nothing is left; the rent goes back to who paid it. Anyone may. It cannot be made again: the commitment went with its last
/// unit, and the developer's is made with the pool only.
#[derive(Accounts)]
pub struct CloseVesting<'info> {
    #[account(
        mut,
        close = rent_payer,
        seeds = [VESTING_SEED, vesting.pool.as_ref(), vesting.owner.as_ref()],
        bump = vesting.bump,
        has_one = rent_payer @ YieldError::WrongRentPayer,
    )]
    pub vesting: Box<Account<'info, Vesting>>,
    /// CHECK: only receives lamports; its address is the vesting account's.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseVesting<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.vesting.is_empty(), YieldError::VestingNotEmpty);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        emit!(VestingClosed {
            pool: ctx.accounts.vesting.pool,
            owner: ctx.accounts.vesting.owner
        });
        Ok(())
    }
}
