use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::ModelTokenError,
    events::UpdateCancelled,
    state::{PROTOCOL_SEED, PROTOCOL_UPDATE_SEED, Protocol, ProtocolUpdate},
};

/// Takes a proposal back and closes it; the rent goes back to who paid it. The protocol's authority may at any time, anyone once it has lapsed.
#[derive(Accounts)]
pub struct CancelUpdate<'info> {
    pub caller: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [PROTOCOL_UPDATE_SEED],
        bump = update.bump,
        has_one = rent_payer @ ModelTokenError::WrongRentPayer,
    )]
    pub update: Box<Account<'info, ProtocolUpdate>>,
    /// CHECK: the proposal names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CancelUpdate<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.caller.key() == self.protocol.authority || self.update.lapse().is_past(&Now::read()?),
            ModelTokenError::CancelNotYours
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        emit!(UpdateCancelled {
            caller: ctx.accounts.caller.key()
        });
        Ok(())
    }
}
