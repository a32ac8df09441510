use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

use super::Settings;
use crate::errors::ModelTokenError;

/// Seeds: `"protocol_update"`. One at a time, so that everybody knows where to look.
pub const PROTOCOL_UPDATE_SEED: &[u8] = b"protocol_update";

/// What the authority has proposed, from then until it is executed, cancelled or lapsed.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct ProtocolUpdate {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// When it may be executed: the timelock in force when it was proposed.
    pub due: Deadline,
    /// What will hold.
    pub settings: Settings,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(ProtocolUpdate::INIT_SPACE == 90 + Settings::INIT_SPACE);

impl ProtocolUpdate {
    /// When it lapses: after as long again as it had to wait. An old proposal is nothing that anybody still watches.
    pub fn lapse(&self) -> Deadline {
        self.due.later_by(self.due.length_slots())
    }

    /// Refuses before the timelock is over, and once the proposal has lapsed.
    pub fn require_executable(&self, now: &Now) -> Result<()> {
        require!(self.due.is_past(now), ModelTokenError::UpdateNotDue);
        require!(!self.lapse().is_past(now), ModelTokenError::UpdateLapsed);
        Ok(())
    }
}
