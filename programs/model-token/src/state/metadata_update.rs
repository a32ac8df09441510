use anchor_lang::prelude::*;

use super::Metadata;

/// Seeds: `"metadata_update", model`. One at a time.
pub const METADATA_UPDATE_SEED: &[u8] = b"metadata_update";

/// What the developer wants a model to be called, until it is applied or cancelled.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct MetadataUpdate {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The model.
    pub model: Pubkey,
    /// What will hold.
    pub metadata: Metadata,
    /// Earliest slot at which it may be applied: the notice of a version.
    pub notice_ends_slot: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(MetadataUpdate::INIT_SPACE == 106 + Metadata::INIT_SPACE);
