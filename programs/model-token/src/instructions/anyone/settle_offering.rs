use anchor_lang::prelude::*;
use anchor_spl::token_2022::Token2022;

use crate::{
    errors::ModelTokenError,
    events::OfferingSettled,
    math::allocation::accepted_units,
    model_mint::ModelMint,
    state::{MINT_SEED, MODEL_SEED, Model, OFFERING_SEED, Offering, OfferingStatus, TOKEN_VAULT_SEED},
};

/// Decides an offering at its close or later. Anyone may, once. Below the minimum it fails and no token is ever made; otherwise the
/// whole supply, the buyers' and the developer's, is minted into the token vault and the right to mint more is gone before the instruction ends. Vesting
/// and tranches count from here.
#[derive(Accounts)]
pub struct SettleOffering<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [MODEL_SEED, model.creator.as_ref(), &model.index_seed()], bump = model.bump)]
    pub model: Box<Account<'info, Model>>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, model.key().as_ref()],
        bump = offering.bump,
        has_one = model @ ModelTokenError::WrongModel,
        has_one = mint @ ModelTokenError::WrongMint,
    )]
    pub offering: Box<Account<'info, Offering>>,
    /// CHECK: the address is this program's; created here as the model's token when the offering succeeds, untouched otherwise.
    #[account(mut, seeds = [MINT_SEED, model.key().as_ref()], bump = offering.mint_bump)]
    pub mint: UncheckedAccount<'info>,
    /// CHECK: the address is this program's; created here as a token account when the offering succeeds, untouched otherwise.
    #[account(mut, seeds = [TOKEN_VAULT_SEED, offering.key().as_ref()], bump = offering.token_vault_bump)]
    pub token_vault: UncheckedAccount<'info>,
    pub token_program: Program<'info, Token2022>,
    pub system_program: Program<'info, System>,
}

impl SettleOffering<'_> {
    /// Returns the time.
    fn validate(&self) -> Result<i64> {
        self.offering.require_status(OfferingStatus::Open)?;
        let now_unix = Clock::get()?.unix_timestamp;
        require!(
            now_unix >= self.offering.closes_unix,
            ModelTokenError::OfferingNotClosed
        );
        Ok(now_unix)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let now_unix = ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let offering = &mut accounts.offering;
        offering.settled_unix = now_unix;
        match accepted_units(
            offering.committed_units,
            offering.min_raise_units,
            offering.max_raise_units,
        ) {
            Some(units) => {
                offering.accepted_units = units;
                offering.status = OfferingStatus::Succeeded;
                ModelMint {
                    payer: accounts.payer.to_account_info(),
                    model: &accounts.model,
                    offering,
                    mint: accounts.mint.to_account_info(),
                    token_vault: accounts.token_vault.to_account_info(),
                    token_program: accounts.token_program.to_account_info(),
                    system_program: accounts.system_program.key(),
                }
                .create()?;
            }
            None => offering.status = OfferingStatus::Failed,
        }
        emit!(OfferingSettled {
            model: offering.model,
            offering: offering.key(),
            mint: offering.mint,
            status: offering.status,
            committed_units: offering.committed_units,
            accepted_units: offering.accepted_units,
        });
        Ok(())
    }
}
