//! Yield and redemption. The rate is told deposit by deposit, without marks and without rolling.

use std::collections::BTreeSet;

use model_token::errors::ModelTokenError;
use yield_distributor::errors::YieldError as Error;

use super::{Code, HOLDERS, Ledger, NOT_THERE};

#[derive(Clone, Debug)]
pub struct Pool {
    pub epoch_slots: u64,
    /// Units of revenue that a staked token unit earned since the beginning, times 2^64.
    pub rate: u128,
    /// After each deposit: its epoch, and the rate.
    history: Vec<(u64, u128)>,
    /// Promised to stakers and not paid.
    pub owed: u64,
    pub redeem: u64,
    /// Tokens in existence.
    pub supply: u64,
    pub positions: [Option<Position>; HOLDERS],
    /// Epochs that somebody made a mark for.
    pub marks: BTreeSet<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct Position {
    pub active: u64,
    pub pending: u64,
    /// When the pending stake begins to earn.
    pub epoch: u64,
    /// The rate up to which the active stake is settled.
    rate: u128,
    pub owed: u64,
}

impl Pool {
    pub fn new(epoch_slots: u64, supply: u64) -> Self {
        Self {
            epoch_slots,
            rate: 0,
            history: Vec::new(),
            owed: 0,
            redeem: 0,
            supply,
            positions: [None, None],
            marks: BTreeSet::new(),
        }
    }

    pub fn epoch(&self, slot: u64) -> u64 {
        slot / self.epoch_slots
    }

    pub fn staked(&self) -> u64 {
        let positions = self.positions.iter().flatten();
        positions.map(|position| position.active + position.pending).sum()
    }

    /// The rate when an epoch began.
    fn rate_at(&self, epoch: u64) -> u128 {
        let before = self.history.iter().rev().find(|(deposited, _)| *deposited < epoch);
        before.map_or(0, |(_, rate)| *rate)
    }

    pub(super) fn deposit(&mut self, slot: u64, holders: u64, redeem: u64) {
        let epoch = self.epoch(slot);
        let positions = self.positions.iter().flatten();
        let active: u64 = positions
            .map(|position| position.active + if position.epoch <= epoch { position.pending } else { 0 })
            .sum();
        let mut stakers = 0;
        if active > 0 && self.supply > 0 {
            let rate = (u128::from(holders) << 64) / u128::from(self.supply);
            stakers = u64::try_from((u128::from(active) * rate).div_ceil(1 << 64)).expect("a part");
            self.rate += rate;
        }
        self.history.push((epoch, self.rate));
        self.owed += stakers;
        self.redeem += redeem + holders - stakers;
    }

    fn settle(&mut self, holder: usize, slot: u64) {
        let epoch = self.epoch(slot);
        let begun = self.positions[holder]
            .as_ref()
            .map_or(0, |position| self.rate_at(position.epoch));
        let Some(position) = &mut self.positions[holder] else {
            return;
        };
        let earned = |units: u64, from: u128| ((u128::from(units) * (self.rate - from)) >> 64) as u64;
        position.owed += earned(position.active, position.rate);
        if position.pending > 0 && position.epoch <= epoch {
            position.owed += earned(position.pending, begun);
            position.active += std::mem::take(&mut position.pending);
            position.epoch = 0;
        }
        position.rate = self.rate;
    }
}

impl Ledger {
    pub fn stake(&mut self, holder: usize, units: u64) -> Result<(), Code> {
        let (key, slot) = (self.people.holders[holder], self.now.slot);
        if self.is_paused() {
            return Err(ModelTokenError::Paused.into());
        }
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        let tokens = self.tokens.entry(key).or_default();
        *tokens = tokens.checked_sub(units).ok_or(Error::NotEnoughTokens)?;
        self.pool.settle(holder, slot);
        let (rate, epoch) = (self.pool.rate, self.pool.epoch(slot) + 2);
        let position = self.pool.positions[holder].get_or_insert(Position {
            rate,
            ..Position::default()
        });
        position.pending += units;
        position.epoch = epoch;
        self.pool.marks.insert(epoch);
        Ok(())
    }

    pub fn unstake(&mut self, holder: usize, units: u64) -> Result<(), Code> {
        let (key, slot) = (self.people.holders[holder], self.now.slot);
        if self.pool.positions[holder].is_none() {
            return Err(NOT_THERE);
        }
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        self.pool.settle(holder, slot);
        let position = self.pool.positions[holder].as_mut().ok_or(NOT_THERE)?;
        let waiting = units.min(position.pending);
        position.active = position
            .active
            .checked_sub(units - waiting)
            .ok_or(Error::StakeTooSmall)?;
        position.pending -= waiting;
        if position.pending == 0 {
            position.epoch = 0;
        }
        *self.tokens.entry(key).or_default() += units;
        Ok(())
    }

    pub fn claim(&mut self, holder: usize) -> Result<(), Code> {
        let (key, slot) = (self.people.holders[holder], self.now.slot);
        self.pool.settle(holder, slot);
        let position = self.pool.positions[holder].as_mut().ok_or(NOT_THERE)?;
        let units = std::mem::take(&mut position.owed);
        self.pool.owed -= units;
        self.pay(&key, units);
        Ok(())
    }

    pub fn redeem(&mut self, holder: usize, units: u64) -> Result<(), Code> {
        let key = self.people.holders[holder];
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        let tokens = self.tokens.entry(key).or_default();
        *tokens = tokens.checked_sub(units).ok_or(Error::NotEnoughTokens)?;
        let paid = u128::from(self.pool.redeem) * u128::from(units) / u128::from(self.pool.supply);
        let paid = u64::try_from(paid).expect("a part fits");
        if paid == 0 {
            return Err(Error::RedeemsNothing.into());
        }
        self.pool.redeem -= paid;
        self.pool.supply -= units;
        self.pay(&key, paid);
        Ok(())
    }

    pub fn close_position(&mut self, holder: usize) -> Result<(), Code> {
        let position = self.pool.positions[holder].as_ref().ok_or(NOT_THERE)?;
        if position.active > 0 || position.pending > 0 || position.owed > 0 {
            return Err(Error::PositionNotEmpty.into());
        }
        self.pool.positions[holder] = None;
        Ok(())
    }

    pub fn close_epoch_mark(&mut self, epoch: u64) -> Result<(), Code> {
        if !self.pool.marks.contains(&epoch) {
            return Err(NOT_THERE);
        }
        let mut positions = self.pool.positions.iter().flatten();
        if positions.any(|position| position.pending > 0 && position.epoch == epoch) {
            return Err(Error::EpochMarkInUse.into());
        }
        self.pool.marks.remove(&epoch);
        Ok(())
    }
}
