use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Token, TokenAccount},
    token_2022::Token2022,
};
use imo_protocol::MODEL_VAULT_SEED;
use model_token::{
    constants::{RELEASER, RELEASER_BUMP, RELEASER_SEED},
    program::ModelToken,
    state::{OFFERING_SEED, Offering},
};

use crate::{
    errors::YieldError,
    events::TrancheForfeited,
    state::{POOL_SEED, Pool, REVENUE_VAULT_SEED, VESTING_SEED, Vesting},
};

/// Moves a tranche whose revenue did not come in time into the redeem pool and burns the developer's tokens, all in one. Anyone may, once the deadline is over.
/// What these tokens earned until now stays the developer's. While the developer has tokens its vesting account is needed.
#[derive(Accounts)]
pub struct MissTranche<'info> {
    #[account(mut, seeds = [POOL_SEED, pool.model.as_ref()], bump = pool.bump)]
    pub pool: Box<Account<'info, Pool>>,
    #[account(
        mut,
        seeds = [VESTING_SEED, pool.key().as_ref(), pool.model.as_ref()],
        bump = vesting.bump,
        has_one = pool @ YieldError::WrongPool,
    )]
    pub vesting: Option<Box<Account<'info, Vesting>>>,
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
    /// CHECK: the escrow's vault of the model, read for what others were paid; empty when there is none.
    #[account(seeds = [MODEL_VAULT_SEED, pool.model.as_ref()], bump, seeds::program = imo_protocol::ids::REVENUE_ESCROW)]
    pub model_vault: UncheckedAccount<'info>,
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

impl MissTranche<'_> {
    pub fn handle(ctx: Context<Self>, index: u8) -> Result<()> {
        let accounts = ctx.accounts;
        let burned_units = accounts.offering.developer_left_units()?;
        let amount_units = accounts.offering.tranche_units(index)?;
        let pool = &mut accounts.pool;
        if burned_units > 0 {
            let vesting = accounts.vesting.as_mut().ok_or(YieldError::DeveloperVestingMissing)?;
            vesting.settle(pool)?;
            vesting.take_out(pool, burned_units)?;
        }
        pool.add_redeem(amount_units)?;
        let miss = model_token::cpi::accounts::MissTranche {
            releaser: accounts.releaser.to_account_info(),
            offering: accounts.offering.to_account_info(),
            payment_mint: accounts.revenue_mint.to_account_info(),
            payment_vault: accounts.payment_vault.to_account_info(),
            recipient: accounts.revenue_vault.to_account_info(),
            model_vault: accounts.model_vault.to_account_info(),
            mint: accounts.token_mint.to_account_info(),
            token_vault: accounts.token_vault.to_account_info(),
            payment_token_program: accounts.revenue_token_program.to_account_info(),
            token_program: accounts.token_program.to_account_info(),
        };
        // Refuses unless the tranche is missed.
        model_token::cpi::miss_tranche(
            CpiContext::new_with_signer(accounts.model_token.key(), miss, &[&[RELEASER_SEED, &[RELEASER_BUMP]]]),
            index,
        )?;
        accounts.revenue_vault.reload()?;
        require!(
            accounts.revenue_vault.amount >= accounts.pool.revenue_owed_units()?,
            YieldError::VaultShort
        );
        emit!(TrancheForfeited {
            pool: accounts.pool.key(),
            index,
            amount_units,
            burned_units,
        });
        Ok(())
    }
}
