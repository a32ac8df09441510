use anchor_lang::prelude::*;

use crate::{
    errors::YieldError,
    events::EpochMarkClosed,
    state::{EPOCH_MARK_SEED, EpochMark, POOL_SEED, Pool},
};

/// Closes a mark that no position needs; the rent goes back to who paid it. Anyone may. A position that is late with settling keeps
/// its mark open until anyone claims for it.
#[derive(Accounts)]
pub struct CloseEpochMark<'info> {
    #[account(seeds = [POOL_SEED, pool.model.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [EPOCH_MARK_SEED, pool.key().as_ref(), &mark.epoch.to_le_bytes()],
        bump = mark.bump,
        has_one = pool @ YieldError::WrongPool,
        has_one = rent_payer @ YieldError::WrongRentPayer,
    )]
    pub mark: Box<Account<'info, EpochMark>>,
    /// CHECK: only receives lamports; its address is the mark's.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseEpochMark<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.mark.open_positions == 0, YieldError::EpochMarkInUse);
        require!(!self.pool.is_pending(self.mark.epoch), YieldError::EpochMarkInUse);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        emit!(EpochMarkClosed {
            pool: ctx.accounts.pool.key(),
            epoch: ctx.accounts.mark.epoch
        });
        Ok(())
    }
}
