use anchor_lang::prelude::*;

use crate::{
    errors::ModelTokenError,
    events::PauseSet,
    state::{PROTOCOL_SEED, Protocol},
};

/// Pauses new entries for at most seven days, moves the end of the pause that runs, or lifts it with a time that is over. The guardian may, at once: this is
/// for the hour in which something is wrong. It ends by itself, and cannot begin again until as long has passed as it lasted. What is already in is never
/// held: exits do not read the pause.
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
        let protocol = &mut ctx.accounts.protocol;
        protocol.pause(Clock::get()?.unix_timestamp, until_unix)?;
        emit!(PauseSet {
            guardian: protocol.guardian,
            paused_until_unix: protocol.paused_until_unix
        });
        Ok(())
    }
}
