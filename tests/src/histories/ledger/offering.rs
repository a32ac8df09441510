//! The sale of the model's token: commitments, the one price, what buyers and developer get and when.

use imo_protocol::Now;
use model_token::{
    errors::ModelTokenError as Error,
    instructions::OpenOfferingArgs,
    state::{TrancheCondition, VestingTerms},
};

use super::{Code, HOLDERS, IN_USE, Ledger, NOT_THERE, registry::MAIN};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sale {
    Open,
    Succeeded,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tranche {
    Locked,
    Paid,
    Missed,
}

#[derive(Clone, Debug)]
pub struct Offering {
    pub args: OpenOfferingArgs,
    pub sale: Sale,
    pub settled_unix: i64,
    /// What was committed when it closed, or is so far, and what of it was accepted.
    pub committed: u64,
    pub accepted: u64,
    /// By holder.
    pub commitments: [Option<Commitment>; HOLDERS],
    pub tranches: Vec<Tranche>,
    /// What claims gave: tokens, at once or later; of these what vests; money that went back.
    pub allotted: u64,
    pub allotted_vesting: u64,
    pub given_back: u64,
    /// What tranches paid, to the developer or to the pool.
    pub proceeds_paid: u64,
    /// Tokens that left the vault, and that were burned in it.
    pub tokens_paid: u64,
    pub burned: u64,
    pub developer_released: u64,
    pub developer_burned: u64,
    pub swept: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Commitment {
    pub units: u64,
    pub withdrew_late: bool,
    pub claimed: bool,
    pub vesting: u64,
    pub released: u64,
}

/// How an investor asks to take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// As one of the list, which these histories' investors are on.
    Shown,
    NotShown,
}

/// The part of `whole` that `part` is of `all`, rounded down.
fn part_of(whole: u64, part: u64, all: u64) -> u64 {
    u64::try_from(u128::from(whole) * u128::from(part) / u128::from(all)).expect("a part fits")
}

fn vested(terms: &VestingTerms, units: u64, elapsed: i64) -> u64 {
    let since_cliff = elapsed - i64::from(terms.cliff_seconds);
    match u64::try_from(since_cliff) {
        Err(_) => 0,
        Ok(since_cliff) if since_cliff >= u64::from(terms.linear_seconds) => units,
        Ok(since_cliff) => part_of(units, since_cliff, terms.linear_seconds.into()),
    }
}

impl Commitment {
    pub fn left(&self) -> u64 {
        self.vesting - self.released
    }
}

impl Offering {
    pub fn supply(&self) -> u64 {
        self.args.sale_units + self.args.developer_units
    }

    /// Money in the offering's vault.
    pub fn money(&self) -> u64 {
        self.committed - self.given_back - self.proceeds_paid
    }

    /// Tokens in the offering's vault.
    pub fn tokens(&self) -> u64 {
        match self.sale {
            Sale::Succeeded => self.supply() - self.tokens_paid - self.burned,
            Sale::Open | Sale::Failed => 0,
        }
    }

    pub fn developer_left(&self) -> u64 {
        self.args.developer_units - self.developer_released - self.developer_burned
    }

    /// Tokens that vest when the sale succeeds: nobody's yet, or already somebody's.
    pub fn vesting(&self) -> u64 {
        Ledger::share(self.args.sale_units, 10_000 - self.args.buyer_vesting.immediate_bps) + self.args.developer_units
    }

    fn is_listed(&self) -> bool {
        self.args.allowlist_count > 0
    }

    /// What may still be taken back: less and less of it in the last part.
    fn withdrawable(&self, units: u64, now: &Now) -> u64 {
        let (tail, closes) = (self.args.tail_unix, self.args.closes_unix);
        if now.unix <= tail {
            return units;
        }
        let seconds = |seconds: i64| u64::try_from(seconds).expect("an offering has not closed");
        part_of(units, seconds(closes - now.unix), seconds(closes - tail))
    }

    /// What a tranche pays: its part of the proceeds, so that all parts are all.
    pub fn tranche_units(&self, index: usize) -> Option<u64> {
        let shares = &self.args.tranches;
        let until = |count: usize| {
            let bps: u16 = shares[..count].iter().map(|tranche| tranche.share_bps).sum();
            Ledger::share(self.accepted, bps)
        };
        (index < shares.len()).then(|| until(index + 1) - until(index))
    }

    pub fn releasable(&self, commitment: &Commitment, now: &Now) -> u64 {
        let elapsed = now.unix - self.settled_unix;
        vested(&self.args.buyer_vesting, commitment.vesting, elapsed) - commitment.released
    }

    /// Tokens of the developer that are free: none before every tranche that had to be earned is decided, and none after one was missed.
    pub fn developer_releasable(&self, now: &Now) -> Result<u64, Code> {
        let earned = |index: &usize| matches!(self.args.tranches[*index].condition, TrancheCondition::Revenue { .. });
        let mut undecided = (0..self.tranches.len()).filter(earned);
        if undecided.any(|index| self.tranches[index] == Tranche::Locked) {
            return Err(Error::TranchesUndecided.into());
        }
        if self.developer_burned > 0 {
            return Ok(0);
        }
        let elapsed = now.unix - self.settled_unix;
        Ok(vested(&self.args.developer_vesting, self.args.developer_units, elapsed) - self.developer_released)
    }

    pub(super) fn require(&self, sale: Sale) -> Result<(), Code> {
        if self.sale == sale {
            return Ok(());
        }
        Err(match self.sale {
            Sale::Open => Error::OfferingNotSettled,
            Sale::Succeeded => Error::OfferingSucceeded,
            Sale::Failed => Error::OfferingFailed,
        }
        .into())
    }

    pub(super) fn require_locked(&self, index: usize) -> Result<(), Code> {
        match self.tranches.get(index).ok_or(Error::NoSuchTranche)? {
            Tranche::Locked => Ok(()),
            Tranche::Paid => Err(Error::NothingToWithdraw.into()),
            Tranche::Missed => Err(Error::TrancheMissed.into()),
        }
    }
}

impl Ledger {
    pub(super) fn require_no_offering_open(&self) -> Result<(), Code> {
        match &self.offering {
            Some(offering) if offering.sale == Sale::Open => Err(Error::OfferingRuns.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn offering(&mut self) -> Result<&mut Offering, Code> {
        self.offering.as_mut().ok_or(NOT_THERE)
    }

    /// The terms are valid but for the least raise, which is.
    pub fn open_offering(&mut self, args: &OpenOfferingArgs) -> Result<(), Code> {
        let model = self.models[MAIN].ok_or(NOT_THERE)?;
        if self.offering.is_some() {
            return Err(IN_USE);
        }
        if self.is_paused() {
            return Err(Error::Paused.into());
        }
        if model.live != model.versions {
            return Err(Error::VersionWaits.into());
        }
        if args.min_raise_units == 0 {
            return Err(Error::InvalidRaise.into());
        }
        self.offering = Some(Offering {
            args: args.clone(),
            sale: Sale::Open,
            settled_unix: 0,
            committed: 0,
            accepted: 0,
            commitments: [None; HOLDERS],
            tranches: vec![Tranche::Locked; args.tranches.len()],
            allotted: 0,
            allotted_vesting: 0,
            given_back: 0,
            proceeds_paid: 0,
            tokens_paid: 0,
            burned: 0,
            developer_released: 0,
            developer_burned: 0,
            swept: false,
        });
        Ok(())
    }

    pub fn commit(&mut self, holder: usize, units: u64, listing: Listing) -> Result<(), Code> {
        let (now, key, is_paused) = (self.now, self.people.holders[holder], self.is_paused());
        let offering = self.offering()?;
        if is_paused {
            return Err(Error::Paused.into());
        }
        if offering.sale != Sale::Open {
            return Err(Error::OfferingClosed.into());
        }
        if now.unix < offering.args.opens_unix {
            return Err(Error::OfferingNotOpenYet.into());
        }
        if now.unix >= offering.args.closes_unix {
            return Err(Error::OfferingClosed.into());
        }
        if now.unix >= offering.args.tail_unix {
            return Err(Error::TailHasBegun.into());
        }
        if units == 0 {
            return Err(Error::CommitmentIsZero.into());
        }
        if offering.is_listed() != (listing == Listing::Shown) {
            return Err(Error::NotOnAllowlist.into());
        }
        let cap = offering.args.wallet_cap_units;
        let commitment = offering.commitments[holder].get_or_insert_default();
        commitment.units += units;
        if cap > 0 && commitment.units > cap {
            return Err(Error::WalletCapExceeded.into());
        }
        offering.committed += units;
        self.charge(&key, units)
    }

    pub fn withdraw_commitment(&mut self, holder: usize, units: u64) -> Result<(), Code> {
        let (now, key) = (self.now, self.people.holders[holder]);
        let offering = self.offering()?;
        let mut commitment = offering.commitments[holder].ok_or(NOT_THERE)?;
        if offering.sale != Sale::Open || now.unix >= offering.args.closes_unix {
            return Err(Error::OfferingClosed.into());
        }
        if units == 0 {
            return Err(Error::CommitmentIsZero.into());
        }
        let late = now.unix >= offering.args.tail_unix;
        if late && commitment.withdrew_late {
            return Err(Error::TailWithdrawalUsed.into());
        }
        if units > offering.withdrawable(commitment.units, &now) {
            return Err(Error::WithdrawalTooLarge.into());
        }
        commitment.withdrew_late = late;
        commitment.units -= units;
        offering.committed -= units;
        offering.commitments[holder] = Some(commitment).filter(|commitment| commitment.units > 0);
        self.pay(&key, units);
        Ok(())
    }

    pub fn settle_offering(&mut self) -> Result<(), Code> {
        let now = self.now;
        let offering = self.offering()?;
        offering.require(Sale::Open)?;
        if now.unix < offering.args.closes_unix {
            return Err(Error::OfferingNotClosed.into());
        }
        offering.settled_unix = now.unix;
        if offering.committed < offering.args.min_raise_units {
            offering.sale = Sale::Failed;
            return Ok(());
        }
        offering.accepted = offering.committed.min(offering.args.max_raise_units);
        offering.sale = Sale::Succeeded;
        self.supply = offering.supply();
        Ok(())
    }

    /// Whoever bought gets the excess, and the tokens that are free at once.
    pub fn claim_commitment(&mut self, holder: usize) -> Result<(), Code> {
        let key = self.people.holders[holder];
        let offering = self.offering()?;
        let mut commitment = offering.commitments[holder].ok_or(NOT_THERE)?;
        if commitment.claimed {
            return Err(Error::AlreadyClaimed.into());
        }
        let (mut back, mut at_once) = (commitment.units, 0);
        match offering.sale {
            Sale::Open => return Err(Error::OfferingNotSettled.into()),
            Sale::Failed => {}
            Sale::Succeeded => {
                let Offering {
                    args,
                    committed,
                    accepted,
                    ..
                } = offering;
                let bought = part_of(args.sale_units, commitment.units, *committed);
                back = part_of(*committed - *accepted, commitment.units, *committed);
                at_once = Self::share(bought, args.buyer_vesting.immediate_bps);
                commitment.vesting = Self::share(bought, 10_000 - args.buyer_vesting.immediate_bps);
            }
        }
        commitment.claimed = true;
        offering.given_back += back;
        offering.allotted += at_once + commitment.vesting;
        offering.allotted_vesting += commitment.vesting;
        offering.tokens_paid += at_once;
        offering.commitments[holder] = Some(commitment).filter(|commitment| commitment.vesting > 0);
        self.pay(&key, back);
        *self.tokens.entry(key).or_default() += at_once;
        Ok(())
    }

    pub fn withdraw_tranche(&mut self, index: usize) -> Result<(), Code> {
        let (now, developer, paid_to_others) = (self.now, self.developer(), self.paid_to_others);
        let offering = self.offering()?;
        offering.require(Sale::Succeeded)?;
        offering.require_locked(index)?;
        let is_unlocked = match offering.args.tranches[index].condition {
            TrancheCondition::Time { unlocks_seconds } => {
                now.unix - offering.settled_unix >= i64::from(unlocks_seconds)
            }
            TrancheCondition::Revenue { others_units, .. } => paid_to_others >= others_units,
        };
        if !is_unlocked {
            return Err(Error::TrancheLocked.into());
        }
        let units = offering.tranche_units(index).ok_or(Error::NoSuchTranche)?;
        offering.tranches[index] = Tranche::Paid;
        offering.proceeds_paid += units;
        self.pay(&developer, units);
        Ok(())
    }

    /// The money of a tranche that was not earned in time is the holders', and the developer's tokens that are left are burned.
    pub fn miss_tranche(&mut self, index: usize) -> Result<(), Code> {
        let (now, paid_to_others) = (self.now, self.paid_to_others);
        let offering = self.offering()?;
        let units = offering.tranche_units(index).ok_or(Error::NoSuchTranche)?;
        offering.require(Sale::Succeeded)?;
        offering.require_locked(index)?;
        let is_missed = match offering.args.tranches[index].condition {
            TrancheCondition::Time { .. } => false,
            TrancheCondition::Revenue {
                others_units,
                deadline_seconds,
            } => now.unix - offering.settled_unix > i64::from(deadline_seconds) && paid_to_others < others_units,
        };
        if !is_missed {
            return Err(Error::TrancheNotMissed.into());
        }
        let burned = offering.developer_left();
        offering.tranches[index] = Tranche::Missed;
        offering.proceeds_paid += units;
        offering.developer_burned += burned;
        offering.burned += burned;
        self.supply -= burned;
        self.pool()?.forfeit_developer(burned);
        self.pool()?.redeem += units;
        Ok(())
    }

    pub fn sweep_dust(&mut self) -> Result<(), Code> {
        let offering = self.offering()?;
        offering.require(Sale::Succeeded)?;
        let mut commitments = offering.commitments.iter().flatten();
        if commitments.any(|commitment| !commitment.claimed) {
            return Err(Error::CommitmentsUnclaimed.into());
        }
        if offering.swept {
            return Err(Error::DustSwept.into());
        }
        offering.swept = true;
        let tokens = offering.args.sale_units - offering.allotted;
        let money = offering.committed - offering.accepted - offering.given_back;
        let vesting = offering.vesting() - offering.args.developer_units - offering.allotted_vesting;
        offering.burned += tokens;
        offering.given_back += money;
        self.supply -= tokens;
        let pool = self.pool()?;
        pool.forfeit_unclaimed(vesting);
        pool.redeem += money;
        Ok(())
    }

    /// Tokens that have become free go to whoever bought them.
    pub fn release_vested(&mut self, holder: usize) -> Result<(), Code> {
        let (now, key) = (self.now, self.people.holders[holder]);
        let offering = self.offering()?;
        let mut commitment = offering.commitments[holder].ok_or(NOT_THERE)?;
        let units = offering.releasable(&commitment, &now);
        if units == 0 {
            return Err(Error::NothingToRelease.into());
        }
        commitment.released += units;
        offering.tokens_paid += units;
        offering.commitments[holder] = Some(commitment).filter(|commitment| commitment.left() > 0);
        *self.tokens.entry(key).or_default() += units;
        self.pool()?.release(holder, units)
    }

    pub fn release_developer(&mut self) -> Result<(), Code> {
        let (now, developer) = (self.now, self.developer());
        let offering = self.offering()?;
        let units = offering.developer_releasable(&now)?;
        if units == 0 {
            return Err(Error::NothingToRelease.into());
        }
        offering.developer_released += units;
        offering.tokens_paid += units;
        *self.tokens.entry(developer).or_default() += units;
        self.pool()?.release(HOLDERS, units)
    }
}
