use anchor_lang::prelude::*;

/// Seeds: `"commitment", offering, investor`.
pub const COMMITMENT_SEED: &[u8] = b"commitment";

/// What one investor put into one offering. Closed when it is claimed.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Commitment {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The offering.
    pub offering: Pubkey,
    /// The owner of what is claimed.
    pub investor: Pubkey,
    /// Sum of what the investor put in, in units of the payment mint.
    pub amount_units: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 16],
}

const _: () = assert!(Commitment::INIT_SPACE == 122);
