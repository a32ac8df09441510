use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount},
};

use crate::{
    constants::RELEASER,
    errors::ModelTokenError,
    events::CommitmentReleased,
    state::{COMMITMENT_SEED, Commitment, MINT_SEED, OFFERING_SEED, Offering, TOKEN_VAULT_SEED},
    token_vault::TokenVault,
};

/// Pays what has vested of a claimed commitment to the investor's own associated account; with the last unit the commitment is closed and its rent goes back
/// to who paid it. Only yield-distributor may, which takes the same units off its pool. Refuses any other amount than what is free and not released yet.
#[derive(Accounts)]
pub struct ReleaseCommitment<'info> {
    #[account(address = RELEASER @ ModelTokenError::NotReleaser)]
    pub releaser: Signer<'info>,
    #[account(mut, seeds = [OFFERING_SEED, offering.model.as_ref()], bump = offering.bump)]
    pub offering: Box<Account<'info, Offering>>,
    #[account(
        mut,
        seeds = [COMMITMENT_SEED, offering.key().as_ref(), commitment.investor.as_ref()],
        bump = commitment.bump,
        has_one = offering @ ModelTokenError::WrongOffering,
        has_one = investor @ ModelTokenError::WrongInvestor,
        has_one = rent_payer @ ModelTokenError::WrongRentPayer,
    )]
    pub commitment: Box<Account<'info, Commitment>>,
    /// CHECK: only receives; the commitment names it.
    pub investor: UncheckedAccount<'info>,
    /// CHECK: only receives lamports; the commitment names it.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
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
        associated_token::authority = investor,
        associated_token::token_program = token_program,
    )]
    pub investor_tokens: Box<InterfaceAccount<'info, TokenAccount>>,
    pub token_program: Program<'info, Token2022>,
}

impl ReleaseCommitment<'_> {
    fn validate(&self, amount_units: u64) -> Result<()> {
        let free = self
            .offering
            .releasable_units(&self.commitment, Clock::get()?.unix_timestamp)?;
        require!(free > 0, ModelTokenError::NothingToRelease);
        require!(amount_units == free, ModelTokenError::WrongRelease);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        let overflow = ModelTokenError::ArithmeticOverflow;
        let commitment = &mut accounts.commitment;
        commitment.released_units = commitment.released_units.checked_add(amount_units).ok_or(overflow)?;
        let offering = &mut accounts.offering;
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
        .pay(accounts.investor_tokens.to_account_info(), amount_units)?;
        let commitment = &accounts.commitment;
        emit!(CommitmentReleased {
            offering: commitment.offering,
            investor: commitment.investor,
            amount_units,
            released_units: commitment.released_units,
            vesting_units: commitment.vesting_units,
        });
        if commitment.unreleased_units() == 0 {
            commitment.close(accounts.rent_payer.to_account_info())?;
        }
        Ok(())
    }
}
