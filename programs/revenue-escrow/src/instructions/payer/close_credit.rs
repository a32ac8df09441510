use anchor_lang::prelude::*;

use crate::{
    errors::RevenueEscrowError,
    events::CreditClosed,
    state::{CREDIT_SEED, Credit},
};

/// Closes an empty credit; the rent goes back to who paid it. The payer may, once its lanes and sessions are closed and no refund can come any
/// more, and not in the slot of its opening, so that a generation is never used twice.
#[derive(Accounts)]
pub struct CloseCredit<'info> {
    pub payer: Signer<'info>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
        has_one = rent_payer @ RevenueEscrowError::WrongRentPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
    /// CHECK: the credit names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseCredit<'_> {
    fn validate(&self, slot: u64) -> Result<()> {
        let credit = &self.credit;
        require!(slot > credit.generation, RevenueEscrowError::OpenedInThisSlot);
        let in_use = [credit.open_lanes, credit.open_sessions, credit.open_collections];
        require!(in_use == [0; 3], RevenueEscrowError::StillInUse);
        let money = [credit.available_units, credit.reserved_units, credit.withdrawing_units];
        require!(money == [0; 3], RevenueEscrowError::NotEmpty);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate(Clock::get()?.slot)?;
        let credit = &ctx.accounts.credit;
        emit!(CreditClosed {
            credit: credit.key(),
            generation: credit.generation
        });
        Ok(())
    }
}
