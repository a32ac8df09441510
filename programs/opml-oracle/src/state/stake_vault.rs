use anchor_lang::prelude::*;

use crate::errors::OracleError;

/// Seeds: `"stake_vault", mint`.
pub const STAKE_VAULT_SEED: &[u8] = b"stake_vault";
/// Seeds of the token account: `"stake_tokens", mint`. Its authority is the [`StakeVault`].
pub const STAKE_TOKENS_SEED: &[u8] = b"stake_tokens";

/// All stake and all bonds in one mint. What is owed is counted here; the token account is only ever checked to hold at least that, so that
/// nobody changes anything by sending tokens to it.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct StakeVault {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The mint: classic SPL Token.
    pub mint: Pubkey,
    /// The token account that holds it all.
    pub stake_tokens: Pubkey,
    /// Everything below that is not yet paid out, in units: stakes of operators (free, locked and unbonding), bonds and payouts of disputes, fees and payouts of inquiries, what is
    /// slashed and not yet distributed, insurance.
    pub owed_units: u64,
    /// The part that belongs to the insurance pool, in units.
    pub insurance_units: u64,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(StakeVault::INIT_SPACE == 146);

impl StakeVault {
    /// Tokens came in and are owed to somebody.
    pub fn owe(&mut self, units: u64) -> Result<()> {
        self.owed_units = self.owed_units.checked_add(units).ok_or(OracleError::AmountOverflow)?;
        Ok(())
    }

    /// Tokens go out and are owed no longer.
    pub fn pay(&mut self, units: u64) -> Result<()> {
        self.owed_units = self.owed_units.checked_sub(units).ok_or(OracleError::VaultShort)?;
        Ok(())
    }

    /// Something that the vault owes anyway becomes the insurance pool's.
    pub fn insure(&mut self, units: u64) -> Result<()> {
        self.insurance_units = self
            .insurance_units
            .checked_add(units)
            .ok_or(OracleError::AmountOverflow)?;
        Ok(())
    }
}
