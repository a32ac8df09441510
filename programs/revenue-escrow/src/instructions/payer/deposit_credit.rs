use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    errors::RevenueEscrowError,
    events::CreditDeposited,
    state::{CREDIT_SEED, Credit, MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED, VaultBooks},
    tokens::VaultSide,
};

/// Pays money into a credit. Anyone may pay into anyone's credit, so that a treasury can fund its agents; it is the credit's payer who may take it
/// out. Refused while the protocol is paused.
#[derive(Accounts)]
pub struct DepositCredit<'info> {
    pub depositor: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        seeds = [MODEL_VAULT_SEED, credit.model.as_ref()],
        bump = vault.bump,
        has_one = mint @ RevenueEscrowError::WrongMint,
    )]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(mut, seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()], bump = credit.bump)]
    pub credit: Box<Account<'info, Credit>>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(mut, token::mint = mint, token::authority = depositor, token::token_program = token_program)]
    pub depositor_tokens: Box<Account<'info, TokenAccount>>,
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

impl DepositCredit<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        self.protocol
            .require_not_paused(Clock::get()?.unix_timestamp)
            .map_err(|_| RevenueEscrowError::Paused)?;
        require!(amount_units > 0, RevenueEscrowError::AmountIsZero);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        accounts.credit.funds().add(amount_units)?;
        accounts.vault.owe(amount_units)?;
        VaultSide {
            vault: &accounts.vault,
            tokens: &mut accounts.vault_tokens,
            mint: &accounts.mint,
            token_program: &accounts.token_program,
        }
        .pay_in(&accounts.depositor_tokens, &accounts.depositor, amount_units)?;
        emit!(CreditDeposited {
            credit: accounts.credit.key(),
            amount_units,
            available_units: accounts.credit.available_units,
        });
        Ok(())
    }
}
