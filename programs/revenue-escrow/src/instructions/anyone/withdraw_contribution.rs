use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::get_associated_token_address,
    token::{Mint, Token, TokenAccount},
};
use model_token::state::ModelVersion;

use crate::{
    errors::RevenueEscrowError,
    events::ContributionWithdrawn,
    state::{CONTRIBUTIONS_SEED, Contributions, MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED, VaultBooks},
    tokens::VaultSide,
};

/// Pays one contributor of a version all that it has earned and not been paid. Anyone may, to the contributor's associated token account; the contributor
/// may name another account by calling itself. Where the transfer cannot succeed (a frozen, missing or given-away account) the instruction fails and the
/// amount stays owed. Refused for a contributor that is a model, which `pay_upstream` pays.
#[derive(Accounts)]
#[instruction(index: u8)]
pub struct WithdrawContribution<'info> {
    pub caller: Signer<'info>,
    pub model_version: Box<Account<'info, ModelVersion>>,
    #[account(
        mut,
        seeds = [MODEL_VAULT_SEED, model_version.model.as_ref()],
        bump = vault.bump,
        has_one = mint @ RevenueEscrowError::WrongMint,
    )]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(
        mut,
        seeds = [CONTRIBUTIONS_SEED, model_version.key().as_ref()],
        bump = contributions.bump,
        has_one = vault @ RevenueEscrowError::WrongContributions,
        has_one = model_version @ RevenueEscrowError::WrongContributions,
    )]
    pub contributions: Box<Account<'info, Contributions>>,
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

impl WithdrawContribution<'_> {
    fn validate(&self, recipient: &Pubkey) -> Result<()> {
        let is_associated = self.destination.key() == get_associated_token_address(recipient, &self.vault.mint)
            && self.destination.owner == *recipient;
        require!(
            is_associated || self.caller.key() == *recipient,
            RevenueEscrowError::WrongDestination
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, index: u8) -> Result<()> {
        let accounts = ctx.accounts;
        let (contributor, amount_units) = accounts.contributions.take_due(&accounts.model_version, index)?;
        require!(!contributor.is_model, RevenueEscrowError::ContributorIsModel);
        let recipient = contributor.recipient;
        accounts.validate(&recipient)?;
        accounts.vault.pay(amount_units)?;
        VaultSide {
            vault: &accounts.vault,
            tokens: &mut accounts.vault_tokens,
            mint: &accounts.mint,
            token_program: &accounts.token_program,
        }
        .pay_out(&accounts.destination, amount_units)?;
        emit!(ContributionWithdrawn {
            vault: accounts.vault.key(),
            model_version: accounts.model_version.key(),
            index,
            recipient,
            amount_units,
            destination: accounts.destination.key(),
        });
        Ok(())
    }
}
