use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::BondWithdrawn,
    instructions::tokens::pay_out,
    state::{OPERATOR_SEED, Operator, STAKE_VAULT_SEED, StakeVault},
};

/// Takes out all that was announced long enough ago, to any token account.
///
/// The operator's authority may. Refuses before the deadline is past, while any report of the operator is disputed, so that nobody runs from what has
/// become visible, and while the operator is jailed.
#[derive(Accounts)]
pub struct WithdrawBond<'info> {
    pub authority: Signer<'info>,
    #[account(
        mut,
        has_one = authority @ OracleError::NotTheAuthority,
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
    /// Where the stake goes: the authority's choice.
    #[account(mut, constraint = recipient.mint == mint.key() @ OracleError::WrongMint)]
    pub recipient: Box<Account<'info, TokenAccount>>,
    pub mint: Box<Account<'info, Mint>>,
    pub token_program: Program<'info, Token>,
}

impl WithdrawBond<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let amount_units = accounts.operator.withdraw_unbonded(&Now::read()?)?;
        pay_out(
            &mut accounts.stake_vault,
            &mut accounts.stake_tokens,
            &accounts.mint,
            &accounts.token_program,
            &accounts.recipient,
            amount_units,
        )?;
        emit!(BondWithdrawn {
            operator: accounts.operator.key(),
            recipient: accounts.recipient.key(),
            amount_units,
        });
        Ok(())
    }
}
