use anchor_lang::prelude::*;
use model_token::state::{COMMITMENT_SEED, Commitment, OFFERING_SEED, Offering};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::YieldError,
    events::VestingOpened,
    state::{POOL_SEED, Pool, VESTING_SEED, Vesting},
};

/// Makes the account for the yield of a claimed commitment's vesting tokens. Anyone may, at any time after the claim: the yield counts from the settlement.
/// It cannot be made twice, because the commitment is gone when everything is released.
#[derive(Accounts)]
pub struct OpenVesting<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [POOL_SEED, pool.model.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        seeds = [OFFERING_SEED, pool.model.as_ref()],
        bump = offering.bump,
        seeds::program = model_token::ID,
    )]
    pub offering: Box<Account<'info, Offering>>,
    #[account(
        seeds = [COMMITMENT_SEED, offering.key().as_ref(), commitment.investor.as_ref()],
        bump = commitment.bump,
        seeds::program = model_token::ID,
    )]
    pub commitment: Box<Account<'info, Commitment>>,
    #[account(
        init,
        payer = payer,
        space = 8 + Vesting::INIT_SPACE,
        seeds = [VESTING_SEED, pool.key().as_ref(), commitment.investor.as_ref()],
        bump,
    )]
    pub vesting: Box<Account<'info, Vesting>>,
    pub system_program: Program<'info, System>,
}

impl OpenVesting<'_> {
    /// Returns the units that vest.
    fn validate(&self) -> Result<u64> {
        require!(self.commitment.claimed, YieldError::CommitmentUnclaimed);
        let units = self.commitment.unreleased_units();
        require!(units > 0, YieldError::NothingVests);
        Ok(units)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let units = ctx.accounts.validate()?;
        let (pool, owner) = (ctx.accounts.pool.key(), ctx.accounts.commitment.investor);
        ctx.accounts.vesting.set_inner(Vesting {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.vesting,
            pool,
            owner,
            units,
            // The pool counted these units before its first deposit.
            accumulator_snapshot: 0,
            owed_units: 0,
            rent_payer: ctx.accounts.payer.key(),
            reserved: [0; 16],
        });
        emit!(VestingOpened { pool, owner, units });
        Ok(())
    }
}
