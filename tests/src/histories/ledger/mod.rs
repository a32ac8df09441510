//! What ought to be: who owns what, and what every call does to it or is refused with. Plain numbers, told from `docs/protocol.md` and not from the programs'
//! code; of theirs it uses the names of the errors.

mod audits;
mod credit;
mod disputes;
mod equivocations;
mod funds;
mod inquiries;
mod offering;
mod pool;
mod registry;
mod revenue;
mod roles;
mod stake;
mod time;
mod vesting;
mod walk;

use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use imo_protocol::Now;
use model_token::{
    constants::MAX_PAUSE_SECONDS,
    errors::ModelTokenError,
    state::{DisputeTerms, RevenueSplit},
};

pub use {
    audits::{Audit, AuditPhase, Entry, Fund, deciding_slot},
    credit::{Credit, Lane, Session, Voucher},
    disputes::{Dispute, Phase},
    equivocations::Equivocation,
    funds::Funds,
    inquiries::Inquiry,
    offering::{Commitment, Listing, Offering, Sale, Tranche},
    pool::{Claimer, Delegate, Pool, Position},
    registry::{Founded, MAIN, Office, Registered, UPSTREAM},
    revenue::{Bucket, Collection},
    roles::{Access, Appointment, Update},
    stake::{Operator, Report, Status, Trace},
    time::Due,
    vesting::Vesting,
    walk::Walk,
};

/// People of each kind.
pub const PAYERS: usize = 2;
pub const OPERATORS: usize = 2;
pub const CHALLENGERS: usize = 2;
pub const HOLDERS: usize = 2;
/// Who contributed to the model: two people, and the model that it is built upon.
pub const CONTRIBUTORS: usize = 3;
pub const UPSTREAM_CONTRIBUTOR: usize = 2;
/// Keys that can be the developer's, the authority's.
pub const DEVELOPERS: usize = 2;
pub const MODELS: usize = 2;

/// The code of an error of a program, of Anchor or of the token program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u32);

impl<E: Into<u32>> From<E> for Code {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The account is there already: the system program refuses to make it.
pub const IN_USE: Code = Code(0);
/// Anchor: the account is not there.
pub const NOT_THERE: Code = Code(3_012);
/// The token program: the account holds less.
pub const TOO_FEW_TOKENS: Code = Code(1);

/// Whose key is whose.
#[derive(Clone, Debug)]
pub struct People {
    pub payers: [Pubkey; PAYERS],
    pub operators: [Pubkey; OPERATORS],
    pub challengers: [Pubkey; CHALLENGERS],
    pub holders: [Pubkey; HOLDERS],
    pub developers: [Pubkey; DEVELOPERS],
    pub treasury: Pubkey,
}

/// Everything that anybody owns or is owed, of one model.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub people: People,
    pub terms: DisputeTerms,
    /// What an audit costs, and what part of its share the protocol sets aside for audits.
    pub audit_fee: u64,
    pub audit_share_bps: u16,
    /// Nodes of the model that is served.
    pub nodes: u32,
    pub split: RevenueSplit,
    pub now: Now,
    pub founded: Founded,
    pub authority: Office,
    pub developer: Office,
    /// What people serve, and what that is built upon.
    pub models: [Option<Registered>; MODELS],
    /// When metadata that were proposed may be applied, in slots.
    pub metadata_notice: Option<u64>,
    /// When the last pause began and ends; none ever when both are zero.
    pub pause: (i64, i64),
    /// Units of the payment mint in somebody's own account.
    pub wallets: BTreeMap<Pubkey, u64>,
    /// Units of the model's token in somebody's own account.
    pub tokens: BTreeMap<Pubkey, u64>,
    pub credits: [Option<Credit>; PAYERS],
    pub operators: [Operator; OPERATORS],
    /// In the order of posting, closed ones too.
    pub reports: Vec<Report>,
    /// In the order of opening, closed ones too.
    pub disputes: Vec<Dispute>,
    /// In the order of opening, closed ones too.
    pub inquiries: Vec<Inquiry>,
    /// In the order of drawing, closed ones too.
    pub audits: Vec<Audit>,
    pub fund: Fund,
    /// What is set aside for audits in the model's vault.
    pub audit_share: u64,
    /// By operator and question.
    pub equivocations: BTreeMap<(usize, u8), Equivocation>,
    pub access: Access,
    pub update: Option<Update>,
    /// The protocol's least bond, which an equivocation costs.
    pub least_bond: u64,
    pub insurance: u64,
    pub earnings: BTreeMap<Pubkey, u64>,
    /// Who contributed to the version, and with how many basis points.
    pub contributors: [(Pubkey, u16); CONTRIBUTORS],
    /// What they earned together, and what each was paid.
    pub contributed: u64,
    pub contributors_paid: [u64; CONTRIBUTORS],
    /// Revenue that went to others than the developer for good.
    pub paid_to_others: u64,
    pub offering: Option<Offering>,
    pub pool: Option<Pool>,
    /// Tokens in existence.
    pub supply: u64,
    pub upstream: Upstream,
}

