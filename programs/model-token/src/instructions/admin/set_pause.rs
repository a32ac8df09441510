use anchor_lang::prelude::*;

use crate::{
    constants::MAX_PAUSE_SECONDS,
    errors::ModelTokenError,
    events::PauseSet,
    state::{PROTOCOL_SEED, Protocol},
};

/// Pauses new entries until a time at most seven days ahead, or lifts a pause with a time that is over. The guardian may. What is
/// already in is never held: exits do not read the pause.
#[derive(Accounts)]
pub struct SetPause<'info> {
    pub guardian: Signer<'info>,
    #[account(
        mut,
        seeds = [PROTOCOL_SEED],
        bump = protocol.bump,
        has_one = guardian @ ModelTokenError::NotGuardian,
    )]
    pub protocol: Box<Account<'info, Protocol>>,
}

impl SetPause<'_> {
    pub fn handle(ctx: Context<Self>, until_unix: i64) -> Result<()> {
        let latest = Clock::get()?.unix_timestamp.saturating_add(MAX_PAUSE_SECONDS);
        require!(until_unix <= latest, ModelTokenError::PauseTooLong);
        let protocol = &mut ctx.accounts.protocol;
        protocol.paused_until_unix = until_unix;
        emit!(PauseSet {
            guardian: protocol.guardian,
            paused_until_unix: until_unix
        });
        Ok(())
    }
}
