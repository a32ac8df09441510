use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::DisputeMoved,
    game::Move,
    state::{DISPUTE_SEED, Dispute},
};

/// Shows the nodes below the one that was picked; at the bottom of the trace, the roots of the nodes' outputs.
///
/// Anyone may: a reveal proves itself. Refuses hashes that the known one does not commit to, and padding that is not where it must be.
#[derive(Accounts)]
pub struct Reveal<'info> {
    #[account(
        mut,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
}

impl Reveal<'_> {
    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32], hashes: Vec<[u8; 32]>) -> Result<()> {
        let dispute = &mut ctx.accounts.dispute;
        dispute
            .game
            .reveal(&Now::read()?, &expected_digest, &hashes)
            .map_err(OracleError::from)?;
        emit!(DisputeMoved::of(dispute, Move::Reveal));
        Ok(())
    }
}
