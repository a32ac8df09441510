use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;

use crate::errors::RevenueEscrowError;

/// Seeds: `"vault", model`.
pub const MODEL_VAULT_SEED: &[u8] = b"vault";
/// Seeds of the token account: `"vault_tokens", model`.
pub const VAULT_TOKENS_SEED: &[u8] = b"vault_tokens";

/// Custody of all that payers of one model paid in and nobody has been paid yet. One per model, so that a frozen vault stops one model only.
#[account]
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
    /// Sum of all credits (available, reserved and withdrawing), of all buckets not yet split and of all earnings, in units of the mint. The
    /// token account holds at least this.
    pub owed_units: u64,
    /// Who paid the rent of this account and of the token account; neither is ever closed.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(ModelVault::INIT_SPACE == 139);

impl ModelVault {
    /// Owes `units` more.
    pub fn owe(&mut self, units: u64) -> Result<()> {
        self.owed_units = self.owed_units.checked_add(units).ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }

    /// Owes `units` less: they leave in the same instruction.
    pub fn pay(&mut self, units: u64) -> Result<()> {
        self.owed_units = self.owed_units.checked_sub(units).ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }

    /// Refuses unless the token account, read again, holds what is owed.
    pub fn require_covered(&self, tokens: &mut Account<TokenAccount>) -> Result<()> {
        tokens.reload()?;
        require_gte!(tokens.amount, self.owed_units, RevenueEscrowError::VaultShort);
        Ok(())
    }
}
