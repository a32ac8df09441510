//! Credits, lanes and sessions: what payers keep, and whom they let sign.

use revenue_escrow::errors::RevenueEscrowError as Error;

use super::{
    Code, IN_USE, Ledger, NOT_THERE, OPERATORS,
    funds::Funds,
    time::{Due, is_expired},
};

#[derive(Clone, Debug)]
pub struct Credit {
    pub generation: u64,
    pub funds: Funds,
    pub lanes: [Option<Lane>; OPERATORS],
    pub session: Option<Session>,
    pub collections: u32,
}

#[derive(Clone, Debug)]
pub struct Lane {
    pub generation: u64,
    pub funds: Funds,
    pub collected_units: u64,
    pub collected_count: u64,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub generation: u64,
    pub limit: u64,
    pub spent: u64,
    pub expires_unix: i64,
    pub revoked: Option<Due>,
}

/// What a session key signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    pub lane_generation: u64,
    pub session_generation: u64,
    pub units: u64,
    pub count: u64,
    pub expires_unix: i64,
}

impl Credit {
    pub fn reserved(&self) -> u64 {
        self.lanes.iter().flatten().map(|lane| lane.funds.total()).sum()
    }

    pub fn total(&self) -> u64 {
        self.funds.total() + self.reserved()
    }
}

impl Ledger {
    pub(super) fn credit(&mut self, payer: usize) -> Result<&mut Credit, Code> {
        self.credits[payer].as_mut().ok_or(NOT_THERE)
    }

    pub(super) fn lane(&mut self, payer: usize, operator: usize) -> Result<&mut Lane, Code> {
        self.credit(payer)?.lanes[operator].as_mut().ok_or(NOT_THERE)
    }

    pub(super) fn session(&mut self, payer: usize) -> Result<&mut Session, Code> {
        self.credit(payer)?.session.as_mut().ok_or(NOT_THERE)
    }

    pub fn open_credit(&mut self, payer: usize) -> Result<(), Code> {
        if self.credits[payer].is_some() {
            return Err(IN_USE);
        }
        if self.is_paused() {
            return Err(Error::Paused.into());
        }
        self.credits[payer] = Some(Credit {
            generation: self.now.slot,
            funds: Funds::default(),
            lanes: [None, None],
            session: None,
            collections: 0,
        });
        Ok(())
    }

    pub fn deposit_credit(&mut self, payer: usize, units: u64) -> Result<(), Code> {
        let key = self.people.payers[payer];
        let paused = self.is_paused();
        let credit = self.credit(payer)?;
        if paused {
            return Err(Error::Paused.into());
        }
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        credit.funds.counted += units;
        self.charge(&key, units)
    }

    pub fn request_withdraw(&mut self, payer: usize, units: u64) -> Result<(), Code> {
        let (now, notice) = (self.now, self.terms.notice_slots);
        self.credit(payer)?.funds.announce(units, notice, &now)
    }

    pub fn withdraw_credit(&mut self, payer: usize) -> Result<(), Code> {
        let now = self.now;
        let units = self.credit(payer)?.funds.leave(&now)?;
        let key = self.people.payers[payer];
        self.pay(&key, units);
        Ok(())
    }

    pub fn close_credit(&mut self, payer: usize) -> Result<(), Code> {
        let slot = self.now.slot;
        let credit = self.credit(payer)?;
        if slot <= credit.generation {
            return Err(Error::OpenedInThisSlot.into());
        }
        if credit.lanes.iter().any(Option::is_some) || credit.session.is_some() || credit.collections > 0 {
            return Err(Error::StillInUse.into());
        }
        if credit.total() > 0 {
            return Err(Error::NotEmpty.into());
        }
        self.credits[payer] = None;
        Ok(())
    }

    pub fn open_lane(&mut self, payer: usize, operator: usize, units: u64) -> Result<(), Code> {
        let (now, paused) = (self.now, self.is_paused());
        let credit = self.credit(payer)?;
        if credit.lanes[operator].is_some() {
            return Err(IN_USE);
        }
        if paused {
            return Err(Error::Paused.into());
        }
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        if !self.admits_work(operator) {
            return Err(Error::NotAppointed.into());
        }
        let credit = self.credit(payer)?;
        credit.funds.take(units, &now)?;
        credit.lanes[operator] = Some(Lane {
            generation: now.slot,
            funds: Funds {
                counted: units,
                ..Funds::default()
            },
            collected_units: 0,
            collected_count: 0,
        });
        Ok(())
    }

    pub fn fund_lane(&mut self, payer: usize, operator: usize, units: u64) -> Result<(), Code> {
        let now = self.now;
        self.lane(payer, operator)?;
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        self.credit(payer)?.funds.take(units, &now)?;
        let lane = self.lane(payer, operator)?;
        lane.funds.lapse(&now);
        lane.funds.counted += units;
        Ok(())
    }

    pub fn request_release(&mut self, payer: usize, operator: usize, units: u64) -> Result<(), Code> {
        let (now, notice) = (self.now, self.terms.notice_slots);
        self.lane(payer, operator)?.funds.announce(units, notice, &now)
    }

    pub fn release_lane(&mut self, payer: usize, operator: usize) -> Result<(), Code> {
        let now = self.now;
        let units = self.lane(payer, operator)?.funds.leave(&now)?;
        self.credit(payer)?.funds.counted += units;
        Ok(())
    }

    pub fn close_lane(&mut self, payer: usize, operator: usize) -> Result<(), Code> {
        let slot = self.now.slot;
        let lane = self.lane(payer, operator)?;
        if slot <= lane.generation {
            return Err(Error::OpenedInThisSlot.into());
        }
        if lane.funds.total() > 0 {
            return Err(Error::NotEmpty.into());
        }
        self.credit(payer)?.lanes[operator] = None;
        Ok(())
    }

    pub fn grant_session(&mut self, payer: usize, limit: u64, expires_unix: i64) -> Result<(), Code> {
        let now = self.now;
        let credit = self.credit(payer)?;
        if credit.session.is_some() {
            return Err(IN_USE);
        }
        if limit == 0 {
            return Err(Error::AmountIsZero.into());
        }
        if expires_unix <= now.unix {
            return Err(Error::ExpiryInThePast.into());
        }
        credit.session = Some(Session {
            generation: now.slot,
            limit,
            spent: 0,
            expires_unix,
            revoked: None,
        });
        Ok(())
    }

    pub fn revoke_session(&mut self, payer: usize) -> Result<(), Code> {
        let due = Due::after(&self.now, self.terms.notice_slots);
        let session = self.session(payer)?;
        if session.revoked.is_some() {
            return Err(Error::AlreadyRevoked.into());
        }
        session.revoked = Some(due);
        Ok(())
    }

    pub fn close_session(&mut self, payer: usize) -> Result<(), Code> {
        let now = self.now;
        let session = self.session(payer)?;
        if now.slot <= session.generation {
            return Err(Error::OpenedInThisSlot.into());
        }
        let revoked = session.revoked.is_some_and(|due| due.is_past(&now));
        if !revoked && !is_expired(&now, session.expires_unix) {
            return Err(Error::SessionStillLive.into());
        }
        self.credit(payer)?.session = None;
        Ok(())
    }
}
