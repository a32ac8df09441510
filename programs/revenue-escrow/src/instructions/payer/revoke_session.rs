use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    errors::RevenueEscrowError,
    events::SessionRevoked,
    state::{CREDIT_SEED, Credit, SESSION_SEED, Session},
};

/// Revokes a session. The payer may, once. What it signed stays collectable for the notice, so that an operator that served in good faith is paid.
#[derive(Accounts)]
pub struct RevokeSession<'info> {
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        has_one = payer @ RevenueEscrowError::NotPayer,
    )]
    pub credit: Box<Account<'info, Credit>>,
    #[account(
        mut,
        seeds = [SESSION_SEED, session.credit.as_ref(), session.key.as_ref()],
        bump = session.bump,
        has_one = credit @ RevenueEscrowError::WrongRelation,
    )]
    pub session: Box<Account<'info, Session>>,
}

impl RevokeSession<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let session = &mut accounts.session;
        require!(!session.revoke_deadline.is_set(), RevenueEscrowError::AlreadyRevoked);
        session.revoke_deadline = Deadline::after(&Now::read()?, accounts.protocol.terms.notice_slots);
        emit!(SessionRevoked {
            session: session.key(),
            due_slot: session.revoke_deadline.due_slot,
            due_unix: session.revoke_deadline.due_unix,
        });
        Ok(())
    }
}
