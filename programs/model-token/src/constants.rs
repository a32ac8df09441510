//! Addresses and bounds that every account and instruction of this program keeps.

use anchor_lang::prelude::*;

/// Layout version that every account carries in its first byte after the discriminator.
pub const ACCOUNT_VERSION: u8 = 1;

/// The whole of a sum of shares, in basis points.
pub const ALL_BPS: u16 = 10_000;

/// Most payment mints that the protocol allows at a time.
pub const MAX_PAYMENT_MINTS: usize = 8;

/// Most contributors of a version.
pub const MAX_CONTRIBUTORS: usize = 8;

/// Longest uri of a model or of a version's weights, in bytes of UTF-8.
pub const MAX_URI_LEN: usize = 128;

/// Longest licence expression of a model, in bytes of UTF-8.
pub const MAX_LICENCE_LEN: usize = 32;

/// Longest name of a model and its token, in bytes of UTF-8.
pub const MAX_NAME_LEN: usize = 32;

/// Longest symbol of a model's token, in bytes of UTF-8.
pub const MAX_SYMBOL_LEN: usize = 10;

/// Decimals of every model's token.
pub const TOKEN_DECIMALS: u8 = 6;

/// Longest pause, in seconds: seven days.
pub const MAX_PAUSE_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Longest wait of an update, in slots: about two years at 400 ms a slot. Any sound terms leave room below it.
pub const MAX_TIMELOCK_SLOTS: u64 = 2 * MAX_TERM_SLOTS;

/// Longest offering, from its opening to its close, in seconds: ninety days.
pub const MAX_OFFERING_SECONDS: i64 = 90 * 24 * 60 * 60;

/// Furthest ahead that an offering may open, in seconds: ninety days.
pub const MAX_OFFERING_DELAY_SECONDS: i64 = 90 * 24 * 60 * 60;

/// Longest of each term that is counted in slots: about a year at 400 ms a slot. Sums of several of them cannot overflow.
pub const MAX_TERM_SLOTS: u64 = 78_840_000;

/// Highest bond ratio, in basis points: a hundred times what is collected.
pub const MAX_BOND_RATIO_BPS: u32 = 1_000_000;

/// The shortest last part of an offering in which one can only withdraw, in basis points of the whole. Whoever sees the price move can still leave.
pub const MIN_TAIL_BPS: u16 = 1_000;

/// Longest allow-list of an offering. The path of one wallet must fit a transaction.
pub const MAX_ALLOWLIST_LEN: u32 = 1 << 18;

/// Most tranches that the proceeds of an offering are paid in.
pub const MAX_TRANCHES: usize = 4;

/// Longest cliff, longest linear part and latest tranche, each in seconds: about ten years.
pub const MAX_LOCK_SECONDS: u32 = 10 * 366 * 24 * 60 * 60;

/// Seed of [`RELEASER`].
pub const RELEASER_SEED: &[u8] = b"releaser";

/// The only signer that may release what vests, miss a tranche or sweep dust: [`RELEASER_SEED`] under yield-distributor, whose pool has to know of each.
pub const RELEASER: Pubkey = pubkey!("3PjxZKYRWPKTT9RrNpqL1dQjRohHkgZ8x4XHWqUP1pPA");

/// Canonical bump of [`RELEASER`].
pub const RELEASER_BUMP: u8 = 254;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_distributor_when_its_releaser_is_derived_then_the_stated_address() {
        assert_eq!(
            Pubkey::find_program_address(&[RELEASER_SEED], &imo_protocol::ids::YIELD_DISTRIBUTOR),
            (RELEASER, RELEASER_BUMP)
        );
    }
}
