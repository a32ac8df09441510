use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::RevenueEscrowError,
    events::SessionClosed,
    state::{CREDIT_SEED, Credit, SESSION_SEED, Session},
};

/// Closes a session whose vouchers nobody can collect any more; the rent goes back to who paid it. Anyone may, but not in the slot of its grant: a
/// key appointed again has another generation.
#[derive(Accounts)]
pub struct CloseSession<'info> {
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
    )]
    pub credit: Box<Account<'info, Credit>>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [SESSION_SEED, session.credit.as_ref(), session.key.as_ref()],
        bump = session.bump,
        has_one = credit @ RevenueEscrowError::WrongRelation,
        has_one = rent_payer @ RevenueEscrowError::WrongRentPayer,
    )]
    pub session: Box<Account<'info, Session>>,
    /// CHECK: the session names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseSession<'_> {
    fn validate(&self, now: &Now) -> Result<()> {
        require!(now.slot > self.session.generation, RevenueEscrowError::OpenedInThisSlot);
        require!(self.session.is_over(now), RevenueEscrowError::SessionStillLive);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate(&Now::read()?)?;
        let CloseSession {
            credit,
            session,
            rent_payer: _,
        } = ctx.accounts;
        credit.open_sessions = credit
            .open_sessions
            .checked_sub(1)
            .ok_or(RevenueEscrowError::Overflow)?;
        emit!(SessionClosed {
            session: session.key(),
            generation: session.generation
        });
        Ok(())
    }
}
