//! One event for each change of state. Amounts are in units of the model's revenue mint.

use anchor_lang::prelude::*;

#[event]
pub struct VaultOpened {
    pub vault: Pubkey,
    pub model: Pubkey,
    pub mint: Pubkey,
}

#[event]
pub struct CreditOpened {
    pub credit: Pubkey,
    pub payer: Pubkey,
    pub model: Pubkey,
    pub generation: u64,
}

#[event]
pub struct CreditDeposited {
    pub credit: Pubkey,
    pub amount_units: u64,
    pub available_units: u64,
}

/// A notice on a credit's money; zero withdraws an earlier notice.
#[event]
pub struct WithdrawRequested {
    pub credit: Pubkey,
    pub withdrawing_units: u64,
    pub available_units: u64,
    pub due_slot: u64,
    pub due_unix: i64,
}

#[event]
pub struct CreditWithdrawn {
    pub credit: Pubkey,
    pub amount_units: u64,
    pub destination: Pubkey,
}

#[event]
pub struct CreditClosed {
    pub credit: Pubkey,
    pub generation: u64,
}

#[event]
pub struct LaneOpened {
    pub lane: Pubkey,
    pub credit: Pubkey,
    pub operator: Pubkey,
    pub generation: u64,
    pub reserved_units: u64,
    pub private: bool,
}

#[event]
pub struct LaneFunded {
    pub lane: Pubkey,
    pub amount_units: u64,
    pub reserved_units: u64,
}

/// A notice on a lane's money; zero withdraws an earlier notice.
#[event]
pub struct ReleaseRequested {
    pub lane: Pubkey,
    pub releasing_units: u64,
    pub reserved_units: u64,
    pub due_slot: u64,
    pub due_unix: i64,
}

#[event]
pub struct LaneReleased {
    pub lane: Pubkey,
    pub credit: Pubkey,
    pub amount_units: u64,
}

#[event]
pub struct LaneClosed {
    pub lane: Pubkey,
    pub generation: u64,
}

#[event]
pub struct SessionGranted {
    pub session: Pubkey,
    pub credit: Pubkey,
    pub key: Pubkey,
    pub generation: u64,
    pub limit_units: u64,
    pub expires_unix: i64,
}

#[event]
pub struct SessionRevoked {
    pub session: Pubkey,
    pub due_slot: u64,
    pub due_unix: i64,
}

#[event]
pub struct SessionClosed {
    pub session: Pubkey,
    pub generation: u64,
}

#[event]
pub struct Collected {
    pub report: Pubkey,
    pub collection: Pubkey,
    pub lane: Pubkey,
    pub lane_generation: u64,
    pub session: Pubkey,
    pub amount_units: u64,
    pub count: u32,
    pub first_sequence: u64,
    pub receipts_root: [u8; 32],
    pub requests_root: [u8; 32],
    /// All that is collected for the report.
    pub bucket_units: u64,
    pub private: bool,
}

/// Holders' and redeem shares are zero, and in the developer's, where the model has no token.
#[event]
pub struct BucketSplit {
    pub report: Pubkey,
    pub model: Pubkey,
    pub amount_units: u64,
    pub holders_units: u64,
    pub redeem_units: u64,
    pub developer_units: u64,
    pub operator_units: u64,
    pub protocol_units: u64,
    pub contributors_units: u64,
    /// What of it the vault counts as paid to others than the developer.
    pub others_units: u64,
    /// What was paid for retractions and is in the shares of all but the operator.
    pub fee_units: u64,
    /// The part of the protocol's share that the audit fund gets.
    pub audit_units: u64,
}

/// `fee_units` is not zero where the collection was retracted and its report rejected all the same.
#[event]
pub struct Refunded {
    pub report: Pubkey,
    pub collection: Pubkey,
    pub credit: Pubkey,
    pub amount_units: u64,
    pub fee_units: u64,
}

#[event]
pub struct CollectionClosed {
    pub report: Pubkey,
    pub collection: Pubkey,
}

#[event]
pub struct BucketClosed {
    pub report: Pubkey,
    pub bucket: Pubkey,
}

#[event]
pub struct EarningsWithdrawn {
    pub vault: Pubkey,
    pub recipient: Pubkey,
    pub amount_units: u64,
    pub destination: Pubkey,
}

/// A contributor of a version was paid.
#[event]
pub struct ContributionWithdrawn {
    pub vault: Pubkey,
    pub model_version: Pubkey,
    pub index: u8,
    pub recipient: Pubkey,
    pub amount_units: u64,
    pub destination: Pubkey,
}

/// The model that a version is built on was paid: its holders, or its developer where it has no token.
#[event]
pub struct UpstreamPaid {
    pub vault: Pubkey,
    pub model_version: Pubkey,
    pub index: u8,
    pub upstream: Pubkey,
    pub amount_units: u64,
    pub to_holders: bool,
}

/// The audits' part of the protocol's share went to the mint's audit fund.
#[event]
pub struct AuditSharePaid {
    pub vault: Pubkey,
    pub earnings: Pubkey,
    pub amount_units: u64,
}

#[event]
pub struct BucketOpened {
    pub report: Pubkey,
    pub model: Pubkey,
    pub bucket: Pubkey,
}

/// An operator takes a collection back and pays `fee_units` for it; the payer's money comes back when the report has ended.
#[event]
pub struct RetractionAnnounced {
    pub report: Pubkey,
    pub collection: Pubkey,
    pub credit: Pubkey,
    pub amount_units: u64,
    pub fee_units: u64,
}
