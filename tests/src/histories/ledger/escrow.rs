//! Credits, lanes, sessions, and what is collected from them.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use revenue_escrow::errors::RevenueEscrowError as Error;

use super::{
    Code, IN_USE, Ledger, NOT_THERE, OPERATORS,
    funds::Funds,
    stake::Status,
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

#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// What stands; what is retracted and not refunded; what was paid for that and is not shared or given back.
    pub units: u64,
    pub retracted: u64,
    pub fees: u64,
    pub split: bool,
    /// By payer.
    pub collections: BTreeMap<usize, Collection>,
}

#[derive(Clone, Debug)]
pub struct Collection {
    pub units: u64,
    pub first: u64,
    pub count: u64,
    pub retracted: bool,
    pub fee: u64,
}

impl Bucket {
    pub fn total(&self) -> u64 {
        self.units + self.retracted + self.fees
    }
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
    fn credit(&mut self, payer: usize) -> Result<&mut Credit, Code> {
        self.credits[payer].as_mut().ok_or(NOT_THERE)
    }

    fn lane(&mut self, payer: usize, operator: usize) -> Result<&mut Lane, Code> {
        self.credit(payer)?.lanes[operator].as_mut().ok_or(NOT_THERE)
    }

    fn session(&mut self, payer: usize) -> Result<&mut Session, Code> {
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

    pub fn collect(&mut self, payer: usize, report: usize, voucher: &Voucher) -> Result<(), Code> {
        let now = self.now;
        let operator = self.reports[report].operator;
        if self.reports[report].closed {
            return Err(NOT_THERE);
        }
        self.lane(payer, operator)?;
        self.session(payer)?;
        let reported = &self.reports[report];
        let bucket = reported.bucket.as_ref().ok_or(NOT_THERE)?;
        if bucket.collections.contains_key(&payer) {
            return Err(IN_USE);
        }
        if reported.status != Status::Open {
            return Err(Error::ReportNotOpen.into());
        }
        if reported.seal_by.is_past(&now) {
            return Err(Error::ReportSealDue.into());
        }
        let max_collect = reported.max_collect;
        let bucket_units = bucket.units + bucket.retracted;
        let session = self.session(payer)?;
        if session.revoked.is_some_and(|due| due.is_past(&now)) {
            return Err(Error::SessionRevoked.into());
        }
        if session.expires_unix < voucher.expires_unix {
            return Err(Error::VoucherOutlivesSession.into());
        }
        if is_expired(&now, voucher.expires_unix) {
            return Err(Error::VoucherExpired.into());
        }
        if session.generation != voucher.session_generation {
            return Err(imo_protocol::errors::ProtocolError::WrongMessage.into());
        }
        let lane = self.lane(payer, operator)?;
        if lane.generation != voucher.lane_generation {
            return Err(imo_protocol::errors::ProtocolError::WrongMessage.into());
        }
        let (first, before) = (lane.collected_count, lane.collected_units);
        if voucher.count <= first {
            return Err(Error::NothingToCollect.into());
        }
        if voucher.units <= before {
            return Err(Error::NoAmountToCollect.into());
        }
        let units = voucher.units - before;
        lane.funds.collect(units, &now)?;
        lane.collected_units = voucher.units;
        lane.collected_count = voucher.count;
        let session = self.session(payer)?;
        session.spent += units;
        if session.spent > session.limit {
            return Err(Error::SessionLimit.into());
        }
        if bucket_units + units > max_collect {
            return Err(Error::BondExceeded.into());
        }
        self.credit(payer)?.collections += 1;
        let bucket = self.bucket(report)?;
        bucket.units += units;
        let collection = Collection {
            units,
            first,
            count: voucher.count - first,
            retracted: false,
            fee: 0,
        };
        bucket.collections.insert(payer, collection);
        Ok(())
    }

    fn bucket(&mut self, report: usize) -> Result<&mut Bucket, Code> {
        self.reports[report].bucket.as_mut().ok_or(NOT_THERE)
    }

    pub fn split(&mut self, report: usize) -> Result<(), Code> {
        if self.reports[report].closed {
            return Err(NOT_THERE);
        }
        let status = self.reports[report].status;
        let operator = self.people.operators[self.reports[report].operator];
        let bucket = self.bucket(report)?;
        if status != Status::Final {
            return Err(Error::ReportNotFinal.into());
        }
        if bucket.split {
            return Err(Error::AlreadySplit.into());
        }
        bucket.split = true;
        let units = std::mem::take(&mut bucket.units);
        let fees = std::mem::take(&mut bucket.fees);
        let split = self.split;
        // The operator has no part of what it paid itself.
        let others = u128::from(10_000 - split.operator_bps);
        let fee_part = |bps: u16| u64::try_from(u128::from(fees) * u128::from(bps) / others).expect("a part fits");
        let [redeem, developer, protocol, contributed] = [
            split.redeem_bps,
            split.developer_bps,
            split.protocol_bps,
            split.contributors_bps,
        ]
        .map(|bps| Self::share(units, bps) + fee_part(bps));
        let operated = Self::share(units, split.operator_bps);
        let holders = units + fees - redeem - developer - operated - protocol - contributed;
        self.contributed += contributed;
        self.paid_to_others += holders + redeem + protocol;
        let people = [
            (self.people.developer, developer),
            (operator, operated),
            (self.people.treasury, protocol),
        ];
        // Nothing is made or moved for nothing.
        for (whom, earned) in people.into_iter().filter(|(_, earned)| *earned > 0) {
            *self.earnings.entry(whom).or_default() += earned;
        }
        if holders + redeem > 0 {
            let slot = self.now.slot;
            self.pool.deposit(slot, holders, redeem);
        }
        Ok(())
    }

    /// The operator takes a collection back and pays what the others would have got.
    pub fn announce_retraction(&mut self, report: usize, payer: usize) -> Result<(), Code> {
        let split = self.split;
        let reported = &mut self.reports[report];
        if reported.closed {
            return Err(NOT_THERE);
        }
        let bucket = reported.bucket.as_mut().ok_or(NOT_THERE)?;
        let collection = bucket.collections.get_mut(&payer).ok_or(NOT_THERE)?;
        if matches!(reported.status, Status::Final | Status::Rejected) {
            return Err(Error::TooLateToRetract.into());
        }
        if reported.disputes > 0 || reported.demands_made > 0 {
            return Err(Error::ReportIsChallenged.into());
        }
        if collection.retracted {
            return Err(Error::AlreadyRetracted.into());
        }
        collection.retracted = true;
        collection.fee = collection.units - Self::share(collection.units, split.operator_bps);
        bucket.units -= collection.units;
        bucket.retracted += collection.units;
        bucket.fees += collection.fee;
        let (fee, operator) = (collection.fee, self.people.operators[reported.operator]);
        self.charge(&operator, fee)
    }

    pub fn refund(&mut self, report: usize, payer: usize) -> Result<(), Code> {
        let settled = self.reports[report].is_settled();
        let status = self.reports[report].status;
        if self.reports[report].closed {
            return Err(NOT_THERE);
        }
        let bucket = self.bucket(report)?;
        let collection = bucket.collections.get_mut(&payer).ok_or(NOT_THERE)?;
        if status != Status::Rejected && !(status == Status::Final && collection.retracted) {
            return Err(Error::ReportNotRejected.into());
        }
        if collection.units == 0 {
            return Err(Error::AlreadyRefunded.into());
        }
        let units = std::mem::take(&mut collection.units);
        // Of a report that is final the split shares the fee.
        let fee = match status {
            Status::Final => 0,
            _ => std::mem::take(&mut collection.fee),
        };
        let counted = match collection.retracted {
            true => &mut bucket.retracted,
            false => &mut bucket.units,
        };
        *counted -= units;
        bucket.fees -= fee;
        if settled {
            bucket.collections.remove(&payer);
        }
        let credit = self.credit(payer)?;
        credit.funds.counted += units + fee;
        credit.collections -= u32::from(settled);
        Ok(())
    }

    pub fn close_collection(&mut self, report: usize, payer: usize) -> Result<(), Code> {
        let settled = self.reports[report].is_settled();
        if self.reports[report].closed {
            return Err(NOT_THERE);
        }
        let bucket = self.bucket(report)?;
        let collection = bucket.collections.get(&payer).ok_or(NOT_THERE)?;
        let is_refunded = collection.units == 0 && settled;
        if (!bucket.split || collection.retracted) && !is_refunded {
            return Err(Error::CollectionNeeded.into());
        }
        bucket.collections.remove(&payer);
        self.credit(payer)?.collections -= 1;
        Ok(())
    }

    pub fn close_bucket(&mut self, report: usize) -> Result<(), Code> {
        let has_ended = self.reports[report].has_ended();
        let bucket = self.bucket(report)?;
        if !has_ended {
            return Err(Error::ReportNotEnded.into());
        }
        if !bucket.collections.is_empty() {
            return Err(Error::BucketInUse.into());
        }
        if bucket.total() > 0 {
            return Err(Error::NotEmpty.into());
        }
        self.reports[report].bucket = None;
        Ok(())
    }

    pub fn withdraw_contribution(&mut self, index: usize) -> Result<(), Code> {
        if self.contributed == 0 {
            return Err(NOT_THERE);
        }
        let (whom, bps) = self.contributors[index];
        let earned = u128::from(self.contributed) * u128::from(bps) / u128::from(self.split.contributors_bps);
        let paid = &mut self.contributors_paid[index];
        let units = u64::try_from(earned).expect("a part fits") - *paid;
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        *paid += units;
        self.pay(&whom, units);
        Ok(())
    }

    pub fn withdraw_earnings(&mut self, whom: &Pubkey) -> Result<(), Code> {
        let owed = self.earnings.get_mut(whom).ok_or(NOT_THERE)?;
        if *owed == 0 {
            return Err(Error::AmountIsZero.into());
        }
        let units = std::mem::take(owed);
        self.pay(whom, units);
        Ok(())
    }
}
