use anchor_lang::prelude::*;

/// Seeds: `"trace", report, claim_hash`.
pub const TRACE_SEED: &[u8] = b"trace";

/// The operator's commitment to every node's output for one claim of one report: written once, by that report's operator, and used by all disputes
/// on the claim.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Trace {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The report.
    pub report: Pubkey,
    /// Hash of the claim.
    pub claim_hash: [u8; 32],
    /// Whether `roots` holds every node's output.
    pub whole: bool,
    /// Nodes of the model.
    pub node_count: u32,
    /// Root of the trace tree.
    pub trace_root: [u8; 32],
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// The root of each node's output when the trace is whole, else empty.
    #[max_len(16)]
    pub roots: Vec<[u8; 32]>,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Trace::INIT_SPACE == 683);
