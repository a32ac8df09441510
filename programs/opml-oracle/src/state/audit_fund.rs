use anchor_lang::prelude::*;

use crate::errors::OracleError;

/// Seeds: `"audit_fund", mint`.
pub const AUDIT_FUND_SEED: &[u8] = b"audit_fund";
/// Seeds of the token account: `"audit_tokens", mint`. Its authority is the [`AuditFund`].
pub const AUDIT_TOKENS_SEED: &[u8] = b"audit_tokens";

/// What random audits in one mint are paid from. Only what is promised is counted here; all that the token account holds above it is the fund's, so that anyone adds to
/// it by a plain transfer.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct AuditFund {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The mint: classic SPL Token.
    pub mint: Pubkey,
    /// The token account that holds it all.
    pub audit_tokens: Pubkey,
    /// Promised, in units: fees of audits that are not settled, and what auditors of settled ones have not been paid.
    pub owed_units: u64,
    /// Zero.
    pub reserved: [u8; 64],
}

const _: () = assert!(AuditFund::INIT_SPACE == 138);

impl AuditFund {
    /// Promises `units` out of what the token account holds and is not promised yet.
    pub fn promise(&mut self, units: u64, held_units: u64) -> Result<()> {
        let owed_units = self.owed_units.checked_add(units).ok_or(OracleError::AmountOverflow)?;
        require!(owed_units <= held_units, OracleError::AuditFundShort);
        self.owed_units = owed_units;
        Ok(())
    }

    /// Promised units are promised no longer: they go out in the same instruction, or stay in the fund.
    pub fn release(&mut self, units: u64) -> Result<()> {
        self.owed_units = self.owed_units.checked_sub(units).ok_or(OracleError::VaultShort)?;
        Ok(())
    }
}
