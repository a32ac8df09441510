use anchor_lang::prelude::*;

use crate::{constants::ALL_BPS, errors::ModelTokenError};

/// How random audits are paid. An audit keeps the fee that was in force when it was drawn.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditTerms {
    /// The part of the protocol's share that goes to the mint's audit fund, in basis points.
    pub share_bps: u16,
    /// What an audit pays all its auditors together, in units of the revenue mint; 0 while there are no audits.
    pub fee_units: u64,
}

const _: () = assert!(AuditTerms::INIT_SPACE == 10);

impl AuditTerms {
    /// Refuses a part that is more than all.
    pub fn validate(&self) -> Result<()> {
        require!(self.share_bps <= ALL_BPS, ModelTokenError::AuditShareExceedsAll);
        Ok(())
    }
}
