use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::ModelTokenError,
    events::ProtocolSet,
    state::{PROTOCOL_SEED, PROTOCOL_UPDATE_SEED, Protocol, ProtocolUpdate},
};

/// Makes a proposal the settings in force and closes it; the rent goes back to who paid it. Anyone may, once its timelock is over and until it lapses,
/// so that nobody keeps a matured change in the drawer.
#[derive(Accounts)]
pub struct ExecuteUpdate<'info> {
    #[account(mut, seeds = [PROTOCOL_SEED], bump = protocol.bump)]
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

impl ExecuteUpdate<'_> {
    fn validate(&self) -> Result<()> {
        self.update.require_executable(&Now::read()?)?;
        // The proposal was checked against the same fixed waits; they are asked again where they count.
        self.update.settings.validate_against(&self.protocol.terms)
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let ExecuteUpdate {
            protocol,
            update,
            rent_payer: _,
        } = ctx.accounts;
        protocol.apply(&update.settings)?;
        emit!(ProtocolSet {
            authority: protocol.authority,
            settings: update.settings.clone(),
        });
        Ok(())
    }
}
