//! What happened, for indexers. Amounts are in units of the mint that the account names, times in Unix seconds or slots.

use anchor_lang::prelude::*;

use crate::state::{
    Contributor, Metadata, OfferingStatus, OperatorAccess, RevenueSplit, Settings, Tranche, VestingTerms,
};

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
    pub metadata: Metadata,
}

/// The developer wants other metadata, which may hold from that slot on.
#[event]
pub struct MetadataProposed {
    pub model: Pubkey,
    pub metadata: Metadata,
    pub notice_ends_slot: u64,
}

#[event]
pub struct MetadataCancelled {
    pub model: Pubkey,
}

/// Other metadata hold, in the model and in its token.
#[event]
pub struct MetadataSet {
    pub model: Pubkey,
    pub metadata: Metadata,
}

/// The developer named its successor; the default key takes the offer back.
#[event]
pub struct DeveloperProposed {
    pub model: Pubkey,
    pub developer: Pubkey,
    pub pending_developer: Pubkey,
}

#[event]
pub struct DeveloperAccepted {
    pub model: Pubkey,
    pub previous: Pubkey,
    pub developer: Pubkey,
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
    pub sale_units: u64,
    pub developer_units: u64,
    pub min_raise_units: u64,
    pub max_raise_units: u64,
    pub wallet_cap_units: u64,
    pub allowlist_root: [u8; 32],
    pub allowlist_count: u32,
    pub opens_unix: i64,
    pub tail_unix: i64,
    pub closes_unix: i64,
    pub buyer_vesting: VestingTerms,
    pub developer_vesting: VestingTerms,
    pub tranches: Vec<Tranche>,
}

#[event]
pub struct Committed {
    pub offering: Pubkey,
    pub investor: Pubkey,
    pub amount_units: u64,
    pub commitment_units: u64,
    pub committed_units: u64,
}

/// Money left an open offering; with nothing left the commitment is closed.
#[event]
pub struct CommitmentWithdrawn {
    pub offering: Pubkey,
    pub investor: Pubkey,
    pub amount_units: u64,
    pub commitment_units: u64,
    pub committed_units: u64,
    pub in_tail: bool,
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
    /// Paid at once.
    pub tokens_units: u64,
    /// To be released.
    pub vesting_units: u64,
    pub refunded_units: u64,
}

/// Vested tokens of a commitment were paid; with the last of them the commitment is closed.
#[event]
pub struct CommitmentReleased {
    pub offering: Pubkey,
    pub investor: Pubkey,
    pub amount_units: u64,
    pub released_units: u64,
    pub vesting_units: u64,
}

/// Vested tokens of the developer were paid.
#[event]
pub struct DeveloperReleased {
    pub offering: Pubkey,
    pub developer: Pubkey,
    pub amount_units: u64,
    pub released_units: u64,
}

#[event]
pub struct TrancheWithdrawn {
    pub offering: Pubkey,
    pub developer: Pubkey,
    pub index: u8,
    pub amount_units: u64,
    pub paid_to_others_units: u64,
}

/// A tranche went to the redeem pool, and the developer's tokens are gone.
#[event]
pub struct TrancheMissed {
    pub offering: Pubkey,
    pub index: u8,
    pub amount_units: u64,
    pub burned_units: u64,
    pub paid_to_others_units: u64,
}

/// What nobody was allotted was burned; money that is nobody's went to the redeem pool.
#[event]
pub struct DustSwept {
    pub offering: Pubkey,
    pub burned_units: u64,
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
