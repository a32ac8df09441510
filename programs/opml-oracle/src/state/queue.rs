//! The order in which whoever has a claim on a slashed bond is settled.

use anchor_lang::prelude::*;

use super::{Operator, Report, StakeVault};
use crate::{
    errors::OracleError,
    math::settlement::{Finished, Settlement, settle},
};

impl Report {
    /// Settles what has the next turn, and books it. Returns the split, and what was left of the slashed bond for the insurance pool when this was the last turn
    /// of a rejected report, in units. What the split pays out is for the caller to keep.
    pub fn settle_next(
        &mut self,
        order: u32,
        finished: &Finished,
        operator: &mut Operator,
        stake_vault: &mut StakeVault,
    ) -> Result<(Settlement, Option<u64>)> {
        require!(order == self.disputes_settled, OracleError::SettleInOrder);
        let settlement = settle(finished, self.slash().as_ref()).ok_or(OracleError::Inconsistent)?;
        self.leave_dispute(operator, settlement.costs_units, settlement.gives_share)?;
        operator.credit(settlement.operator_units)?;
        stake_vault.insure(settlement.insurance_units)?;

        let remainder_units = self.insure_unclaimed(stake_vault)?;
        Ok((settlement, remainder_units))
    }

    /// Gives what is left of a slashed bond to the insurance pool when nobody waits for a turn any more: nothing joins the queue after a rejection, so that the last of it is the
    /// last. To be called when the last turn is settled, and on a rejection without any. Returns what that was, in units.
    pub fn insure_unclaimed(&self, stake_vault: &mut StakeVault) -> Result<Option<u64>> {
        let remainder_units = match self.slash() {
            Some(slash) if self.is_settled() => Some(slash.remainder_units().ok_or(OracleError::Inconsistent)?),
            _ => None,
        };
        stake_vault.insure(remainder_units.unwrap_or(0))?;
        Ok(remainder_units)
    }
}
