use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::get_associated_token_address,
    token::{Mint, Token, TokenAccount},
};

use crate::{
    errors::OracleError,
    events::InquiryWithdrawn,
    instructions::tokens::pay_out,
    state::{INQUIRY_SEED, Inquiry, STAKE_VAULT_SEED, StakeVault},
};

/// Pays a settled inquiry and closes it; its rent goes to the demander, who paid it.
///
/// Anyone may, to the demander's associated token account (which the caller creates when it is not there); the demander alone may name another account, for when that
/// one is frozen or no longer its own. With nothing to pay no account is needed. Refuses an inquiry that is not settled.
#[derive(Accounts)]
pub struct WithdrawInquiry<'info> {
    pub caller: Signer<'info>,
    #[account(
        mut,
        close = demander,
        has_one = demander @ OracleError::WrongRentPayer,
        has_one = mint @ OracleError::WrongMint,
        seeds = [INQUIRY_SEED, inquiry.report.as_ref(), inquiry.demander.as_ref(), &inquiry.nonce.to_le_bytes()],
        bump = inquiry.bump,
    )]
    pub inquiry: Box<Account<'info, Inquiry>>,
    /// CHECK: only receives the rent; its address is the one stored.
    #[account(mut)]
    pub demander: UncheckedAccount<'info>,
    #[account(
        mut,
        has_one = mint @ OracleError::WrongMint,
        has_one = stake_tokens,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
    #[account(mut, token::mint = mint, token::authority = stake_vault)]
    pub stake_tokens: Box<Account<'info, TokenAccount>>,
    #[account(mut, constraint = recipient.mint == mint.key() @ OracleError::WrongMint)]
    pub recipient: Option<Box<Account<'info, TokenAccount>>>,
    pub mint: Box<Account<'info, Mint>>,
    pub token_program: Program<'info, Token>,
}

impl WithdrawInquiry<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.inquiry.settled, OracleError::NotSettled);
        let Some(recipient) = &self.recipient else {
            require!(self.inquiry.payout_units == 0, OracleError::RecipientMissing);
            return Ok(());
        };
        let demander = self.inquiry.demander;
        let associated = get_associated_token_address(&demander, &self.inquiry.mint);
        require!(
            self.caller.key() == demander || (recipient.key() == associated && recipient.owner == demander),
            OracleError::RecipientNotAllowed
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let amount_units = accounts.inquiry.payout_units;
        if let (Some(recipient), true) = (&accounts.recipient, amount_units > 0) {
            pay_out(
                &mut accounts.stake_vault,
                &mut accounts.stake_tokens,
                &accounts.mint,
                &accounts.token_program,
                recipient,
                amount_units,
            )?;
        }
        emit!(InquiryWithdrawn {
            inquiry: accounts.inquiry.key(),
            demander: accounts.inquiry.demander,
            amount_units,
        });
        Ok(())
    }
}
