use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Token, TokenAccount},
    token_2022::Token2022,
};
use model_token::{
    constants::{RELEASER, RELEASER_BUMP, RELEASER_SEED},
    program::ModelToken,
    state::{Dust, OFFERING_SEED, Offering},
};

use crate::{
    errors::YieldError,
    events::DustBooked,
    state::{POOL_SEED, Pool, REVENUE_VAULT_SEED},
};

/// Burns the tokens that floors left in the offering and moves the money that they left into the redeem pool, with the yield of tokens that were counted as
/// vesting and are nobody's. Anyone may, once, when every commitment is claimed.
#[derive(Accounts)]
pub struct SweepDust<'info> {
    #[account(mut, seeds = [POOL_SEED, pool.model.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, pool.model.as_ref()],
        bump = offering.bump,
        seeds::program = model_token::ID,
    )]
    pub offering: Box<Account<'info, Offering>>,
    /// CHECK: model-token checks it.
    pub revenue_mint: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    #[account(mut)]
    pub payment_vault: UncheckedAccount<'info>,
    #[account(
        mut,
        seeds = [REVENUE_VAULT_SEED, pool.key().as_ref()],
        bump = pool.revenue_vault_bump,
        token::token_program = revenue_token_program,
    )]
    pub revenue_vault: Box<Account<'info, TokenAccount>>,
    /// CHECK: model-token checks it.
    #[account(mut)]
    pub token_mint: UncheckedAccount<'info>,
    /// CHECK: model-token checks it.
    #[account(mut)]
    pub token_vault: UncheckedAccount<'info>,
    /// CHECK: a signer without data, known to model-token.
    #[account(address = RELEASER)]
    pub releaser: UncheckedAccount<'info>,
    pub model_token: Program<'info, ModelToken>,
    pub revenue_token_program: Program<'info, Token>,
    pub token_program: Program<'info, Token2022>,
}

impl SweepDust<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let Dust {
            tokens_units: _,
            vesting_units,
            payment_units,
        } = accounts.offering.dust()?;
        let pool = &mut accounts.pool;
        let yield_units = pool.forfeit_vesting(vesting_units)?;
        pool.add_redeem(payment_units)?;
        let sweep = model_token::cpi::accounts::SweepDust {
            releaser: accounts.releaser.to_account_info(),
            offering: accounts.offering.to_account_info(),
            payment_mint: accounts.revenue_mint.to_account_info(),
            payment_vault: accounts.payment_vault.to_account_info(),
            recipient: accounts.revenue_vault.to_account_info(),
            mint: accounts.token_mint.to_account_info(),
            token_vault: accounts.token_vault.to_account_info(),
            payment_token_program: accounts.revenue_token_program.to_account_info(),
            token_program: accounts.token_program.to_account_info(),
        };
        model_token::cpi::sweep_dust(CpiContext::new_with_signer(
            accounts.model_token.key(),
            sweep,
            &[&[RELEASER_SEED, &[RELEASER_BUMP]]],
        ))?;
        accounts.revenue_vault.reload()?;
        require!(
            accounts.revenue_vault.amount >= accounts.pool.revenue_owed_units()?,
            YieldError::VaultShort
        );
        emit!(DustBooked {
            pool: accounts.pool.key(),
            payment_units,
            yield_units,
            vesting_units,
        });
        Ok(())
    }
}
