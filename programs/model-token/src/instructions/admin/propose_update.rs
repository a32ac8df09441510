use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::ModelTokenError,
    events::UpdateProposed,
    state::{PROTOCOL_SEED, PROTOCOL_UPDATE_SEED, Protocol, ProtocolUpdate, Settings},
};

/// Announces other settings; anyone executes them once the timelock in force is over. The protocol's authority may, one proposal at a time.
///
/// The timelock outlasts the longest dispute of the terms in force and a notice, so that whoever is in can leave before anything changes. Published
/// versions keep their terms and their split in any case. Refuses settings that do not hold together, and other epochs, notices or unbonding times
/// than those in force.
#[derive(Accounts)]
pub struct ProposeUpdate<'info> {
    pub authority: Signer<'info>,
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(
        seeds = [PROTOCOL_SEED],
        bump = protocol.bump,
        has_one = authority @ ModelTokenError::NotAuthority,
    )]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(
        init,
        payer = payer,
        space = 8 + ProtocolUpdate::INIT_SPACE,
        seeds = [PROTOCOL_UPDATE_SEED],
        bump,
    )]
    pub update: Box<Account<'info, ProtocolUpdate>>,
    pub system_program: Program<'info, System>,
}

impl ProposeUpdate<'_> {
    fn validate(&self, settings: &Settings) -> Result<()> {
        settings.validate()?;
        settings.validate_against(&self.protocol.terms)
    }

    pub fn handle(ctx: Context<Self>, settings: Settings) -> Result<()> {
        ctx.accounts.validate(&settings)?;
        let due = Deadline::after(&Now::read()?, ctx.accounts.protocol.timelock_slots);
        let update = &mut ctx.accounts.update;
        update.set_inner(ProtocolUpdate {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.update,
            due,
            settings,
            rent_payer: ctx.accounts.payer.key(),
            reserved: [0; 32],
        });
        let lapse = update.lapse();
        emit!(UpdateProposed {
            settings: update.settings.clone(),
            due_slot: due.due_slot,
            due_unix: due.due_unix,
            lapse_slot: lapse.due_slot,
            lapse_unix: lapse.due_unix,
        });
        Ok(())
    }
}
