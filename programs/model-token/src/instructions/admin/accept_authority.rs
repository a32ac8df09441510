use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    events::AuthorityAccepted,
    state::{PROTOCOL_SEED, Protocol},
};

/// Makes the named successor the protocol's authority. It signs itself, which shows that it can. An update that is proposed goes on; the new authority may
/// cancel it.
#[derive(Accounts)]
pub struct AcceptAuthority<'info> {
    pub pending_authority: Signer<'info>,
    #[account(
        mut,
        seeds = [PROTOCOL_SEED],
        bump = protocol.bump,
        has_one = pending_authority @ ModelTokenError::NotPendingAuthority,
    )]
    pub protocol: Box<Account<'info, Protocol>>,
}

impl AcceptAuthority<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let protocol = &mut ctx.accounts.protocol;
        let previous = protocol.authority;
        protocol.authority = std::mem::take(&mut protocol.pending_authority);
        emit!(AuthorityAccepted {
            previous,
            authority: protocol.authority,
        });
        Ok(())
    }
}
