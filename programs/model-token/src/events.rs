//! What happened, for indexers. Amounts are in units of the mint that the account names, times in Unix seconds or slots.

use anchor_lang::prelude::*;

use crate::state::{Contributor, OfferingStatus, OperatorAccess, RevenueSplit, Settings};

/// The protocol was set up, or an update was executed.
#[event]
pub struct ProtocolSet {
    pub authority: Pubkey,
    pub settings: Settings,
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
    pub contributors: Vec<Contributor>,
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

/// Who may operate a model changed. With a list, what operators without an appointment served can be reported until both dues are past; they are zero
/// when the model is open to all.
#[event]
pub struct OperatorAccessSet {
    pub model: Pubkey,
    pub operators: OperatorAccess,
    pub due_slot: u64,
    pub due_unix: i64,
}

/// An operator may serve a model that has a list, or a dismissal was taken back.
#[event]
pub struct OperatorAppointed {
    pub model: Pubkey,
    pub appointment: Pubkey,
    pub operator_authority: Pubkey,
}

/// An operator gets no new lanes, and reports what it served until both dues are past.
#[event]
pub struct OperatorDismissed {
    pub model: Pubkey,
    pub appointment: Pubkey,
    pub operator_authority: Pubkey,
    pub due_slot: u64,
    pub due_unix: i64,
}

#[event]
pub struct AppointmentClosed {
    pub model: Pubkey,
    pub appointment: Pubkey,
    pub operator_authority: Pubkey,
}

/// The authority wants other settings. Anyone may execute them once the first two dues are past and until the lapse is.
#[event]
pub struct UpdateProposed {
    pub settings: Settings,
    pub due_slot: u64,
    pub due_unix: i64,
    pub lapse_slot: u64,
    pub lapse_unix: i64,
}

/// The authority changed its mind, or somebody cleared a proposal that had lapsed.
#[event]
pub struct UpdateCancelled {
    pub caller: Pubkey,
}

/// The authority named its successor; the default key takes the offer back.
#[event]
pub struct AuthorityProposed {
    pub authority: Pubkey,
    pub pending_authority: Pubkey,
}

#[event]
pub struct AuthorityAccepted {
    pub previous: Pubkey,
    pub authority: Pubkey,
}
