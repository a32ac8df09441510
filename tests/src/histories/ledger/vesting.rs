//! The yield of tokens that vest: they earn from the beginning, whoever they will be.

use yield_distributor::errors::YieldError as Error;

use super::{
    Code, HOLDERS, IN_USE, Ledger, NOT_THERE,
    pool::{Pool, earned},
};

#[derive(Clone, Copy, Debug, Default)]
pub struct Vesting {
    pub units: u64,
    /// The rate up to which its yield is counted.
    rate: u128,
    pub owed: u64,
}

impl Vesting {
    /// So many tokens, which have earned from the beginning.
    pub(super) fn of(units: u64) -> Self {
        Self {
            units,
            ..Self::default()
        }
    }

    fn settle(&mut self, rate: u128) {
        self.owed += earned(self.units, self.rate, rate);
        self.rate = rate;
    }
}

impl Pool {
    fn vesting(&mut self, whose: usize) -> Result<&mut Vesting, Code> {
        self.vestings[whose].as_mut().ok_or(NOT_THERE)
    }

    /// So many of a vesting's tokens vest no longer.
    pub(super) fn release(&mut self, whose: usize, units: u64) -> Result<(), Code> {
        let rate = self.rate;
        let vesting = self.vesting(whose)?;
        vesting.settle(rate);
        vesting.units -= units;
        self.vesting -= units;
        Ok(())
    }

    /// The developer's tokens that are left are burned; what they earned stays theirs.
    pub(super) fn forfeit_developer(&mut self, units: u64) {
        if units > 0 {
            self.release(HOLDERS, units).expect("the developer has tokens left");
        }
    }

    /// Tokens that counted as vesting and are nobody's: what they earned is everybody's.
    pub(super) fn forfeit_unclaimed(&mut self, units: u64) {
        let owed = earned(units, 0, self.rate);
        self.vesting -= units;
        self.owed -= owed;
        self.redeem += owed;
    }
}

impl Ledger {
    pub fn open_vesting(&mut self, holder: usize) -> Result<(), Code> {
        let commitment = self.offering()?.commitments[holder].ok_or(NOT_THERE)?;
        let pool = self.pool()?;
        if pool.vestings[holder].is_some() {
            return Err(IN_USE);
        }
        if !commitment.claimed {
            return Err(Error::CommitmentUnclaimed.into());
        }
        pool.vestings[holder] = Some(Vesting::of(commitment.left()));
        Ok(())
    }

    /// A holder's, or the present developer's.
    pub fn claim_vesting(&mut self, whose: usize) -> Result<(), Code> {
        let payee = match self.people.holders.get(whose) {
            Some(holder) => *holder,
            None => self.developer(),
        };
        let pool = self.pool()?;
        let rate = pool.rate;
        let vesting = pool.vesting(whose)?;
        vesting.settle(rate);
        let units = std::mem::take(&mut vesting.owed);
        pool.owed -= units;
        self.pay(&payee, units);
        Ok(())
    }

    pub fn close_vesting(&mut self, whose: usize) -> Result<(), Code> {
        let vesting = self.pool()?.vesting(whose)?;
        if vesting.units > 0 || vesting.owed > 0 {
            return Err(Error::VestingNotEmpty.into());
        }
        self.pool()?.vestings[whose] = None;
        Ok(())
    }
}
