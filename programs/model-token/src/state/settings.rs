use anchor_lang::prelude::*;

use super::{AuditTerms, DisputeTerms};
use crate::{
    constants::{ALL_BPS, MAX_PAYMENT_MINTS, MAX_TIMELOCK_SLOTS},
    errors::ModelTokenError,
};

/// Every parameter of the protocol: what the set-up states and what an update replaces, all at once, so that one look shows what will hold.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// May pause new entries.
    pub guardian: Pubkey,
    /// Owner of the accounts that get the protocol's share.
    pub treasury: Pubkey,
    /// Mints that a new model may be paid in, 1 to 8. Models that exist keep theirs.
    #[max_len(8)]
    pub payment_mints: Vec<Pubkey>,
    /// The protocol's share of revenue for versions to come, in basis points.
    pub protocol_bps: u16,
    /// Terms for versions to come.
    pub terms: DisputeTerms,
    /// How long an update waits between proposal and execution, in slots.
    pub timelock_slots: u64,
    /// How random audits are paid.
    pub audits: AuditTerms,
}

const _: () = assert!(Settings::INIT_SPACE == 334 + DisputeTerms::INIT_SPACE + AuditTerms::INIT_SPACE);
const _: () = assert!(MAX_PAYMENT_MINTS == 8);

impl Settings {
    /// Checks what does not depend on the settings in force. Whoever dislikes what is proposed must be able to leave before it holds: a report that is
    /// sealed becomes final, and then a notice matures.
    pub fn validate(&self) -> Result<()> {
        require!(self.protocol_bps <= ALL_BPS, ModelTokenError::ProtocolShareExceedsAll);
        self.validate_payment_mints()?;
        self.terms.validate()?;
        self.audits.validate()?;
        let shortest = self.terms.finality_slots().saturating_add(self.terms.notice_slots);
        require!(
            (shortest..=MAX_TIMELOCK_SLOTS).contains(&self.timelock_slots),
            ModelTokenError::TimelockOutOfRange
        );
        Ok(())
    }

    /// Checks that the waits of money that is in already stay. The length of an epoch never changes, because existing pools must stay slower than
    /// reports of later versions; nor do the notice and the unbonding time: longer ones would trap money, shorter ones would let it run from those
    /// who counted on it.
    pub fn validate_against(&self, in_force: &DisputeTerms) -> Result<()> {
        require!(
            self.terms.epoch_slots == in_force.epoch_slots,
            ModelTokenError::EpochLengthIsFixed
        );
        require!(
            self.terms.notice_slots == in_force.notice_slots && self.terms.unbonding_slots == in_force.unbonding_slots,
            ModelTokenError::WaitIsFixed
        );
        Ok(())
    }

    fn validate_payment_mints(&self) -> Result<()> {
        let mints = &self.payment_mints;
        require!(!mints.is_empty(), ModelTokenError::NoPaymentMint);
        require!(mints.len() <= MAX_PAYMENT_MINTS, ModelTokenError::TooManyPaymentMints);
        for (seen, mint) in mints.iter().enumerate() {
            let earlier = mints.get(..seen).unwrap_or_default();
            require!(!earlier.contains(mint), ModelTokenError::DuplicatePaymentMint);
            require_keys_neq!(*mint, Pubkey::default(), ModelTokenError::NoPaymentMint);
        }
        Ok(())
    }
}
