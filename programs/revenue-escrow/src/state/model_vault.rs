use anchor_lang::prelude::*;
use anchor_spl::token::TokenAccount;
pub use imo_protocol::{MODEL_VAULT_SEED, ModelVault};

use crate::errors::RevenueEscrowError;

/// Seeds of the token account: `"vault_tokens", model`.
pub const VAULT_TOKENS_SEED: &[u8] = b"vault_tokens";

/// Keeping a vault's books.
pub trait VaultBooks {
    /// Owes `units` more.
    fn owe(&mut self, units: u64) -> Result<()>;

    /// Owes `units` less: they leave in the same instruction.
    fn pay(&mut self, units: u64) -> Result<()>;

    /// Counts what a split paid for good to others than the developer. At its end the counter stands still, which no split may fail for.
    fn count_paid_to_others(&mut self, units: u64);

    /// Refuses unless the token account, read again, holds what is owed.
    fn require_covered(&self, tokens: &mut Account<TokenAccount>) -> Result<()>;
}

impl VaultBooks for ModelVault {
    fn owe(&mut self, units: u64) -> Result<()> {
        self.owed_units = self.owed_units.checked_add(units).ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }

    fn pay(&mut self, units: u64) -> Result<()> {
        self.owed_units = self.owed_units.checked_sub(units).ok_or(RevenueEscrowError::Overflow)?;
        Ok(())
    }

    fn count_paid_to_others(&mut self, units: u64) {
        self.paid_to_others_units = self.paid_to_others_units.saturating_add(units);
    }

    fn require_covered(&self, tokens: &mut Account<TokenAccount>) -> Result<()> {
        tokens.reload()?;
        require_gte!(tokens.amount, self.owed_units, RevenueEscrowError::VaultShort);
        Ok(())
    }
}
