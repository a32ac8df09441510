use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::DisputeMoved,
    game::Move,
    state::{DISPUTE_SEED, Dispute},
};

/// Shows the tile that was picked, in exactly the bytes that hold elements.
///
/// Anyone may. How many bytes a tile has follows from its place: an operator that committed to another number has nothing to reveal and loses by
/// silence. Refuses another length, and a tile that the known leaf does not commit to.
#[derive(Accounts)]
pub struct RevealTile<'info> {
    #[account(
        mut,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
}

impl RevealTile<'_> {
    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32], tile: Vec<u8>) -> Result<()> {
        let dispute = &mut ctx.accounts.dispute;
        dispute
            .game
            .reveal_tile(&Now::read()?, &expected_digest, &tile)
            .map_err(OracleError::from)?;
        emit!(DisputeMoved::of(dispute, Move::RevealTile));
        Ok(())
    }
}
