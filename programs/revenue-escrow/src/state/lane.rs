use anchor_lang::prelude::*;
use imo_protocol::Deadline;

use crate::math::notice::Noticed;

/// Seeds: `"lane", credit, operator`.
pub const LANE_SEED: &[u8] = b"lane";

/// What a payer has set aside for one operator. Its counters never go back, not even when a report is rejected, so that no signature is good
/// twice.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Lane {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The credit.
    pub credit: Pubkey,
    /// The operator account of opml-oracle.
    pub operator: Pubkey,
    /// Slot in which it was opened; never the same again at this address. Vouchers name it.
    pub generation: u64,
    /// What the operator may count on, in units of the revenue mint.
    pub reserved_units: u64,
    /// Announced to leave, in units of the revenue mint: collectable until it left, but not to be counted on. Counts as reserved again when the
    /// notice has lapsed.
    pub releasing_units: u64,
    /// When `releasing_units` may go back to the credit.
    pub release_deadline: Deadline,
    /// Collected since it was opened, in units of the revenue mint.
    pub collected_units: u64,
    /// Requests collected since it was opened, and sequence of the first one that is not.
    pub collected_count: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Whether questions and answers are shown only with the payer's permission. Never changes.
    pub private: bool,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Lane::INIT_SPACE == 195);

impl Lane {
    /// The reserved money and what is announced to leave it.
    pub fn funds(&mut self) -> Noticed<'_> {
        Noticed {
            counted_units: &mut self.reserved_units,
            leaving_units: &mut self.releasing_units,
            due: &mut self.release_deadline,
        }
    }
}
