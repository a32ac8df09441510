//! What is collected from lanes, and where it goes.

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use revenue_escrow::errors::RevenueEscrowError as Error;

use super::{Code, IN_USE, Ledger, NOT_THERE, Sale, UPSTREAM_CONTRIBUTOR, Voucher, stake::Status, time::is_expired};

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
    /// Its first receipt's number among all of the report.
    pub first_receipt: u64,
    pub retracted: bool,
    pub fee: u64,
}

impl Bucket {
    pub fn total(&self) -> u64 {
        self.units + self.retracted + self.fees
    }
}

impl Ledger {
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
        let count = voucher.count - first;
        let first_receipt = self.reports[report].receipts;
        self.reports[report].receipts += count;
        let bucket = self.bucket(report)?;
        bucket.units += units;
        let collection = Collection {
            units,
            first,
            count,
            first_receipt,
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
        if self.pool.is_none() && self.is_token_made() {
            return Err(Error::PoolMissing.into());
        }
        let bucket = self.bucket(report)?;
        bucket.split = true;
        let units = std::mem::take(&mut bucket.units);
        let fees = std::mem::take(&mut bucket.fees);
        let split = self.split;
        // The operator has no part of what it paid itself.
        let others = u128::from(10_000 - split.operator_bps);
        let fee_part = |bps: u16| u64::try_from(u128::from(fees) * u128::from(bps) / others).expect("a part fits");
        let [mut redeem, mut developer, protocol, contributed] = [
            split.redeem_bps,
            split.developer_bps,
            split.protocol_bps,
            split.contributors_bps,
        ]
        .map(|bps| Self::share(units, bps) + fee_part(bps));
        let operated = Self::share(units, split.operator_bps);
        let mut holders = units + fees - redeem - developer - operated - protocol - contributed;
        if self.pool.is_none() {
            // Without a token, its developer is all holders.
            developer += std::mem::take(&mut holders) + std::mem::take(&mut redeem);
        }
        self.contributed += contributed;
        let audits = Self::share(protocol, self.audit_share_bps);
        self.audit_share += audits;
        self.paid_to_others += self.sold_part(holders + redeem) + protocol - audits;
        let people = [
            (self.developer(), developer),
            (operator, operated),
            (self.people.treasury, protocol),
        ];
        // Nothing is made or moved for nothing.
        for (whom, earned) in people.into_iter().filter(|(_, earned)| *earned > 0) {
            *self.earnings.entry(whom).or_default() += earned;
        }
        // What is set aside for audits is out of the treasury's earnings.
        if audits > 0 {
            *self.earnings.entry(self.people.treasury).or_default() -= audits;
        }
        if holders + redeem > 0 {
            let (slot, supply) = (self.now.slot, self.supply);
            self.pool()?.deposit(slot, supply, holders, redeem);
        }
        Ok(())
    }

    fn is_token_made(&self) -> bool {
        self.offering
            .as_ref()
            .is_some_and(|offering| offering.sale == Sale::Succeeded)
    }

    /// What of the holders' revenue goes to others than the developer: the part of the supply that was for sale.
    fn sold_part(&self, units: u64) -> u64 {
        let Some(offering) = &self.offering else { return 0 };
        let part = u128::from(units) * u128::from(offering.args.sale_units) / u128::from(offering.supply());
        u64::try_from(part).expect("a part fits")
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

    /// Takes what a contributor has earned and not been paid.
    fn take_contribution(&mut self, index: usize) -> Result<u64, Code> {
        if self.contributed == 0 {
            return Err(NOT_THERE);
        }
        let (_, bps) = self.contributors[index];
        let earned = u128::from(self.contributed) * u128::from(bps) / u128::from(self.split.contributors_bps);
        let paid = &mut self.contributors_paid[index];
        let units = u64::try_from(earned).expect("a part fits") - *paid;
        if units == 0 {
            return Err(Error::AmountIsZero.into());
        }
        *paid += units;
        Ok(units)
    }

    pub fn withdraw_contribution(&mut self, index: usize) -> Result<(), Code> {
        let units = self.take_contribution(index)?;
        if index == UPSTREAM_CONTRIBUTOR {
            return Err(Error::ContributorIsModel.into());
        }
        let (whom, _) = self.contributors[index];
        self.pay(&whom, units);
        Ok(())
    }

    /// A model's part is its holders' revenue, or while it has no token its developer's.
    pub fn pay_upstream(&mut self, index: usize) -> Result<(), Code> {
        let units = self.take_contribution(index)?;
        if index != UPSTREAM_CONTRIBUTOR {
            return Err(Error::ContributorIsNoModel.into());
        }
        match (self.upstream.has_token, &mut self.upstream.redeem) {
            (_, Some(redeem)) => *redeem += units,
            (true, None) => return Err(Error::PoolMissing.into()),
            (false, None) => *self.earnings.entry(self.people.developers[0]).or_default() += units,
        }
        Ok(())
    }

    /// The pool of the model that this one is built upon, whose token is sold.
    pub fn create_upstream_pool(&mut self) -> Result<(), Code> {
        if self.upstream.redeem.is_some() {
            return Err(IN_USE);
        }
        self.upstream.redeem = Some(0);
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
