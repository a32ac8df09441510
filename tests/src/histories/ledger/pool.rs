//! Yield and redemption. The rate is told deposit by deposit, without marks and without rolling.

use std::collections::BTreeSet;

use anchor_lang::prelude::Pubkey;
use model_token::errors::ModelTokenError;
use yield_distributor::errors::YieldError as Error;

use super::{Code, HOLDERS, IN_USE, Ledger, NOT_THERE, Offering, Sale, vesting::Vesting};

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
    pub positions: [Option<Position>; HOLDERS],
    /// Tokens that vest, and of these whose they are: the holders', then the developer's.
    pub vesting: u64,
    pub vestings: [Option<Vesting>; HOLDERS + 1],
    /// Who may claim for a holder, and where to.
    pub delegates: [Option<Delegate>; HOLDERS],
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delegate {
    pub delegate: Pubkey,
    /// Whose own account is paid.
    pub payee: Pubkey,
}

/// Who claims, and whose account is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimer {
    /// The holder, to anybody's account.
    Owner(Pubkey),
    /// The delegate that is set, to the account that is.
    Delegate,
    /// Somebody else by the delegation that is set.
    Stranger,
}

/// What so many tokens earned while the rate rose from one value to another.
pub(super) fn earned(units: u64, from: u128, to: u128) -> u64 {
    u64::try_from((u128::from(units) * (to - from)) >> 64).expect("nobody earns more than there is")
}

