use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::{
    errors::OracleError,
    events::BondStaked,
    instructions::tokens::pay_in,
    state::{OPERATOR_SEED, Operator, STAKE_VAULT_SEED, StakeVault},
};

/// Adds to an operator's free stake. It is the operator's from then on.
///
/// Anyone may, with its own tokens. Works while the protocol is paused: what was earned needs stake to be collected. Refuses an amount of zero.
#[derive(Accounts)]
pub struct StakeBond<'info> {
    pub depositor: Signer<'info>,
    #[account(
        mut,
        constraint = depositor_tokens.mint == mint.key() @ OracleError::WrongMint,
        constraint = depositor_tokens.owner == depositor.key() @ OracleError::NotTheTokenAuthority,
    )]
    pub depositor_tokens: Box<Account<'info, TokenAccount>>,
    #[account(
        mut,
        has_one = mint @ OracleError::WrongMint,
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        mut,
        has_one = mint @ OracleError::WrongMint,
        has_one = stake_tokens,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
    #[account(mut, token::mint = mint, token::authority = stake_vault)]
    pub stake_tokens: Box<Account<'info, TokenAccount>>,
    pub mint: Box<Account<'info, Mint>>,
    pub token_program: Program<'info, Token>,
}

impl StakeBond<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        require!(amount_units > 0, OracleError::AmountIsZero);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        accounts.operator.credit(amount_units)?;
        pay_in(
            &mut accounts.stake_vault,
            &accounts.stake_tokens,
            &accounts.mint,
            &accounts.token_program,
            &accounts.depositor_tokens,
            &accounts.depositor,
            amount_units,
        )?;
        emit!(BondStaked {
            operator: accounts.operator.key(),
            depositor: accounts.depositor.key(),
            amount_units,
            stake_units: accounts.operator.stake_units,
        });
        Ok(())
    }
}
