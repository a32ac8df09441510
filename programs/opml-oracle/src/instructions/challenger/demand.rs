use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::DisputeMoved,
    game::Move,
    state::{DISPUTE_SEED, Dispute},
};

/// Picks a node of the frontier, to see what is below it.
///
/// The challenger may. Refuses padding, and leaves of the trace (then `demand_node`).
#[derive(Accounts)]
pub struct Demand<'info> {
    pub challenger: Signer<'info>,
    #[account(
        mut,
        has_one = challenger @ OracleError::NotTheChallenger,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
}

impl Demand<'_> {
    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32], child: u8) -> Result<()> {
        let dispute = &mut ctx.accounts.dispute;
        dispute
            .game
            .demand(&Now::read()?, &expected_digest, child)
            .map_err(OracleError::from)?;
        emit!(DisputeMoved::of(dispute, Move::Demand));
        Ok(())
    }
}
