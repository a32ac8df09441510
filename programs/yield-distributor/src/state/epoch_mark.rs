use anchor_lang::prelude::*;

/// Seeds: `"epoch_mark", pool, epoch u64`.
pub const EPOCH_MARK_SEED: &[u8] = b"epoch_mark";

/// What the stakes that become active with one epoch need to know: where the accumulator stood when it began. Closed by anyone as
/// soon as no position needs it.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct EpochMark {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The pool.
    pub pool: Pubkey,
    /// The epoch.
    pub epoch: u64,
    /// Stake that waits for this epoch or, once rolled, that became active with it, in units of the token.
    pub units: u64,
    /// The accumulator when the epoch began; meaningful once rolled.
    pub accumulator_at_start: u128,
    /// Whether the pool counts this stake as active.
    pub rolled: bool,
    /// Positions whose pending stake waits for this epoch or has not been settled since it became active.
    pub open_positions: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 16],
}

const _: () = assert!(EpochMark::INIT_SPACE == 123);
