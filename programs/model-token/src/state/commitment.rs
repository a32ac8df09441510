use anchor_lang::prelude::*;

/// Seeds: `"commitment", offering, investor`.
pub const COMMITMENT_SEED: &[u8] = b"commitment";

/// What one investor put into one offering and, once claimed, the record of the tokens that still vest. Closed when it is withdrawn whole, when it is
/// claimed and nothing vests, or when the last unit is released.
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
    /// Sum of what the investor put in and did not withdraw, in units of the payment mint.
    pub amount_units: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Whether the one withdrawal of the tail was used.
    pub tail_withdrawn: bool,
    /// Whether excess and immediate tokens were paid.
    pub claimed: bool,
    /// Tokens that vest, in units of the token; 0 before the claim.
    pub vesting_units: u64,
    /// Those of them that were released, in units of the token.
    pub released_units: u64,
    /// Zero.
    pub reserved: [u8; 16],
}

const _: () = assert!(Commitment::INIT_SPACE == 140);

impl Commitment {
    /// Tokens that are not released yet.
    pub fn unreleased_units(&self) -> u64 {
        self.vesting_units.saturating_sub(self.released_units)
    }
}
