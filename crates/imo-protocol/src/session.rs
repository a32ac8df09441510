//! Keys that sign for a payer. The escrow writes the account; the oracle asks it for permission to show private data.

use anchor_lang::prelude::*;

use crate::{Deadline, Now, ids};

/// Seeds: `"session", credit, key`.
pub const SESSION_SEED: &[u8] = b"session";

/// Seeds of a payer's credit: `"credit", payer, model`.
pub const CREDIT_SEED: &[u8] = b"credit";

/// A key that signs vouchers for a credit, so that the payer's own key can be a wallet, a multisig or a program. Whoever gets hold of it can spend
/// the rest of its limit, no more.
#[account("account")]
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

impl Owner for Session {
    fn owner() -> Pubkey {
        ids::REVENUE_ESCROW
    }
}

impl Session {
    /// Whether a revocation has taken effect.
    pub fn is_revoked(&self, now: &Now) -> bool {
        self.revoke_deadline.is_set() && self.revoke_deadline.is_past(now)
    }

    /// Whether no voucher of it can be collected any more.
    pub fn is_over(&self, now: &Now) -> bool {
        self.is_revoked(now) || now.is_expired(self.expires_unix)
    }

    /// Whether it may still permit something new. The notice of a revocation protects operators who served already; a permission ends with its announcement,
    /// and with the expiry whatever the cluster went through.
    pub fn is_live(&self, now: &Now) -> bool {
        !self.revoke_deadline.is_set() && now.unix <= self.expires_unix
    }
}

/// The address of a payer's credit on a model.
pub fn credit_address(payer: &Pubkey, model: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(&[CREDIT_SEED, payer.as_ref(), model.as_ref()], &ids::REVENUE_ESCROW).0
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENED: Now = Now {
        slot: 1_000,
        unix: 1_000_000,
        last_restart_slot: 0,
    };

    fn session(revoke_deadline: Deadline) -> Session {
        Session {
            version: 1,
            bump: 255,
            key: Pubkey::default(),
            credit: Pubkey::default(),
            generation: 1,
            limit_units: 1,
            spent_units: 0,
            expires_unix: OPENED.unix + 10,
            revoke_deadline,
            rent_payer: Pubkey::default(),
            reserved: [0; 32],
        }
    }

    #[test]
    fn given_a_session_when_it_expires_then_it_permits_nothing_the_second_after() {
        let session = session(Deadline::default());
        let at = |unix| Now { unix, ..OPENED };
        assert!(session.is_live(&at(OPENED.unix + 10)));
        assert!(!session.is_live(&at(OPENED.unix + 11)));
    }

    #[test]
    fn given_a_revocation_when_announced_then_it_permits_nothing_though_its_vouchers_still_count() {
        let session = session(Deadline::after(&OPENED, 100));
        assert!(!session.is_live(&OPENED));
        assert!(!session.is_over(&OPENED));
    }
}
