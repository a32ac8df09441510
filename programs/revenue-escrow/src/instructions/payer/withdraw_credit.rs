use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use imo_protocol::Now;

use crate::{
    errors::RevenueEscrowError,
    events::CreditWithdrawn,
    state::{CREDIT_SEED, Credit, MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED, VaultBooks},
    tokens::VaultSide,
};

/// Pays out what was announced, once the notice is due and before it lapses, to an account that the payer names. The payer may.
#[derive(Accounts)]
pub struct WithdrawCredit<'info> {
    pub payer: Signer<'info>,
    #[account(
        mut,
        seeds = [MODEL_VAULT_SEED, credit.model.as_ref()],
        bump = vault.bump,
        has_one = mint @ RevenueEscrowError::WrongMint,
    )]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
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

impl WithdrawCredit<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let amount_units = accounts.credit.funds().leave(&Now::read()?)?;
        accounts.vault.pay(amount_units)?;
        VaultSide {
            vault: &accounts.vault,
            tokens: &mut accounts.vault_tokens,
            mint: &accounts.mint,
            token_program: &accounts.token_program,
        }
        .pay_out(&accounts.destination, amount_units)?;
        emit!(CreditWithdrawn {
            credit: accounts.credit.key(),
            amount_units,
            destination: accounts.destination.key(),
        });
        Ok(())
    }
}
