use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    token::{Mint as RevenueMint, Token, TokenAccount as RevenueAccount},
    token_2022::{Burn, Token2022, burn},
    token_interface::{Mint, TokenAccount},
};

use crate::{
    errors::YieldError,
    events::Redeemed,
    instructions::payout::RevenuePayout,
    state::{POOL_SEED, Pool, REVENUE_VAULT_SEED},
};

/// Burns the owner's tokens for their part of the redeem pool, paid to the owner's own associated account. The owner may, at any
/// time; staked tokens are unstaked first, and the payer pays for that account if it is missing. Every token pays the same whatever the order; refused when it would pay nothing.
#[derive(Accounts)]
pub struct Redeem<'info> {
    pub owner: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(
        mut,
        seeds = [POOL_SEED, pool.model.as_ref()],
        bump = pool.bump,
        has_one = token_mint @ YieldError::WrongTokenMint,
        has_one = revenue_mint @ YieldError::WrongRevenueMint,
    )]
    pub pool: Box<Account<'info, Pool>>,
    #[account(mut, mint::token_program = token_program)]
    pub token_mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(mut, token::mint = token_mint, token::authority = owner, token::token_program = token_program)]
    pub owner_tokens: Box<InterfaceAccount<'info, TokenAccount>>,
    pub revenue_mint: Box<Account<'info, RevenueMint>>,
    #[account(
        mut,
        seeds = [REVENUE_VAULT_SEED, pool.key().as_ref()],
        bump = pool.revenue_vault_bump,
        token::mint = revenue_mint,
        token::authority = pool,
        token::token_program = revenue_token_program,
    )]
    pub revenue_vault: Box<Account<'info, RevenueAccount>>,
    // An associated account holds nothing that a second initialisation could reset.
    #[account(
        init_if_needed,
        payer = payer,
        associated_token::mint = revenue_mint,
        associated_token::authority = owner,
        associated_token::token_program = revenue_token_program,
    )]
    pub owner_revenue: Box<Account<'info, RevenueAccount>>,
    pub token_program: Program<'info, Token2022>,
    pub revenue_token_program: Program<'info, Token>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

impl Redeem<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        require!(amount_units > 0, YieldError::AmountIsZero);
        require!(amount_units <= self.owner_tokens.amount, YieldError::NotEnoughTokens);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        let pool = &mut accounts.pool;
        let paid_units = pool.redeem(amount_units, accounts.token_mint.supply)?;
        burn(
            CpiContext::new(
                accounts.token_program.key(),
                Burn {
                    mint: accounts.token_mint.to_account_info(),
                    from: accounts.owner_tokens.to_account_info(),
                    authority: accounts.owner.to_account_info(),
                },
            ),
            amount_units,
        )?;
        RevenuePayout {
            pool,
            vault: &mut accounts.revenue_vault,
            mint: &accounts.revenue_mint,
            token_program: &accounts.revenue_token_program,
        }
        .pay(&accounts.owner_revenue, paid_units)?;
        emit!(Redeemed {
            pool: pool.key(),
            owner: accounts.owner.key(),
            burned_units: amount_units,
            paid_units,
        });
        Ok(())
    }
}
