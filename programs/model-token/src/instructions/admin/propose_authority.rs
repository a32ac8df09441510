use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    events::AuthorityProposed,
    state::{PROTOCOL_SEED, Protocol},
};

/// Names the authority's successor, or nobody with the default key. The protocol's authority may; it stays the authority until the successor accepts, so
/// that a wrong address changes nothing.
#[derive(Accounts)]
pub struct ProposeAuthority<'info> {
    pub authority: Signer<'info>,
    #[account(
        mut,
        seeds = [PROTOCOL_SEED],
        bump = protocol.bump,
        has_one = authority @ ModelTokenError::NotAuthority,
    )]
    pub protocol: Box<Account<'info, Protocol>>,
}

impl ProposeAuthority<'_> {
    pub fn handle(ctx: Context<Self>, pending_authority: Pubkey) -> Result<()> {
        let protocol = &mut ctx.accounts.protocol;
        protocol.pending_authority = pending_authority;
        emit!(AuthorityProposed {
            authority: protocol.authority,
            pending_authority,
        });
        Ok(())
    }
}
