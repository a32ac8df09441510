use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use opml_oracle::state::AUDIT_TOKENS_SEED;

use crate::{
    errors::RevenueEscrowError,
    events::AuditSharePaid,
    state::{EARNINGS_SEED, Earnings, MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED, VaultBooks},
    tokens::VaultSide,
};

/// Pays what was set aside of the protocol's share into the audit fund of the vault's mint, and nowhere else.
///
/// Anyone may. The treasury need not take part, so that neither a frozen treasury nor a careless one keeps audits from being paid. Refuses when nothing is set
/// aside; while the mint has no audit fund, which anyone can make, it stays owed.
#[derive(Accounts)]
pub struct PayAuditShare<'info> {
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
    #[account(
        mut,
        seeds = [AUDIT_TOKENS_SEED, mint.key().as_ref()],
        bump,
        seeds::program = opml_oracle::ID,
        token::mint = mint,
        token::token_program = token_program,
    )]
    pub audit_tokens: Box<Account<'info, TokenAccount>>,
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

impl PayAuditShare<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.earnings.audit_units > 0, RevenueEscrowError::AmountIsZero);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let amount_units = std::mem::take(&mut accounts.earnings.audit_units);
        accounts.vault.pay(amount_units)?;
        VaultSide {
            vault: &accounts.vault,
            tokens: &mut accounts.vault_tokens,
            mint: &accounts.mint,
            token_program: &accounts.token_program,
        }
        .pay_out(&accounts.audit_tokens, amount_units)?;
        emit!(AuditSharePaid {
            vault: accounts.vault.key(),
            earnings: accounts.earnings.key(),
            amount_units,
        });
        Ok(())
    }
}
