use anchor_lang::prelude::*;

use super::{EpochMark, Pool};
use crate::{errors::YieldError, math::accumulator::earned};

/// Seeds: `"position", pool, owner`.
pub const POSITION_SEED: &[u8] = b"position";

/// What one owner has staked in one pool.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Position {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The pool.
    pub pool: Pubkey,
    /// May stake and unstake; is paid.
    pub owner: Pubkey,
    /// Stake that earns since the accumulator stood at `accumulator_snapshot`, in units of the token.
    pub active_units: u64,
    /// Stake that earns from `pending_epoch` on, in units of the token.
    pub pending_units: u64,
    /// The epoch with which `pending_units` become active; 0 when there are none.
    pub pending_epoch: u64,
    /// Up to where `active_units` have been settled.
    pub accumulator_snapshot: u128,
    /// Yield settled and not paid, in units of revenue.
    pub owed_units: u64,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Zero.
    pub reserved: [u8; 16],
}

const _: () = assert!(Position::INIT_SPACE == 162);

impl Position {
    /// Whether pending stake has become active and waits to be settled.
    pub fn is_due(&self, now_epoch: u64) -> bool {
        self.pending_units > 0 && self.pending_epoch <= now_epoch
    }

    /// Whether nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.active_units == 0 && self.pending_units == 0 && self.owed_units == 0
    }

    /// Settles what was earned up to now. Pending stake that is due has earned since its epoch began, whenever this is called, so that
    /// nobody gains or loses by being late; its mark must be given. Returns whether the pool rolled that epoch.
    pub fn settle(&mut self, pool: &mut Pool, mark: Option<&mut EpochMark>, now_epoch: u64) -> Result<bool> {
        let overflow = YieldError::ArithmeticOverflow;
        let mut owed = earned(self.active_units, self.accumulator_snapshot, pool.accumulator).ok_or(overflow)?;
        let mut rolled = false;
        if self.is_due(now_epoch) {
            let mark = mark
                .filter(|mark| mark.epoch == self.pending_epoch)
                .ok_or(YieldError::EpochMarkMissing)?;
            rolled = pool.roll(mark, now_epoch)?;
            require!(mark.rolled, YieldError::InconsistentState);
            let late = earned(self.pending_units, mark.accumulator_at_start, pool.accumulator).ok_or(overflow)?;
            owed = owed.checked_add(late).ok_or(overflow)?;
            self.active_units = self.active_units.checked_add(self.pending_units).ok_or(overflow)?;
            self.leave(mark)?;
        }
        self.accumulator_snapshot = pool.accumulator;
        self.owed_units = self.owed_units.checked_add(owed).ok_or(overflow)?;
        Ok(rolled)
    }

    /// Adds stake that waits for `target`'s epoch. Stake that still waits for an earlier one waits anew with it, because a position
    /// has one place for pending stake: who does not want that stakes from another wallet or an epoch later. Active stake is never touched.
    /// Settle first. `earlier` is the mark of the earlier epoch, and not needed when there is none.
    pub fn stake(
        &mut self,
        pool: &mut Pool,
        target: &mut EpochMark,
        earlier: Option<&mut EpochMark>,
        units: u64,
    ) -> Result<()> {
        let overflow = YieldError::ArithmeticOverflow;
        let mut added = units;
        if self.pending_units > 0 && self.pending_epoch != target.epoch {
            let earlier = earlier
                .filter(|mark| mark.epoch == self.pending_epoch)
                .ok_or(YieldError::EpochMarkMissing)?;
            added = added.checked_add(self.pending_units).ok_or(overflow)?;
            pool.remove_pending(earlier, self.pending_units)?;
            self.leave(earlier)?;
        }
        if self.pending_units == 0 {
            target.open_positions = target.open_positions.checked_add(1).ok_or(overflow)?;
        }
        pool.add_pending(target, added)?;
        self.pending_epoch = target.epoch;
        self.pending_units = self.pending_units.checked_add(added).ok_or(overflow)?;
        pool.staked_units = pool.staked_units.checked_add(units).ok_or(overflow)?;
        Ok(())
    }

    /// Takes stake out, first what does not earn yet. Settle first. `mark` is the one of the pending stake, and not needed when there is none.
    pub fn unstake(&mut self, pool: &mut Pool, mark: Option<&mut EpochMark>, units: u64) -> Result<()> {
        let inconsistent = YieldError::InconsistentState;
        let from_pending = units.min(self.pending_units);
        let from_active = units.saturating_sub(from_pending);
        self.active_units = self
            .active_units
            .checked_sub(from_active)
            .ok_or(YieldError::StakeTooSmall)?;
        if from_pending > 0 {
            let mark = mark
                .filter(|mark| mark.epoch == self.pending_epoch)
                .ok_or(YieldError::EpochMarkMissing)?;
            pool.remove_pending(mark, from_pending)?;
            if from_pending == self.pending_units {
                self.leave(mark)?;
            } else {
                self.pending_units = self.pending_units.checked_sub(from_pending).ok_or(inconsistent)?;
            }
        }
        pool.active_units = pool.active_units.checked_sub(from_active).ok_or(inconsistent)?;
        pool.staked_units = pool.staked_units.checked_sub(units).ok_or(inconsistent)?;
        Ok(())
    }

    /// Hands out what was settled.
    pub fn take_owed(&mut self, pool: &mut Pool) -> Result<u64> {
        let units = self.owed_units;
        pool.owed_units = pool
            .owed_units
            .checked_sub(units)
            .ok_or(YieldError::InconsistentState)?;
        self.owed_units = 0;
        Ok(units)
    }

    /// No longer waits for `mark`'s epoch.
    fn leave(&mut self, mark: &mut EpochMark) -> Result<()> {
        mark.open_positions = mark
            .open_positions
            .checked_sub(1)
            .ok_or(YieldError::InconsistentState)?;
        self.pending_units = 0;
        self.pending_epoch = 0;
        Ok(())
    }
}
