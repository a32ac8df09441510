use anchor_lang::prelude::*;

use super::Pool;
use crate::{errors::YieldError, math::accumulator::earned};

/// Seeds: `"vesting", pool, owner`.
pub const VESTING_SEED: &[u8] = b"vesting";

/// Yield of tokens that one buyer, or the developer, has not been released yet. They earn from the settlement on: the pool counted all of them when it was
/// made, before its first deposit, so that it makes no difference when this account is opened.
///
/// There is one for each claimed commitment. Both are closed when everything is released, and neither can be made again then.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Vesting {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The pool.
    pub pool: Pubkey,
    /// The investor; for the developer's tokens the model, because what is paid goes to whoever is its developer then.
    pub owner: Pubkey,
    /// Tokens that are neither released nor burned, in units of the token. They earn since the accumulator stood at `accumulator_snapshot`.
    pub units: u64,
    /// Up to where `units` have been settled.
    pub accumulator_snapshot: u128,
    /// Yield settled and not paid, in units of revenue.
    pub owed_units: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 16],
}

const _: () = assert!(Vesting::INIT_SPACE == 146);

impl Vesting {
    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.units == 0 && self.owed_units == 0
    }

    /// Settles what was earned up to now.
    pub fn settle(&mut self, pool: &Pool) -> Result<()> {
        let overflow = YieldError::ArithmeticOverflow;
        let owed = earned(self.units, self.accumulator_snapshot, pool.accumulator).ok_or(overflow)?;
        self.accumulator_snapshot = pool.accumulator;
        self.owed_units = self.owed_units.checked_add(owed).ok_or(overflow)?;
        Ok(())
    }

    /// Takes units out that are released or burned in the same instruction: they earn no longer. Settle first.
    pub fn take_out(&mut self, pool: &mut Pool, units: u64) -> Result<()> {
        self.units = self.units.checked_sub(units).ok_or(YieldError::InconsistentState)?;
        pool.remove_vesting(units)
    }

    /// Hands out what was settled.
    pub fn take_owed(&mut self, pool: &mut Pool) -> Result<u64> {
        let units = std::mem::take(&mut self.owed_units);
        pool.owed_units = pool
            .owed_units
            .checked_sub(units)
            .ok_or(YieldError::InconsistentState)?;
        Ok(units)
    }
}
