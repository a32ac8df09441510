use anchor_lang::prelude::*;

use super::EpochMark;
use crate::{
    constants::ACTIVATION_EPOCHS,
    errors::YieldError,
    math::{
        accumulator::{HolderShares, earned, share_holders},
        redemption::redemption_units,
    },
};

/// Seeds: `"pool", model`.
pub const POOL_SEED: &[u8] = b"pool";
/// Seeds of the account that holds the staked tokens: `"stake_vault", pool`.
pub const STAKE_VAULT_SEED: &[u8] = b"stake_vault";
/// Seeds of the account that holds the revenue: `"revenue_vault", pool`.
pub const REVENUE_VAULT_SEED: &[u8] = b"revenue_vault";

/// Stake that waits for one epoch. Empty when `units` is 0.
#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingBucket {
    /// The epoch with which the stake becomes active.
    pub epoch: u64,
    /// In units of the token.
    pub units: u64,
}

/// Staked tokens and revenue of one model.
#[account]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Pool {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The model.
    pub model: Pubkey,
    /// The model's token.
    pub token_mint: Pubkey,
    /// The mint of the model's revenue.
    pub revenue_mint: Pubkey,
    /// Canonical bump of the stake vault.
    pub stake_vault_bump: u8,
    /// Canonical bump of the revenue vault.
    pub revenue_vault_bump: u8,
    /// What a token unit that was staked all along has earned, in units of revenue times 2^64.
    pub accumulator: u128,
    /// Stake and vesting tokens that earn, in units of the token.
    pub active_units: u64,
    /// All stake, in units of the token: what the stake vault owes.
    pub staked_units: u64,
    /// Stake that does not earn yet. A stake waits for the next epoch but one, and whoever stakes rolls what is due, so that two suffice.
    pub pending: [PendingBucket; 2],
    /// Yield promised and not paid, in units of revenue. With `redeem_units` what the revenue vault owes.
    pub owed_units: u64,
    /// What burning tokens pays from, in units of revenue.
    pub redeem_units: u64,
    /// Length of an epoch, in slots.
    pub epoch_slots: u64,
    /// The part of `active_units` that vests: in the offering's token vault, neither released nor burned, in units of the token.
    pub vesting_units: u64,
    /// Zero.
    pub reserved: [u8; 24],
}

const _: () = assert!(Pool::INIT_SPACE == 220);

impl Pool {
    /// The epoch that a slot is in.
    pub fn epoch_at(&self, slot: u64) -> Result<u64> {
        slot.checked_div(self.epoch_slots)
            .ok_or(error!(YieldError::InconsistentState))
    }

    /// The epoch with which a stake made in `now_epoch` becomes active.
    pub fn activation_epoch(now_epoch: u64) -> Result<u64> {
        now_epoch
            .checked_add(ACTIVATION_EPOCHS)
            .ok_or(error!(YieldError::ArithmeticOverflow))
    }

    /// What the revenue vault owes.
    pub fn revenue_owed_units(&self) -> Result<u64> {
        self.owed_units
            .checked_add(self.redeem_units)
            .ok_or(error!(YieldError::ArithmeticOverflow))
    }

    /// Whether stake waits for `epoch`.
    pub fn is_pending(&self, epoch: u64) -> bool {
        self.pending
            .iter()
            .any(|bucket| bucket.units > 0 && bucket.epoch == epoch)
    }

    /// Makes the stake of `mark`'s epoch active, if that has begun and it is not yet. Every deposit does so first; therefore, as long
    /// as it has not happened, nothing was deposited since the epoch began, and the accumulator is the one of its beginning.
    /// Returns whether anything changed.
    pub fn roll(&mut self, mark: &mut EpochMark, now_epoch: u64) -> Result<bool> {
        let due =
            |bucket: &&mut PendingBucket| bucket.units > 0 && bucket.epoch == mark.epoch && bucket.epoch <= now_epoch;
        let Some(bucket) = self.pending.iter_mut().find(due) else {
            return Ok(false);
        };
        require!(
            !mark.rolled && mark.units == bucket.units,
            YieldError::InconsistentState
        );
        self.active_units = self
            .active_units
            .checked_add(bucket.units)
            .ok_or(YieldError::ArithmeticOverflow)?;
        *bucket = PendingBucket::default();
        mark.accumulator_at_start = self.accumulator;
        mark.rolled = true;
        Ok(true)
    }

    /// Refuses while stake that is due has not been rolled, because its mark was not given.
    pub fn require_rolled(&self, now_epoch: u64) -> Result<()> {
        let due = self
            .pending
            .iter()
            .any(|bucket| bucket.units > 0 && bucket.epoch <= now_epoch);
        require!(!due, YieldError::EpochMarkMissing);
        Ok(())
    }

