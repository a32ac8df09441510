use anchor_lang::prelude::*;
use anchor_spl::{
    associated_token::get_associated_token_address,
    token::{Mint, Token, TokenAccount},
};

use crate::{
    errors::OracleError,
    events::PayoutWithdrawn,
    instructions::tokens::pay_out,
    state::{DISPUTE_SEED, Dispute, STAKE_VAULT_SEED, StakeVault},
};

/// Pays a settled dispute and closes it; its rent goes to who paid it.
///
/// Anyone may, to the challenger's associated token account (which the caller creates when it is not there); the challenger alone may name another account, for when that one is
/// frozen or no longer its own. With nothing to pay no account is needed. Refuses a dispute that is not settled.
#[derive(Accounts)]
pub struct WithdrawPayout<'info> {
    pub caller: Signer<'info>,
    #[account(
        mut,
        close = rent_payer,
        has_one = rent_payer @ OracleError::WrongRentPayer,
        has_one = mint @ OracleError::WrongMint,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
    /// CHECK: only receives the rent; its address is the one stored.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
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

impl WithdrawPayout<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.dispute.settled, OracleError::NotSettled);
        let Some(recipient) = &self.recipient else {
            require!(self.dispute.payout_units == 0, OracleError::RecipientMissing);
            return Ok(());
        };
        let challenger = self.dispute.challenger;
        let associated = get_associated_token_address(&challenger, &self.dispute.mint);
        require!(
            self.caller.key() == challenger || (recipient.key() == associated && recipient.owner == challenger),
            OracleError::RecipientNotAllowed
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let amount_units = accounts.dispute.payout_units;
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
        emit!(PayoutWithdrawn {
            dispute: accounts.dispute.key(),
            challenger: accounts.dispute.challenger,
            amount_units,
        });
        Ok(())
    }
}
