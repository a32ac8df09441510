use anchor_lang::prelude::*;
pub use imo_protocol::{SESSION_SEED, Session};

use crate::errors::RevenueEscrowError;

/// Counts `units` against a session's limit.
pub fn spend(session: &mut Session, units: u64) -> Result<()> {
    let spent_units = session
        .spent_units
        .checked_add(units)
        .ok_or(RevenueEscrowError::Overflow)?;
    require_gte!(session.limit_units, spent_units, RevenueEscrowError::SessionLimit);
    session.spent_units = spent_units;
    Ok(())
}
