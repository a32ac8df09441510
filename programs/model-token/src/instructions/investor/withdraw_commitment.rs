use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};

use crate::{
    errors::ModelTokenError,
    events::CommitmentWithdrawn,
    payment_vault::PaymentVault,
    state::{COMMITMENT_SEED, Commitment, OFFERING_SEED, Offering, OfferingStatus, PAYMENT_VAULT_SEED},
};

/// Takes money out of an open offering. The investor may: before the tail as often and as much as it likes, in the tail once and at most a part that falls
/// from all to nothing at the close. A commitment with nothing left is closed. No pause holds it.
#[derive(Accounts)]
pub struct WithdrawCommitment<'info> {
    pub investor: Signer<'info>,
    /// CHECK: only receives lamports; its address is the commitment's.
    #[account(mut, address = commitment.rent_payer @ ModelTokenError::WrongRentPayer)]
    pub rent_payer: UncheckedAccount<'info>,
    #[account(
        mut,
        seeds = [OFFERING_SEED, offering.model.as_ref()],
        bump = offering.bump,
        has_one = payment_mint @ ModelTokenError::WrongMint,
    )]
    pub offering: Box<Account<'info, Offering>>,
    #[account(
        mut,
        seeds = [COMMITMENT_SEED, offering.key().as_ref(), investor.key().as_ref()],
        bump = commitment.bump,
        has_one = offering @ ModelTokenError::WrongOffering,
        has_one = investor @ ModelTokenError::WrongInvestor,
    )]
    pub commitment: Box<Account<'info, Commitment>>,
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
    #[account(mut, token::mint = payment_mint, token::authority = investor, token::token_program = token_program)]
    pub investor_payment: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
}

impl WithdrawCommitment<'_> {
    /// Returns whether it is the tail's withdrawal.
    fn validate(&self, amount_units: u64) -> Result<bool> {
        let now_unix = Clock::get()?.unix_timestamp;
        let offering = &self.offering;
        require!(
            offering.status == OfferingStatus::Open && now_unix < offering.closes_unix,
            ModelTokenError::OfferingClosed
        );
        require!(amount_units > 0, ModelTokenError::CommitmentIsZero);
        let in_tail = offering.is_in_tail(now_unix);
        require!(
            !(in_tail && self.commitment.tail_withdrawn),
            ModelTokenError::TailWithdrawalUsed
        );
        let most = offering.withdrawable_units(self.commitment.amount_units, now_unix);
        require!(amount_units <= most, ModelTokenError::WithdrawalTooLarge);
        Ok(in_tail)
    }

    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        let in_tail = ctx.accounts.validate(amount_units)?;
        let accounts = ctx.accounts;
        let overflow = ModelTokenError::ArithmeticOverflow;
        let offering = &mut accounts.offering;
        let commitment = &mut accounts.commitment;
        commitment.tail_withdrawn = in_tail;
        commitment.amount_units = commitment.amount_units.checked_sub(amount_units).ok_or(overflow)?;
        offering.committed_units = offering.committed_units.checked_sub(amount_units).ok_or(overflow)?;
        let is_empty = commitment.amount_units == 0;
        if is_empty {
            offering.commitment_count = offering.commitment_count.checked_sub(1).ok_or(overflow)?;
        }
        PaymentVault {
            offering: &accounts.offering,
            mint: &accounts.payment_mint,
            vault: &mut accounts.payment_vault,
            token_program: &accounts.token_program,
        }
        .pay(accounts.investor_payment.to_account_info(), amount_units)?;
        emit!(CommitmentWithdrawn {
            offering: accounts.offering.key(),
            investor: accounts.commitment.investor,
            amount_units,
            commitment_units: accounts.commitment.amount_units,
            committed_units: accounts.offering.committed_units,
            in_tail,
        });
        if is_empty {
            accounts.commitment.close(accounts.rent_payer.to_account_info())?;
        }
        Ok(())
    }
}
