//! Whether a voucher is worth an answer. Pure: everything it needs was read before.

use anchor_lang::prelude::Pubkey;
use imo_client::{signature::VerifyingKey, voucher::SignedVoucher};
use imo_protocol::{Now, Session, ids};
use opml::Hash;
use opml_oracle::state::Operator;
use revenue_escrow::state::{Credit, Lane};

use crate::store::StoredLane;

/// What the operator asks of a payer.
#[derive(Clone, Copy, Debug)]
pub struct Demands {
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// The operator account.
    pub operator: Pubkey,
    /// How long a voucher must be collectable at least, in seconds.
    pub min_voucher_seconds: i64,
    /// Most that one lane may owe, in units.
    pub lane_exposure_units: u64,
}

/// The payer's accounts as the chain has them.
#[derive(Debug)]
pub struct Payer {
    pub lane: Lane,
    pub credit: Credit,
    pub session: Session,
    pub operator: Operator,
    pub now: Now,
}

/// Why a voucher is not worth an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    #[error("The voucher's signature is not the session key's.")]
    WrongSignature,
    #[error("The voucher is for another cluster.")]
    WrongCluster,
    #[error("The voucher is for another program.")]
    WrongProgram,
    #[error("There is no lane at the voucher's address.")]
    NoLane,
    #[error("The lane is another operator's.")]
    ForeignLane,
    #[error("The lane was closed and opened again since: the voucher names another generation.")]
    OldLane,
    #[error("There is no such session key on the lane's credit.")]
    NoSession,
    #[error("The session was granted again since: the voucher names another generation.")]
    OldSession,
    #[error("The session is revoked or expired.")]
    SessionOver,
    #[error("The voucher outlives its session.")]
    OutlivesSession,
    #[error("The voucher expires too soon to be collected.")]
    ExpiresTooSoon,
    #[error("The lane pays for another model.")]
    WrongModel,
    #[error("The voucher is not the next one: this operator has {expected_count} requests of the lane, and the voucher has to say {} and {expected_units} units.", .expected_count + 1)]
    NotNext { expected_count: u64, expected_units: u64 },
    #[error("The operator no longer has the lane's earlier requests: close the lane and open it again.")]
    HistoryMissing,
    #[error("The root of requests is not that of the earlier requests and this one.")]
    WrongRequests,
    #[error("The lane does not hold enough for the voucher.")]
    LaneOverdrawn,
    #[error("The session's limit does not cover the voucher.")]
    LimitExceeded,
}

/// Why a good voucher has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until what the lane owes is collected.
    Collection,
}

/// What can be said before anything is looked up. `known` is the session key as a point, where it was found before. Returns it.
pub fn check_message(
    voucher: &SignedVoucher,
    demands: &Demands,
    known: Option<VerifyingKey>,
) -> Result<VerifyingKey, PaymentError> {
    if voucher.voucher.cluster != demands.cluster {
        return Err(PaymentError::WrongCluster);
    }
    if voucher.voucher.escrow != ids::REVENUE_ESCROW {
        return Err(PaymentError::WrongProgram);
    }
    let session = voucher.voucher.session;
    known
        .filter(|known| known.key() == session)
        .or_else(|| VerifyingKey::new(&session))
        .filter(|key| key.accepts(&voucher.signature, &voucher.voucher.message()))
        .ok_or(PaymentError::WrongSignature)
}

/// What the payer's accounts say, whatever is asked. They were found at the addresses that the voucher names or that follow from it.
pub fn check_accounts(voucher: &SignedVoucher, demands: &Demands, payer: &Payer) -> Result<(), PaymentError> {
    let voucher = &voucher.voucher;
    let Payer { lane, session, now, .. } = payer;
    if lane.operator != demands.operator {
        return Err(PaymentError::ForeignLane);
    }
    if lane.generation != voucher.lane_generation {
        return Err(PaymentError::OldLane);
    }
    if session.generation != voucher.session_generation {
        return Err(PaymentError::OldSession);
    }
    // From the announcement on, not from when it takes effect: what is served from now on might not be collected in time.
    if !session.is_live(now) {
        return Err(PaymentError::SessionOver);
    }
    if voucher.expires_unix > session.expires_unix {
        return Err(PaymentError::OutlivesSession);
    }
    if voucher.expires_unix < now.unix.saturating_add(demands.min_voucher_seconds) {
        return Err(PaymentError::ExpiresTooSoon);
    }
    Ok(())
}

/// The question that a voucher pays for, as the operator computed it.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub model: Pubkey,
    pub price_units: u64,
    /// Over all questions that the operator has, with this one last.
    pub requests_root: Hash,
}

/// Whether the voucher is exactly one step further than what the operator has, and covered.
pub fn check_step(
    voucher: &SignedVoucher,
    demands: &Demands,
    payer: &Payer,
    stored: Option<&StoredLane>,
    asked: &Asked,
) -> Result<Option<Wait>, PaymentError> {
    let voucher = &voucher.voucher;
    if payer.credit.model != asked.model {
        return Err(PaymentError::WrongModel);
    }
    let (count, units) = stored.map_or((0, 0), |stored| (stored.count(), stored.amount_units()));
    if payer.lane.collected_count > count {
        return Err(PaymentError::HistoryMissing);
    }
    let not_next = PaymentError::NotNext {
        expected_count: count,
        expected_units: units.saturating_add(asked.price_units),
    };
    let next_units = units.checked_add(asked.price_units).ok_or(not_next)?;
    if (voucher.cumulative_count, voucher.cumulative_amount_units) != (count + 1, next_units) {
        return Err(not_next);
    }
    if voucher.requests_root != asked.requests_root {
        return Err(PaymentError::WrongRequests);
    }

    // Money that is announced to leave may be gone before it is collected.
    let mut lane = payer.lane.clone();
    if lane.funds().lapse(&payer.now).is_err() {
        return Err(PaymentError::LaneOverdrawn);
    }
    let owed_units = next_units.saturating_sub(lane.collected_units);
    if owed_units > lane.reserved_units {
        return Err(PaymentError::LaneOverdrawn);
    }
    let limit_units = payer.session.limit_units.saturating_sub(payer.session.spent_units);
    if owed_units > limit_units {
        return Err(PaymentError::LimitExceeded);
    }
    let owed_count = voucher.cumulative_count.saturating_sub(lane.collected_count);
    let full =
        owed_units > demands.lane_exposure_units || owed_count > u64::from(revenue_escrow::constants::MAX_RECEIPTS);
    Ok(full.then_some(Wait::Collection))
}
