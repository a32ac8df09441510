use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::AssociatedToken,
    token::{Mint, Token, TokenAccount},
    token_interface::{TransferChecked, transfer_checked},
};

use crate::{
    errors::ModelTokenError,
    events::ProceedsWithdrawn,
    state::{MODEL_SEED, Model, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED},
};

/// Pays the accepted money of an offering that succeeded to the developer's own associated account, once. The model's developer may.
#[derive(Accounts)]
pub struct WithdrawProceeds<'info> {
    #[account(mut)]
    pub developer: Signer<'info>,
    #[account(
        seeds = [MODEL_SEED, model.developer.as_ref(), &model.index_seed()],
        bump = model.bump,
        has_one = developer @ ModelTokenError::NotDeveloper,
    )]
    pub model: Box<Account<'info, Model>>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, model.key().as_ref()],
        bump = offering.bump,
        has_one = model @ ModelTokenError::WrongModel,
        has_one = payment_mint @ ModelTokenError::WrongMint,
    )]
    pub offering: Box<Account<'info, Offering>>,
    pub payment_mint: Box<Account<'info, Mint>>,
    #[account(
        mut,
        seeds = [PAYMENT_VAULT_SEED, offering.key().as_ref()],
        bump = offering.payment_vault_bump,
        token::mint = payment_mint,
        token::authority = offering,
        token::token_program = token_program,
    )]
    pub payment_vault: Box<Account<'info, TokenAccount>>,
    // An associated account holds nothing that a second initialisation could reset.
    #[account(
        init_if_needed,
        payer = developer,
        associated_token::mint = payment_mint,
        associated_token::authority = developer,
        associated_token::token_program = token_program,
    )]
    pub developer_payment: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub associated_token_program: Program<'info, AssociatedToken>,
    pub system_program: Program<'info, System>,
}

impl WithdrawProceeds<'_> {
    /// Returns the amount.
    fn validate(&self) -> Result<u64> {
        self.offering.require_status(OfferingStatus::Succeeded)?;
        let amount_units = self
            .offering
            .accepted_units
            .checked_sub(self.offering.proceeds_withdrawn_units)
            .ok_or(ModelTokenError::ArithmeticOverflow)?;
        require!(amount_units > 0, ModelTokenError::NothingToWithdraw);
        Ok(amount_units)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let amount_units = ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let offering = &mut accounts.offering;
        offering.proceeds_withdrawn_units = offering.accepted_units;
        transfer_checked(
            CpiContext::new_with_signer(
                accounts.token_program.key(),
                TransferChecked {
                    from: accounts.payment_vault.to_account_info(),
                    mint: accounts.payment_mint.to_account_info(),
                    to: accounts.developer_payment.to_account_info(),
                    authority: offering.to_account_info(),
                },
                &[&[OFFERING_SEED, offering.model.as_ref(), &[offering.bump]]],
            ),
            amount_units,
            accounts.payment_mint.decimals,
        )?;
        accounts.payment_vault.reload()?;
        require!(
            accounts.payment_vault.amount >= offering.payment_owed_units()?,
            ModelTokenError::VaultShort
        );
        emit!(ProceedsWithdrawn {
            offering: offering.key(),
            developer: accounts.developer.key(),
            amount_units
        });
        Ok(())
    }
}
