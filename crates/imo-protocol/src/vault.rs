//! The custody of a model's revenue. The escrow writes the account; model-token reads what was paid to others than the developer.

use anchor_lang::prelude::*;

use crate::ids;

/// Seeds: `"vault", model`.
pub const MODEL_VAULT_SEED: &[u8] = b"vault";

/// Custody of all that payers of one model paid in and nobody has been paid yet. One per model, so that a frozen vault stops one model only.
#[account("account")]
#[derive(InitSpace, Debug, PartialEq)]
pub struct ModelVault {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// Canonical bump of the token account.
    pub tokens_bump: u8,
    /// The model.
    pub model: Pubkey,
    /// The model's revenue mint: classic SPL Token.
    pub mint: Pubkey,
    /// Sum of all credits (available, reserved and withdrawing), of all buckets not yet split, and of what recipients and contributors have
    /// earned and not been paid, in units of the mint. The token account holds at least this.
    pub owed_units: u64,
    /// Who paid the rent of this account and of the token account; neither is ever closed.
    pub rent_payer: Pubkey,
    /// Revenue that splits have paid for good to others than the developer, in units of the mint; only grows. Shares of operators and
    /// contributors are left out, because these may be the developer's friends.
    pub paid_to_others_units: u64,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(ModelVault::INIT_SPACE == 147);

impl Owner for ModelVault {
    fn owner() -> Pubkey {
        ids::REVENUE_ESCROW
    }
}

impl ModelVault {
    /// The address and canonical bump of a model's vault.
    pub fn address(model: &Pubkey) -> (Pubkey, u8) {
        Pubkey::find_program_address(&[MODEL_VAULT_SEED, model.as_ref()], &ids::REVENUE_ESCROW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_model_vault_when_its_discriminator_and_owner_are_read_then_the_escrows() {
        assert_eq!(
            ModelVault::DISCRIMINATOR,
            &opml::hashv(&["account:ModelVault".as_bytes()])[..8]
        );
        assert_eq!(ModelVault::owner(), ids::REVENUE_ESCROW);
    }
}
