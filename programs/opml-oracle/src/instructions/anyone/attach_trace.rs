use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::DisputeMoved,
    game::Move,
    state::{DISPUTE_SEED, Dispute, TRACE_SEED, Trace},
};

/// Uses the trace that the operator posted for a sibling dispute on the same claim.
///
/// Anyone may, in the operator's turn. Refuses the trace of another report or claim.
#[derive(Accounts)]
pub struct AttachTrace<'info> {
    #[account(
        mut,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
    #[account(
        constraint = trace.report == dispute.report @ OracleError::WrongTrace,
        constraint = trace.claim_hash == dispute.claim_hash @ OracleError::WrongTrace,
        seeds = [TRACE_SEED, trace.report.as_ref(), trace.claim_hash.as_ref()],
        bump = trace.bump,
    )]
    pub trace: Box<Account<'info, Trace>>,
}

impl AttachTrace<'_> {
    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32]) -> Result<()> {
        let accounts = ctx.accounts;
        let trace = &accounts.trace;
        accounts
            .dispute
            .attach(&Now::read()?, &expected_digest, trace.key(), trace)?;
        emit!(DisputeMoved::of(&accounts.dispute, Move::AttachTrace));
        Ok(())
    }
}