/// The token of the model that this one is built upon; nobody stakes it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upstream {
    pub has_token: bool,
    /// What its pool has to redeem, once it is there.
    pub redeem: Option<u64>,
}

impl Ledger {
    /// The present developer.
    pub fn developer(&self) -> Pubkey {
        self.people.developers[self.developer.holder]
    }

    pub fn is_paused(&self) -> bool {
        self.pause.1 > self.now.unix
    }

    /// The guardian begins, moves or ends a pause: seven days from its beginning at most, and as long again open before the next.
    pub fn set_pause(&mut self, until: i64) -> Result<(), Code> {
        let now = self.now.unix;
        let (began, ends) = self.pause;
        let begins = if self.is_paused() {
            began
        } else if until <= now {
            return Err(ModelTokenError::NotPaused.into());
        } else if now < 2 * ends - began {
            return Err(ModelTokenError::PausedTooRecently.into());
        } else {
            now
        };
        if until > begins + MAX_PAUSE_SECONDS {
            return Err(ModelTokenError::PauseTooLong.into());
        }
        self.pause = (begins, until.max(now));
        Ok(())
    }

    fn pay(&mut self, whom: &Pubkey, units: u64) {
        *self.wallets.entry(*whom).or_default() += units;
    }

    fn charge(&mut self, whom: &Pubkey, units: u64) -> Result<(), Code> {
        let wallet = self.wallets.entry(*whom).or_default();
        *wallet = wallet.checked_sub(units).ok_or(TOO_FEW_TOKENS)?;
        Ok(())
    }

    /// What the model's vault owes: credits, what is collected and not yet given away, earnings, and what contributors have not been paid.
    pub fn vault_owes(&self) -> u64 {
        let credits = self.credits.iter().flatten().map(Credit::total).sum::<u64>();
        let buckets = self.reports.iter().filter_map(|report| report.bucket.as_ref());
        let contributed = self.contributed - self.contributors_paid.iter().sum::<u64>();
        let buckets = buckets.map(Bucket::total).sum::<u64>();
        credits + buckets + self.earnings.values().sum::<u64>() + self.audit_share + contributed
    }

    /// What the vault of stakes owes: stakes, disputes, what is slashed and not yet given away, insurance.
    pub fn stakes_owe(&self) -> u64 {
        let stakes = self.operators.iter().map(|operator| operator.stake).sum::<u64>();
        let disputes = self.disputes.iter().filter(|dispute| !dispute.closed);
        let disputed = disputes.map(Dispute::owed).sum::<u64>();
        let slashed = self.reports.iter().map(|report| report.slashed_left).sum::<u64>();
        let asked = self.inquiries.iter().filter(|inquiry| !inquiry.closed);
        let asked = asked.map(Inquiry::owed).sum::<u64>();
        let rewards = self.equivocations.values().map(|shown| shown.payout).sum::<u64>();
        stakes + disputed + asked + rewards + slashed + self.insurance
    }

    /// The part of `units` that is `bps` basis points, rounded down.
    fn share(units: u64, bps: u16) -> u64 {
        u64::try_from(u128::from(units) * u128::from(bps) / 10_000).expect("a part fits")
    }
}
