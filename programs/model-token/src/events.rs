//! What happened, for indexers. Amounts are in units of the mint that the account names, times in Unix seconds or slots.

use anchor_lang::prelude::*;

use crate::state::{DisputeTerms, OfferingStatus, RevenueSplit};

/// The protocol was set up, or what holds for versions and models to come was changed.
#[event]
pub struct ProtocolSet {
    pub authority: Pubkey,
    pub guardian: Pubkey,
    pub treasury: Pubkey,
    pub payment_mints: Vec<Pubkey>,
    pub protocol_bps: u16,
    pub terms: DisputeTerms,
}

/// The guardian paused new entries, or lifted a pause.
#[event]
pub struct PauseSet {
    pub guardian: Pubkey,
    pub paused_until_unix: i64,
}

#[event]
pub struct ModelRegistered {
    pub model: Pubkey,
    pub developer: Pubkey,
    pub index: u32,
    pub payment_mint: Pubkey,
    pub uri: String,
    pub uri_hash: [u8; 32],
}

#[event]
pub struct VersionPublished {
    pub model: Pubkey,
    pub version: Pubkey,
    pub number: u16,
    pub model_root: [u8; 32],
    pub split: RevenueSplit,
    pub price_units: u64,
    pub notice_ends_slot: u64,
}

#[event]
pub struct VersionActivated {
    pub model: Pubkey,
    pub version: Pubkey,
    pub number: u16,
    pub live_since_slot: u64,
}

#[event]
pub struct OfferingOpened {
    pub model: Pubkey,
    pub offering: Pubkey,
    pub mint: Pubkey,
    pub supply_units: u64,
    pub min_raise_units: u64,
    pub max_raise_units: u64,
    pub opens_unix: i64,
    pub closes_unix: i64,
}

#[event]
pub struct Committed {
    pub offering: Pubkey,
    pub investor: Pubkey,
    pub amount_units: u64,
    pub commitment_units: u64,
    pub committed_units: u64,
}

#[event]
pub struct OfferingSettled {
    pub model: Pubkey,
    pub offering: Pubkey,
    pub mint: Pubkey,
    pub status: OfferingStatus,
    pub committed_units: u64,
    pub accepted_units: u64,
}

#[event]
pub struct CommitmentClaimed {
    pub offering: Pubkey,
    pub investor: Pubkey,
    pub commitment_units: u64,
    pub tokens_units: u64,
    pub refunded_units: u64,
}

#[event]
pub struct ProceedsWithdrawn {
    pub offering: Pubkey,
    pub developer: Pubkey,
    pub amount_units: u64,
}
