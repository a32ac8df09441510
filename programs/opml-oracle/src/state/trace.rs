use anchor_lang::prelude::*;
use imo_protocol::Now;

use super::Report;
use crate::{constants::ACCOUNT_VERSION, errors::OracleError};

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
    /// When it was posted.
    pub posted_slot: u64,
    /// Zero.
    pub reserved: [u8; 24],
}

const _: () = assert!(Trace::INIT_SPACE == 683);

impl Trace {
    /// A trace that is posted now; the report, at `address`, counts it. The caller has checked that it is the one of the claim. `roots` is empty unless it is whole.
    pub fn post(
        now: &Now,
        (address, report): (Pubkey, &mut Report),
        bump: u8,
        claim_hash: [u8; 32],
        trace_root: [u8; 32],
        roots: Vec<[u8; 32]>,
        rent_payer: Pubkey,
    ) -> Result<Self> {
        report.open_traces = report.open_traces.checked_add(1).ok_or(OracleError::CountOverflow)?;
        Ok(Self {
            version: ACCOUNT_VERSION,
            bump,
            report: address,
            claim_hash,
            whole: !roots.is_empty(),
            node_count: report.node_count,
            trace_root,
            rent_payer,
            roots,
            posted_slot: now.slot,
            reserved: [0; 24],
        })
    }

    /// The trace of a claim of a report, when there is one. `account` must be at its address, which is derived, so that nobody can hide it.
    pub fn existing(account: &UncheckedAccount, report: &Pubkey, claim_hash: &[u8; 32]) -> Result<Option<Self>> {
        let (address, _) = Pubkey::find_program_address(&[TRACE_SEED, report.as_ref(), claim_hash], &crate::ID);
        require_keys_eq!(account.key(), address, OracleError::WrongTrace);
        if *account.owner != crate::ID {
            return Ok(None);
        }
        let data = account.try_borrow_data()?;
        Self::try_deserialize(&mut &data[..]).map(Some)
    }
}
