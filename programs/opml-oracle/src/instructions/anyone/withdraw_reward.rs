use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::get_associated_token_address,
    token::{Mint, Token, TokenAccount},
};

use crate::{
    errors::OracleError,
    events::RewardWithdrawn,
    instructions::tokens::pay_out,
    state::{EQUIVOCATION_SEED, Equivocation, STAKE_VAULT_SEED, StakeVault},
};

/// Pays who showed an equivocation.
///
/// Anyone may, to the prover's associated token account (which the caller creates when it is not there); the prover alone may name another account, for when that one is
/// frozen or no longer its own. Refuses when nothing is owed.
#[derive(Accounts)]
pub struct WithdrawReward<'info> {
    pub caller: Signer<'info>,
    #[account(
        mut,
        has_one = mint @ OracleError::WrongMint,
        seeds = [EQUIVOCATION_SEED, equivocation.operator.as_ref(), &equivocation.question],
        bump = equivocation.bump,
    )]
    pub equivocation: Box<Account<'info, Equivocation>>,
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
    #[account(mut, constraint = recipient.mint == mint.key() @ OracleError::WrongMint)]
    pub recipient: Box<Account<'info, TokenAccount>>,
    pub mint: Box<Account<'info, Mint>>,
    pub token_program: Program<'info, Token>,
}

impl WithdrawReward<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.equivocation.payout_units > 0, OracleError::NothingOwed);
        let prover = self.equivocation.prover;
        let associated = get_associated_token_address(&prover, &self.equivocation.mint);
        require!(
            self.caller.key() == prover || (self.recipient.key() == associated && self.recipient.owner == prover),
            OracleError::RecipientNotAllowed
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let amount_units = accounts.equivocation.payout_units;
        accounts.equivocation.payout_units = 0;
        pay_out(
            &mut accounts.stake_vault,
            &mut accounts.stake_tokens,
            &accounts.mint,
            &accounts.token_program,
            &accounts.recipient,
            amount_units,
        )?;
        emit!(RewardWithdrawn {
            equivocation: accounts.equivocation.key(),
            prover: accounts.equivocation.prover,
            amount_units,
        });
        Ok(())
    }
}
