use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount},
};

use crate::{
    constants::RELEASER,
    errors::ModelTokenError,
    events::DeveloperReleased,
    state::{MINT_SEED, MODEL_SEED, Model, OFFERING_SEED, Offering, OfferingStatus, TOKEN_VAULT_SEED},
    token_vault::TokenVault,
};

/// Pays what has vested of the developer's tokens to the present developer's own associated account. Only yield-distributor may, which takes the same units
/// off its pool. Refuses any other amount than what is free and not released yet, and everything until each tranche that had to be earned is decided.
#[derive(Accounts)]
pub struct ReleaseDeveloper<'info> {
    #[account(address = RELEASER @ ModelTokenError::NotReleaser)]
    pub releaser: Signer<'info>,
    #[account(
        seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    /// CHECK: only receives; the model names it.
    pub developer: UncheckedAccount<'info>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, model.key().as_ref()],
        bump = offering.bump,
        has_one = model @ ModelTokenError::WrongModel,
    )]
    pub offering: Box<Account<'info, Offering>>,
    #[account(seeds = [MINT_SEED, offering.model.as_ref()], bump = offering.mint_bump, mint::token_program = token_program)]
    pub mint: Box<InterfaceAccount<'info, Mint>>,
    #[account(
        mut,
        seeds = [TOKEN_VAULT_SEED, offering.key().as_ref()],
        bump = offering.token_vault_bump,
        token::mint = mint,
        token::authority = offering,
        token::token_program = token_program,
    )]
    pub token_vault: Box<InterfaceAccount<'info, TokenAccount>>,
    #[account(
        mut,
        associated_token::mint = mint,
        associated_token::authority = developer,
        associated_token::token_program = token_program,
    )]
    pub developer_tokens: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl ReleaseDeveloper<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        self.offering.require_status(OfferingStatus::Succeeded)?;
        let free = self.offering.developer_releasable_units(Clock::get()?.unix_timestamp)?;
        require!(free > 0, ModelTokenError::NothingToRelease);
        require!(amount_units == free, ModelTokenError::WrongRelease);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        let overflow = ModelTokenError::ArithmeticOverflow;
        let offering = &mut accounts.offering;
        offering.developer_released_units = offering
            .developer_released_units
            .checked_add(amount_units)
            .ok_or(overflow)?;
        offering.claimed_tokens_units = offering
            .claimed_tokens_units
            .checked_add(amount_units)
            .ok_or(overflow)?;
        TokenVault {
            offering: &accounts.offering,
            mint: &accounts.mint,
            vault: &mut accounts.token_vault,
            token_program: &accounts.token_program,
        }
        .pay(accounts.developer_tokens.to_account_info(), amount_units)?;
        emit!(DeveloperReleased {
            offering: accounts.offering.key(),
            developer: accounts.developer.key(),
            amount_units,
            released_units: accounts.offering.developer_released_units,
        });
        Ok(())
    }
}
