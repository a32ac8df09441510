use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint as PaymentMint, Token, TokenAccount as PaymentAccount},
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount},
};
use imo_protocol::MODEL_VAULT_SEED;

use crate::{
    constants::RELEASER,
    errors::ModelTokenError,
    events::TrancheMissed,
    payment_vault::PaymentVault,
    state::{
        MINT_SEED, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED, TOKEN_VAULT_SEED, TrancheState,
        paid_to_others_units,
    },
    token_vault::TokenVault,
};

/// Pays a tranche whose revenue did not come in time to `recipient` and burns every token of the developer's that is not released. Only yield-distributor
/// may, which books the money for its redeem pool and takes the tokens off its pool.
#[derive(Accounts)]
pub struct MissTranche<'info> {
    #[account(address = RELEASER @ ModelTokenError::NotReleaser)]
    pub releaser: Signer<'info>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, offering.model.as_ref()],
        bump = offering.bump,
        has_one = payment_mint @ ModelTokenError::WrongMint,
    )]
    pub offering: Box<Account<'info, Offering>>,
    pub payment_mint: Box<Account<'info, PaymentMint>>,
    #[account(
        mut,
        seeds = [PAYMENT_VAULT_SEED, offering.key().as_ref()],
        bump = offering.payment_vault_bump,
        token::mint = payment_mint,
        token::authority = offering,
        token::token_program = payment_token_program,
    )]
    pub payment_vault: Box<Account<'info, PaymentAccount>>,
    /// The pool's account for revenue, which the releaser vouches for.
    #[account(
        mut,
        constraint = recipient.key() != payment_vault.key() @ ModelTokenError::WrongOffering,
        token::mint = payment_mint,
        token::token_program = payment_token_program,
    )]
    pub recipient: Box<Account<'info, PaymentAccount>>,
    /// CHECK: the escrow's vault of the model, read for what others were paid; empty when there is none.
    #[account(seeds = [MODEL_VAULT_SEED, offering.model.as_ref()], bump, seeds::program = imo_protocol::ids::REVENUE_ESCROW)]
    pub model_vault: UncheckedAccount<'info>,
    #[account(
        mut,
        seeds = [MINT_SEED, offering.model.as_ref()],
        bump = offering.mint_bump,
        mint::token_program = token_program,
    )]
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
    pub payment_token_program: Program<'info, Token>,
    pub token_program: Program<'info, Token2022>,
}

impl MissTranche<'_> {
    /// Returns what others were paid.
    fn validate(&self, index: u8) -> Result<u64> {
        self.offering.require_status(OfferingStatus::Succeeded)?;
        let paid_to_others_units = paid_to_others_units(&self.model_vault)?;
        let elapsed_seconds = self.offering.elapsed_seconds(Clock::get()?.unix_timestamp);
        self.offering
            .tranche(index)?
            .require_missed(elapsed_seconds, paid_to_others_units)?;
        Ok(paid_to_others_units)
    }

    pub fn handle(ctx: Context<Self>, index: u8) -> Result<()> {
        let paid_to_others_units = ctx.accounts.validate(index)?;
        let accounts = ctx.accounts;
        let overflow = ModelTokenError::ArithmeticOverflow;
        let offering = &mut accounts.offering;
        let amount_units = offering.decide_tranche(index, TrancheState::Missed)?;
        let burned_units = offering.developer_left_units()?;
        offering.developer_burned_units = offering
            .developer_burned_units
            .checked_add(burned_units)
            .ok_or(overflow)?;
        offering.burned_units = offering.burned_units.checked_add(burned_units).ok_or(overflow)?;
        PaymentVault {
            offering: &accounts.offering,
            mint: &accounts.payment_mint,
            vault: &mut accounts.payment_vault,
            token_program: &accounts.payment_token_program,
        }
        .pay(accounts.recipient.to_account_info(), amount_units)?;
        TokenVault {
            offering: &accounts.offering,
            mint: &accounts.mint,
            vault: &mut accounts.token_vault,
            token_program: &accounts.token_program,
        }
        .burn(burned_units)?;
        emit!(TrancheMissed {
            offering: accounts.offering.key(),
            index,
            amount_units,
            burned_units,
            paid_to_others_units,
        });
        Ok(())
    }
}