impl Pool {
    /// The pool of a model whose token was sold.
    fn new(epoch_slots: u64, offering: &Offering) -> Self {
        let developer = Vesting::of(offering.args.developer_units);
        Self {
            epoch_slots,
            rate: 0,
            history: Vec::new(),
            owed: 0,
            redeem: 0,
            positions: [None, None],
            vesting: offering.vesting(),
            vestings: [None, None, Some(developer).filter(|vesting| vesting.units > 0)],
            delegates: [None; HOLDERS],
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

    /// Tokens that earn now: what is staked and has begun to, and what vests.
    pub fn active(&self, slot: u64) -> u64 {
        let epoch = self.epoch(slot);
        let positions = self.positions.iter().flatten();
        let staked: u64 = positions
            .map(|position| position.active + if position.epoch <= epoch { position.pending } else { 0 })
            .sum();
        staked + self.vesting
    }

    /// Revenue for the holders of so many tokens.
    pub(super) fn deposit(&mut self, slot: u64, supply: u64, holders: u64, redeem: u64) {
        let (epoch, active) = (self.epoch(slot), self.active(slot));
        let mut stakers = 0;
        if active > 0 && supply > 0 {
            let rate = (u128::from(holders) << 64) / u128::from(supply);
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
        position.owed += earned(position.active, position.rate, self.rate);
        if position.pending > 0 && position.epoch <= epoch {
            position.owed += earned(position.pending, begun, self.rate);
            position.active += std::mem::take(&mut position.pending);
            position.epoch = 0;
        }
        position.rate = self.rate;
    }
}

impl Ledger {
    pub(super) fn pool(&mut self) -> Result<&mut Pool, Code> {
        self.pool.as_mut().ok_or(NOT_THERE)
    }

    fn position(&mut self, holder: usize) -> Result<&mut Position, Code> {
        self.pool()?.positions[holder].as_mut().ok_or(NOT_THERE)
    }

    pub fn create_pool(&mut self) -> Result<(), Code> {
        let offering = self.offering.as_ref().ok_or(NOT_THERE)?;
        // Before it has succeeded there is no mint.
        if offering.sale != Sale::Succeeded {
            return Err(NOT_THERE);
        }
        if self.pool.is_some() {
            return Err(IN_USE);
        }
        self.pool = Some(Pool::new(self.terms.epoch_slots, offering));
        Ok(())
    }

    pub fn stake(&mut self, holder: usize, units: u64) -> Result<(), Code> {
        let (key, slot) = (self.people.holders[holder], self.now.slot);
        self.pool()?;
        if self.is_paused() {
            return Err(ModelTokenError::Paused.into());
        }
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        let tokens = self.tokens.entry(key).or_default();
        *tokens = tokens.checked_sub(units).ok_or(Error::NotEnoughTokens)?;
        let pool = self.pool()?;
        pool.settle(holder, slot);
        let (rate, epoch) = (pool.rate, pool.epoch(slot) + 2);
        let position = pool.positions[holder].get_or_insert(Position {
            rate,
            ..Position::default()
        });
        position.pending += units;
        position.epoch = epoch;
        pool.marks.insert(epoch);
        Ok(())
    }

    pub fn unstake(&mut self, holder: usize, units: u64) -> Result<(), Code> {
        let (key, slot) = (self.people.holders[holder], self.now.slot);
        self.position(holder)?;
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        self.pool()?.settle(holder, slot);
        let position = self.position(holder)?;
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

    /// Takes what a holder has earned.
    fn take_yield(&mut self, holder: usize) -> Result<u64, Code> {
        let slot = self.now.slot;
        self.pool()?.settle(holder, slot);
        let units = std::mem::take(&mut self.position(holder)?.owed);
        self.pool()?.owed -= units;
        Ok(units)
    }

    pub fn claim(&mut self, holder: usize) -> Result<(), Code> {
        let key = self.people.holders[holder];
        let units = self.take_yield(holder)?;
        self.pay(&key, units);
        Ok(())
    }

    pub fn claim_to(&mut self, holder: usize, claimer: Claimer) -> Result<(), Code> {
        self.position(holder)?;
        let payee = match (claimer, self.pool()?.delegates[holder]) {
            (Claimer::Owner(payee), _) => payee,
            (Claimer::Delegate | Claimer::Stranger, None) => return Err(NOT_THERE),
            (Claimer::Delegate, Some(set)) => set.payee,
            (Claimer::Stranger, Some(_)) => return Err(Error::NotOwnerOrDelegate.into()),
        };
        let units = self.take_yield(holder)?;
        if units == 0 {
            return Err(Error::NothingToClaim.into());
        }
        self.pay(&payee, units);
        Ok(())
    }

    pub fn set_claim_delegate(&mut self, holder: usize, delegate: Delegate) -> Result<(), Code> {
        if delegate.delegate == Pubkey::default() {
            return Err(Error::NobodyDelegated.into());
        }
        self.pool()?.delegates[holder] = Some(delegate);
        Ok(())
    }

    pub fn revoke_claim_delegate(&mut self, holder: usize) -> Result<(), Code> {
        self.pool()?.delegates[holder].take().map(|_| ()).ok_or(NOT_THERE)
    }

    pub fn redeem(&mut self, holder: usize, units: u64) -> Result<(), Code> {
        let (key, supply) = (self.people.holders[holder], self.supply);
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        let tokens = self.tokens.entry(key).or_default();
        *tokens = tokens.checked_sub(units).ok_or(Error::NotEnoughTokens)?;
        let pool = self.pool()?;
        let paid = u128::from(pool.redeem) * u128::from(units) / u128::from(supply);
        let paid = u64::try_from(paid).expect("a part fits");
        if paid == 0 {
            return Err(Error::RedeemsNothing.into());
        }
        pool.redeem -= paid;
        self.supply -= units;
        self.pay(&key, paid);
        Ok(())
    }

    pub fn close_position(&mut self, holder: usize) -> Result<(), Code> {
        let position = self.position(holder)?;
        if position.active > 0 || position.pending > 0 || position.owed > 0 {
            return Err(Error::PositionNotEmpty.into());
        }
        self.pool()?.positions[holder] = None;
        Ok(())
    }

    pub fn close_epoch_mark(&mut self, epoch: u64) -> Result<(), Code> {
        let pool = self.pool()?;
        if !pool.marks.contains(&epoch) {
            return Err(NOT_THERE);
        }
        let mut positions = pool.positions.iter().flatten();
        if positions.any(|position| position.pending > 0 && position.epoch == epoch) {
            return Err(Error::EpochMarkInUse.into());
        }
        pool.marks.remove(&epoch);
        Ok(())
    }
}
