use anchor_lang::prelude::*;

use super::{AuditTerms, DisputeTerms, Settings};
use crate::{
    constants::{MAX_PAUSE_SECONDS, MAX_PAYMENT_MINTS},
    errors::ModelTokenError,
};

/// Seeds: `"protocol"`.
pub const PROTOCOL_SEED: &[u8] = b"protocol";

/// What holds for all models. Read-only in hot paths.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Protocol {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// May propose updates and name its successor.
    pub authority: Pubkey,
    /// May pause new entries.
    pub guardian: Pubkey,
    /// End of the last pause, in Unix seconds, from which entries are open; 0 when there was none.
    pub paused_until_unix: i64,
    /// Genesis hash of the cluster. A program cannot read it; vouchers name it, so that no signature is good on another cluster.
    pub cluster: [u8; 32],
    /// Owner of the accounts that get the protocol's share.
    pub treasury: Pubkey,
    /// Mints that a new model may be paid in; the first `payment_mint_count` count, the others are the default key.
    pub payment_mints: [Pubkey; 8],
    /// How many payment mints are allowed.
    pub payment_mint_count: u8,
    /// The protocol's share of revenue for versions to come, in basis points.
    pub protocol_bps: u16,
    /// Terms for versions to come.
    pub terms: DisputeTerms,
    /// How long an update waits between proposal and execution, in slots; at least until what is sealed is final and a notice matures.
    pub timelock_slots: u64,
    /// Whom the authority has named as its successor; the default key when nobody.
    pub pending_authority: Pubkey,
    /// Begin of the last pause, in Unix seconds; 0 when there was none.
    pub paused_since_unix: i64,
    /// How random audits are paid.
    pub audits: AuditTerms,
    /// Zero.
    pub reserved: [u8; 54],
}

const _: () = assert!(Protocol::INIT_SPACE == 613);
const _: () = assert!(MAX_PAYMENT_MINTS == 8);

impl Protocol {
    /// The mints that a new model may be paid in.
    pub fn allowed_payment_mints(&self) -> &[Pubkey] {
        self.payment_mints
            .get(..usize::from(self.payment_mint_count))
            .unwrap_or_default()
    }

    /// Refuses a new entry while the protocol is paused. Exits never ask.
    pub fn require_not_paused(&self, now_unix: i64) -> Result<()> {
        require!(!self.is_paused(now_unix), ModelTokenError::Paused);
        Ok(())
    }

    fn is_paused(&self, now_unix: i64) -> bool {
        now_unix < self.paused_until_unix
    }

    /// Begins a pause until `until_unix`, or moves the end of the one that runs: to now, when `until_unix` is over. A pause lasts at most seven days from
    /// its beginning, and the next one begins no earlier than as long again after its end, so that entries are open at least half of the time whatever the
    /// guardian does.
    pub fn pause(&mut self, now_unix: i64, until_unix: i64) -> Result<()> {
        let since_unix = if self.is_paused(now_unix) {
            self.paused_since_unix
        } else {
            require!(until_unix > now_unix, ModelTokenError::NotPaused);
            let lasted = self.paused_until_unix.saturating_sub(self.paused_since_unix);
            let next_unix = self.paused_until_unix.saturating_add(lasted);
            require!(now_unix >= next_unix, ModelTokenError::PausedTooRecently);
            now_unix
        };
        let latest = since_unix.saturating_add(MAX_PAUSE_SECONDS);
        require!(until_unix <= latest, ModelTokenError::PauseTooLong);
        self.paused_since_unix = since_unix;
        self.paused_until_unix = until_unix.max(now_unix);
        Ok(())
    }

    /// Makes sound settings the ones in force.
    pub fn apply(&mut self, settings: &Settings) -> Result<()> {
        settings.validate()?;
        let Settings {
            guardian,
            treasury,
            payment_mints,
            protocol_bps,
            terms,
            timelock_slots,
            audits,
        } = settings;
        let mut slots = [Pubkey::default(); MAX_PAYMENT_MINTS];
        for (slot, mint) in slots.iter_mut().zip(payment_mints) {
            *slot = *mint;
        }
        self.guardian = *guardian;
        self.treasury = *treasury;
        self.payment_mints = slots;
        self.payment_mint_count =
            u8::try_from(payment_mints.len()).map_err(|_| ModelTokenError::TooManyPaymentMints)?;
        self.protocol_bps = *protocol_bps;
        self.terms = *terms;
        self.timelock_slots = *timelock_slots;
        self.audits = *audits;
        Ok(())
    }
}
