use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;
use model_token::{
    constants::{RELEASER, RELEASER_BUMP, RELEASER_SEED},
    program::ModelToken,
    state::{OFFERING_SEED, Offering},
};

use crate::{
    errors::YieldError,
    events::VestingReleased,
    state::{POOL_SEED, Pool, VESTING_SEED, Vesting},
};

/// Settles the yield of the developer's vesting tokens and has those that are free paid to the present developer's own associated account. Anyone may.
/// Nothing is free until each tranche that had to be earned is withdrawn or missed.
#[derive(Accounts)]
pub struct ReleaseDeveloper<'info> {
    #[account(mut, seeds = [POOL_SEED, pool.model.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut,
        seeds = [VESTING_SEED, pool.key().as_ref(), pool.model.as_ref()],
        bump = vesting.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub vesting: Box<Account<'info, Vesting>>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, pool.model.as_ref()],
        bump = offering.bump,
        seeds::program = model_token::ID,
    )]
    pub offering: Box<Account<'info, Offering>>,
    /// CHECK: the pool's model, whose developer model-token looks up.
    #[account(address = pool.model @ YieldError::WrongModel)]
    pub model: UncheckedAccount<'info>,
    /// CHECK: only receives; model-token checks it.
    pub developer: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    pub token_mint: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    #[account(mut)]
    pub token_vault: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    #[account(mut)]
    pub developer_tokens: UncheckedAccount<'info>,
    /// CHECK: a signer without data, known to model-token.
    #[account(address = RELEASER)]
    pub releaser: UncheckedAccount<'info>,
    pub model_token: Program<'info, ModelToken>,
    pub token_program: Program<'info, Token2022>,
}

impl ReleaseDeveloper<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let amount_units = accounts
            .offering
            .developer_releasable_units(Clock::get()?.unix_timestamp)?;
        let vesting = &mut accounts.vesting;
        vesting.settle(&accounts.pool)?;
        vesting.take_out(&mut accounts.pool, amount_units)?;
        let release = model_token::cpi::accounts::ReleaseDeveloper {
            releaser: accounts.releaser.to_account_info(),
            model: accounts.model.to_account_info(),
            developer: accounts.developer.to_account_info(),
            offering: accounts.offering.to_account_info(),
            mint: accounts.token_mint.to_account_info(),
            token_vault: accounts.token_vault.to_account_info(),
            developer_tokens: accounts.developer_tokens.to_account_info(),
            token_program: accounts.token_program.to_account_info(),
        };
        // Refuses when nothing is free.
        model_token::cpi::release_developer(
            CpiContext::new_with_signer(
                accounts.model_token.key(),
                release,
                &[&[RELEASER_SEED, &[RELEASER_BUMP]]],
            ),
            amount_units,
        )?;
        emit!(VestingReleased {
            pool: accounts.vesting.pool,
            owner: accounts.vesting.owner,
            amount_units,
            left_units: accounts.vesting.units,
        });
        Ok(())
    }
}
