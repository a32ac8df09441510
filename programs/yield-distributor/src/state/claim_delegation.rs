use anchor_lang::prelude::*;

/// Seeds: `"claim_delegation", pool, owner`.
pub const CLAIM_DELEGATION_SEED: &[u8] = b"claim_delegation";

/// Whom an owner lets claim its yield, and where to. An account of its own, so that only those who want one pay its rent, and so that it outlives a
/// position that is closed while it is empty.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct ClaimDelegation {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The pool.
    pub pool: Pubkey,
    /// Whose yield it is; sets, changes and ends the delegation.
    pub owner: Pubkey,
    /// May have the yield paid to `destination`, and nothing else.
    pub delegate: Pubkey,
    /// The token account that the delegate's claims go to.
    pub destination: Pubkey,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 16],
}

const _: () = assert!(ClaimDelegation::INIT_SPACE == 178);
