//! Money with a notice on part of it.

use imo_protocol::Now;
use revenue_escrow::errors::RevenueEscrowError as Error;

use super::{Code, time::Due};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Funds {
    pub counted: u64,
    pub leaving: u64,
    pub due: Option<Due>,
}

impl Funds {
    pub fn total(&self) -> u64 {
        self.counted + self.leaving
    }

    /// A notice that nobody used in time is none.
    pub fn lapse(&mut self, now: &Now) {
        if self.due.is_some_and(|due| due.has_lapsed(now)) {
            self.cancel();
        }
    }

    fn cancel(&mut self) {
        *self = Self {
            counted: self.total(),
            ..Self::default()
        };
    }

    /// Takes what nobody announced to leave.
    pub fn take(&mut self, units: u64, now: &Now) -> Result<(), Code> {
        self.lapse(now);
        self.counted = self.counted.checked_sub(units).ok_or(Error::NotEnoughFunds)?;
        Ok(())
    }

    /// Takes of all there is, what is announced to leave first.
    pub fn collect(&mut self, units: u64, now: &Now) -> Result<(), Code> {
        self.lapse(now);
        let rest = units.saturating_sub(self.leaving);
        self.counted = self.counted.checked_sub(rest).ok_or(Error::NotEnoughFunds)?;
        self.leaving -= units - rest;
        if self.leaving == 0 {
            self.due = None;
        }
        Ok(())
    }

    pub fn announce(&mut self, units: u64, notice: u64, now: &Now) -> Result<(), Code> {
        self.cancel();
        self.counted = self.counted.checked_sub(units).ok_or(Error::NotEnoughFunds)?;
        self.leaving = units;
        self.due = (units > 0).then(|| Due::after(now, notice));
        Ok(())
    }

    pub fn leave(&mut self, now: &Now) -> Result<u64, Code> {
        self.lapse(now);
        let due = self.due.filter(|_| self.leaving > 0).ok_or(Error::NoNotice)?;
        if !due.is_past(now) {
            return Err(Error::NoticeNotDue.into());
        }
        self.due = None;
        Ok(std::mem::take(&mut self.leaving))
    }
}
