use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint as PaymentMint, Token, TokenAccount as PaymentAccount},
    token_2022::Token2022,
    token_interface::{Mint, TokenAccount},
};

use crate::{
    constants::RELEASER,
    errors::ModelTokenError,
    events::DustSwept,
    payment_vault::PaymentVault,
    state::{Dust, MINT_SEED, OFFERING_SEED, Offering, PAYMENT_VAULT_SEED, TOKEN_VAULT_SEED},
    token_vault::TokenVault,
};

/// Burns the tokens that floors left and pays the money that they left to `recipient`, once, when every commitment is claimed. Only yield-distributor may,
/// which books the money for its redeem pool and takes what it counted as vesting for nobody off it.
#[derive(Accounts)]
pub struct SweepDust<'info> {
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

impl SweepDust<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let overflow = ModelTokenError::ArithmeticOverflow;
        let offering = &mut accounts.offering;
        let Dust {
            tokens_units,
            vesting_units: _,
            payment_units,
        } = offering.dust()?;
        offering.dust_swept = true;
        offering.burned_units = offering.burned_units.checked_add(tokens_units).ok_or(overflow)?;
        offering.refunded_units = offering.refunded_units.checked_add(payment_units).ok_or(overflow)?;
        PaymentVault {
            offering: &accounts.offering,
            mint: &accounts.payment_mint,
            vault: &mut accounts.payment_vault,
            token_program: &accounts.payment_token_program,
        }
        .pay(accounts.recipient.to_account_info(), payment_units)?;
        TokenVault {
            offering: &accounts.offering,
            mint: &accounts.mint,
            vault: &mut accounts.token_vault,
            token_program: &accounts.token_program,
        }
        .burn(tokens_units)?;
        emit!(DustSwept {
            offering: accounts.offering.key(),
            burned_units: tokens_units,
            amount_units: payment_units,
        });
        Ok(())
    }
}
