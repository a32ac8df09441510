//! Addresses and bounds of this program.

use anchor_lang::prelude::*;

/// Layout version that every account carries in its first byte after the discriminator.
pub const ACCOUNT_VERSION: u8 = 1;

/// The revenue escrow. It depends on this crate, so its address is stated here instead of imported.
pub const REVENUE_ESCROW_ID: Pubkey = pubkey!("kVC33AQRoNovgZCfDdaRw5dLzkHUJS8HjomAPUSGkKB");

/// Seed of [`DEPOSITOR`].
pub const DEPOSITOR_SEED: &[u8] = b"depositor";

/// The only signer that may deposit: [`DEPOSITOR_SEED`] under the escrow.
pub const DEPOSITOR: Pubkey = pubkey!("HoLMZoMpBshNaSpguYRAng88T44zRoG8WvttyYsHZNzD");

/// Canonical bump of [`DEPOSITOR`].
pub const DEPOSITOR_BUMP: u8 = 255;

/// Epochs after that of a stake in which it becomes active. With two, at least one whole epoch lies between, and an epoch is longer
/// than any report takes to become final.
pub const ACTIVATION_EPOCHS: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_escrow_when_its_depositor_is_derived_then_the_stated_address() {
        assert_eq!(
            Pubkey::find_program_address(&[DEPOSITOR_SEED], &REVENUE_ESCROW_ID),
            (DEPOSITOR, DEPOSITOR_BUMP)
        );
    }
}
