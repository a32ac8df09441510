use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;
use model_token::{
    constants::{RELEASER, RELEASER_BUMP, RELEASER_SEED},
    program::ModelToken,
    state::{COMMITMENT_SEED, Commitment, OFFERING_SEED, Offering},
};

use crate::{
    errors::YieldError,
    events::VestingReleased,
    state::{POOL_SEED, Pool, VESTING_SEED, Vesting},
};

/// Settles the yield of an investor's vesting tokens and has those that are free paid to the investor's own associated account. Anyone may. What is paid out
/// earns no longer until it is staked; what was earned stays owed. With the last unit model-token closes the commitment.
#[derive(Accounts)]
pub struct ReleaseVested<'info> {
    #[account(mut, seeds = [POOL_SEED, pool.model.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut,
        seeds = [VESTING_SEED, pool.key().as_ref(), vesting.owner.as_ref()],
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
    #[account(
        mut,
        seeds = [COMMITMENT_SEED, offering.key().as_ref(), vesting.owner.as_ref()],
        bump = commitment.bump,
        seeds::program = model_token::ID,
    )]
    pub commitment: Box<Account<'info, Commitment>>,
    /// CHECK: only receives; model-token checks it.
    pub investor: UncheckedAccount<'info>,
    /// CHECK: only receives the commitment's rent; model-token checks it.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    pub token_mint: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    #[account(mut)]
    pub token_vault: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    #[account(mut)]
    pub investor_tokens: UncheckedAccount<'info>,
    /// CHECK: a signer without data, known to model-token.
    #[account(address = RELEASER)]
    pub releaser: UncheckedAccount<'info>,
    pub model_token: Program<'info, ModelToken>,
    pub token_program: Program<'info, Token2022>,
}

impl ReleaseVested<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let amount_units = accounts
            .offering
            .releasable_units(&accounts.commitment, Clock::get()?.unix_timestamp)?;
        let vesting = &mut accounts.vesting;
        vesting.settle(&accounts.pool)?;
        vesting.take_out(&mut accounts.pool, amount_units)?;
        let release = model_token::cpi::accounts::ReleaseCommitment {
            releaser: accounts.releaser.to_account_info(),
            offering: accounts.offering.to_account_info(),
            commitment: accounts.commitment.to_account_info(),
            investor: accounts.investor.to_account_info(),
            rent_payer: accounts.rent_payer.to_account_info(),
            mint: accounts.token_mint.to_account_info(),
            token_vault: accounts.token_vault.to_account_info(),
            investor_tokens: accounts.investor_tokens.to_account_info(),
            token_program: accounts.token_program.to_account_info(),
        };
        // Refuses when nothing is free.
        model_token::cpi::release_commitment(
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
