use anchor_lang::prelude::*;
pub use imo_protocol::CREDIT_SEED;
use imo_protocol::Deadline;

use crate::{errors::RevenueEscrowError, math::notice::Noticed};

/// What one payer has in one model's vault. Money is spendable through lanes only, so that nothing is promised twice.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Credit {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// Opens, funds, appoints sessions and withdraws.
    pub payer: Pubkey,
    /// The model that it is spent on.
    pub model: Pubkey,
    /// Slot in which it was opened; never the same again at this address.
    pub generation: u64,
    /// Not reserved and not announced to leave, in units of the revenue mint.
    pub available_units: u64,
    /// Sum over its lanes of what they reserve and release, in units of the revenue mint.
    pub reserved_units: u64,
    /// Announced to leave, in units of the revenue mint. Counts as available again when the notice has lapsed.
    pub withdrawing_units: u64,
    /// When `withdrawing_units` may be paid out.
    pub withdraw_deadline: Deadline,
    /// Lanes not yet closed.
    pub open_lanes: u32,
    /// Sessions not yet closed.
    pub open_sessions: u32,
    /// Collections from its lanes not yet closed: a refund may still come.
    pub open_collections: u32,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Credit::INIT_SPACE == 198);

impl Credit {
    /// The available money and what is announced to leave it.
    pub fn funds(&mut self) -> Noticed<'_> {
        Noticed {
            counted_units: &mut self.available_units,
            leaving_units: &mut self.withdrawing_units,
            due: &mut self.withdraw_deadline,
        }
    }

    /// Lanes hold `units` more.
    pub fn reserve(&mut self, units: u64) -> Result<()> {
        self.reserved_units = self
            .reserved_units
            .checked_add(units)
            .ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }

    /// Lanes hold `units` less.
    pub fn unreserve(&mut self, units: u64) -> Result<()> {
        self.reserved_units = self
            .reserved_units
            .checked_sub(units)
            .ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }

    /// One more collection from its lanes.
    pub fn add_collection(&mut self) -> Result<()> {
        self.open_collections = self
            .open_collections
            .checked_add(1)
            .ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }

    /// One collection is closed.
    pub fn remove_collection(&mut self) -> Result<()> {
        self.open_collections = self
            .open_collections
            .checked_sub(1)
            .ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }
}
