use anchor_lang::prelude::*;
use imo_protocol::Now;
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    errors::RevenueEscrowError,
    events::WithdrawRequested,
    state::{CREDIT_SEED, Credit},
};

/// Announces that available money leaves the credit, in place of any earlier notice; 0 withdraws the notice. The payer may. What lanes reserve must be
/// released first.
#[derive(Accounts)]
pub struct RequestWithdraw<'info> {
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
}

impl RequestWithdraw<'_> {
    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        let accounts = ctx.accounts;
        let credit = &mut accounts.credit;
        credit
            .funds()
            .announce(amount_units, accounts.protocol.terms.notice_slots, &Now::read()?)?;
        emit!(WithdrawRequested {
            credit: credit.key(),
            withdrawing_units: credit.withdrawing_units,
            available_units: credit.available_units,
            due_slot: credit.withdraw_deadline.due_slot,
            due_unix: credit.withdraw_deadline.due_unix,
        });
        Ok(())
    }
}
