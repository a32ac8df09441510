use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::get_associated_token_address,
    token::{Mint, Token, TokenAccount},
};

use crate::{
    errors::RevenueEscrowError,
    events::EarningsWithdrawn,
    state::{EARNINGS_SEED, Earnings, MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED, VaultBooks},
    tokens::VaultSide,
};

/// Pays all that a vault owes a recipient. Anyone may, to the recipient's associated token account; the recipient may name another account by calling
/// itself. Where the transfer cannot succeed (a frozen, missing or given-away account) the instruction fails and the amount stays owed.
#[derive(Accounts)]
pub struct WithdrawEarnings<'info> {
    pub caller: Signer<'info>,
    #[account(
        mut,
        seeds = [MODEL_VAULT_SEED, vault.model.as_ref()],
        bump = vault.bump,
        has_one = mint @ RevenueEscrowError::WrongMint,
    )]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(
        mut,
        seeds = [EARNINGS_SEED, earnings.vault.as_ref(), earnings.recipient.as_ref()],
        bump = earnings.bump,
        has_one = vault @ RevenueEscrowError::WrongEarnings,
    )]
    pub earnings: Box<Account<'info, Earnings>>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(mut, token::mint = mint, token::token_program = token_program)]
    pub destination: Box<Account<'info, TokenAccount>>,
    #[account(
        mut,
        seeds = [VAULT_TOKENS_SEED, vault.model.as_ref()],
        bump = vault.tokens_bump,
        token::mint = mint,
        token::authority = vault,
        token::token_program = token_program,
    )]
    pub vault_tokens: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
}

impl WithdrawEarnings<'_> {
    fn validate(&self) -> Result<()> {
        let recipient = self.earnings.recipient;
        let is_associated = self.destination.key() == get_associated_token_address(&recipient, &self.vault.mint)
            && self.destination.owner == recipient;
        require!(
            is_associated || self.caller.key() == recipient,
            RevenueEscrowError::WrongDestination
        );
        require!(self.earnings.owed_units > 0, RevenueEscrowError::AmountIsZero);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let amount_units = std::mem::take(&mut accounts.earnings.owed_units);
        accounts.vault.pay(amount_units)?;
        VaultSide {
            vault: &accounts.vault,
            tokens: &mut accounts.vault_tokens,
            mint: &accounts.mint,
            token_program: &accounts.token_program,
        }
        .pay_out(&accounts.destination, amount_units)?;
        emit!(EarningsWithdrawn {
            vault: accounts.vault.key(),
            recipient: accounts.earnings.recipient,
            amount_units,
            destination: accounts.destination.key(),
        });
        Ok(())
    }
}