    /// Adds stake that waits for `mark`'s epoch.
    pub fn add_pending(&mut self, mark: &mut EpochMark, units: u64) -> Result<()> {
        require!(!mark.rolled, YieldError::InconsistentState);
        let same = self
            .pending
            .iter()
            .position(|bucket| bucket.units > 0 && bucket.epoch == mark.epoch);
        let place = same.or_else(|| self.pending.iter().position(|bucket| bucket.units == 0));
        let bucket = place
            .and_then(|place| self.pending.get_mut(place))
            .ok_or(YieldError::InconsistentState)?;
        let units = bucket.units.checked_add(units).ok_or(YieldError::ArithmeticOverflow)?;
        *bucket = PendingBucket {
            epoch: mark.epoch,
            units,
        };
        mark.units = units;
        Ok(())
    }

    /// Takes stake back that waits for `mark`'s epoch.
    pub fn remove_pending(&mut self, mark: &mut EpochMark, units: u64) -> Result<()> {
        let waiting = |bucket: &&mut PendingBucket| bucket.units > 0 && bucket.epoch == mark.epoch;
        let bucket = self
            .pending
            .iter_mut()
            .find(waiting)
            .ok_or(YieldError::InconsistentState)?;
        let left = bucket.units.checked_sub(units).ok_or(YieldError::InconsistentState)?;
        *bucket = if left > 0 {
            PendingBucket {
                epoch: mark.epoch,
                units: left,
            }
        } else {
            PendingBucket::default()
        };
        mark.units = left;
        Ok(())
    }

    /// Books a deposit. What was due must have been rolled before. With a supply of zero nobody can claim or redeem any more: all of
    /// it is booked to the redeem pool and stays there, so that a deposit never fails.
    pub fn credit(&mut self, holders_units: u64, redeem_units: u64, supply_units: u64) -> Result<HolderShares> {
        let shares = share_holders(holders_units, self.active_units, supply_units, self.accumulator);
        let HolderShares {
            stakers_units,
            redeem_units: unstaked_units,
            accumulator,
        } = shares;
        let overflow = YieldError::ArithmeticOverflow;
        self.accumulator = accumulator;
        self.owed_units = self.owed_units.checked_add(stakers_units).ok_or(overflow)?;
        self.redeem_units = self
            .redeem_units
            .checked_add(redeem_units)
            .and_then(|sum| sum.checked_add(unstaked_units))
            .ok_or(overflow)?;
        Ok(shares)
    }

    /// Counts `units` less as vesting: they were released or burned, or were nobody's.
    pub fn remove_vesting(&mut self, units: u64) -> Result<()> {
        let inconsistent = YieldError::InconsistentState;
        self.vesting_units = self.vesting_units.checked_sub(units).ok_or(inconsistent)?;
        self.active_units = self.active_units.checked_sub(units).ok_or(inconsistent)?;
        Ok(())
    }

    /// Takes back what was promised for `units` that the pool counted as vesting from its beginning and that turn out to be nobody's: their yield goes to
    /// the redeem pool, and they earn no more. Returns the yield.
    pub fn forfeit_vesting(&mut self, units: u64) -> Result<u64> {
        let yield_units = earned(units, 0, self.accumulator).ok_or(YieldError::ArithmeticOverflow)?;
        self.remove_vesting(units)?;
        self.owed_units = self
            .owed_units
            .checked_sub(yield_units)
            .ok_or(YieldError::InconsistentState)?;
        self.add_redeem(yield_units)?;
        Ok(yield_units)
    }

    /// Books money for the redeem pool, which comes into the revenue vault in the same instruction or is there already.
    pub fn add_redeem(&mut self, units: u64) -> Result<()> {
        self.redeem_units = self
            .redeem_units
            .checked_add(units)
            .ok_or(YieldError::ArithmeticOverflow)?;
        Ok(())
    }

    /// Books the burning of tokens out of a supply of `supply_units` before it. Returns what it pays.
    pub fn redeem(&mut self, burned_units: u64, supply_units: u64) -> Result<u64> {
        let paid_units =
            redemption_units(self.redeem_units, burned_units, supply_units).ok_or(YieldError::InconsistentState)?;
        require!(paid_units > 0, YieldError::RedeemsNothing);
        self.redeem_units = self
            .redeem_units
            .checked_sub(paid_units)
            .ok_or(YieldError::InconsistentState)?;
        Ok(paid_units)
    }
}
