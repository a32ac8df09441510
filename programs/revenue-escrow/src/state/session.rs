use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};

use crate::errors::RevenueEscrowError;

/// Seeds: `"session", credit, key`.
pub const SESSION_SEED: &[u8] = b"session";

/// A key that signs vouchers for a credit, so that the payer's own key can be a wallet, a multisig or a program. Whoever gets hold of it can spend
/// the rest of its limit, no more.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Session {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The Ed25519 key that signs.
    pub key: Pubkey,
    /// The credit that it spends.
    pub credit: Pubkey,
    /// Slot in which it was granted; never the same again at this address. Vouchers name it.
    pub generation: u64,
    /// Most that may be collected with its signatures, in units of the revenue mint.
    pub limit_units: u64,
    /// What was collected with its signatures, in units of the revenue mint.
    pub spent_units: u64,
    /// Latest expiry that its vouchers may have, in Unix seconds.
    pub expires_unix: i64,
    /// When its vouchers stop to be collectable; not set while it is not revoked.
    pub revoke_deadline: Deadline,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 32],
}

const _: () = assert!(Session::INIT_SPACE == 186);

impl Session {
    /// Whether a revocation has taken effect.
    pub fn is_revoked(&self, now: &Now) -> bool {
        self.revoke_deadline.is_set() && self.revoke_deadline.is_past(now)
    }

    /// Whether no voucher of it can be collected any more.
    pub fn is_over(&self, now: &Now) -> bool {
        self.is_revoked(now) || now.is_expired(self.expires_unix)
    }

    /// Counts `units` against the limit.
    pub fn spend(&mut self, units: u64) -> Result<()> {
        let spent_units = self
            .spent_units
            .checked_add(units)
            .ok_or(RevenueEscrowError::Overflow)?;
        require_gte!(self.limit_units, spent_units, RevenueEscrowError::SessionLimit);
        self.spent_units = spent_units;
        Ok(())
    }
}
