//! The numbers of the story. Amounts are odd on purpose, so that rounding shows.

use model_token::state::{AuditTerms, DisputeTerms, RevenueSplit};

/// Units of a whole dollar or token: both mints have six decimals.
pub const ONE: u64 = 1_000_000;

/// What everybody who plays with money begins with.
pub const POCKET_MONEY: u64 = 50_000 * ONE;

pub const SUPPLY: u64 = 1_000_000 * ONE;
pub const MIN_RAISE: u64 = 10_000 * ONE;
pub const MAX_RAISE: u64 = 30_000 * ONE;
/// What the three investors commit: half as much again as is accepted.
pub const COMMITMENTS: [u64; 3] = [20_000 * ONE + 1, 15_000 * ONE, 10_000 * ONE + 333_333];
/// What the first two of them stake.
pub const STAKES: [u64; 2] = [300_000 * ONE, 123_456 * ONE + 789];
/// What the third burns in the end.
pub const REDEEMED: u64 = 50_000 * ONE + 1;

/// How long the offering is open, in seconds.
pub const OFFERING_SECONDS: i64 = 24 * 60 * 60;

/// The last part of it, in which one can only withdraw, in seconds.
pub const TAIL_SECONDS: i64 = 3 * 60 * 60;

/// Price of one inference.
pub const PRICE: u64 = 333_333;
/// Inferences bought from each operator.
pub const QUESTIONS: usize = 6;
pub const DEPOSIT: u64 = 20 * ONE;
pub const LANE: u64 = 5 * ONE;
pub const SESSION_LIMIT: u64 = 8 * ONE;
/// How long the session key is good, in seconds.
pub const SESSION_SECONDS: i64 = 7 * 24 * 60 * 60;

pub const OPERATOR_STAKE: u64 = 500 * ONE;
/// What an operator locks for a report: the least there is, since twice of what is owed and the node's margin is less.
pub const BOND: u64 = TERMS.min_bond_units;
const _: () = assert!(QUESTIONS as u64 * PRICE * 2 * 5 / 4 < BOND);

pub const PROTOCOL_BPS: u16 = 500;
pub const SPLIT: RevenueSplit = RevenueSplit {
    holders_bps: 4_000,
    redeem_bps: 1_000,
    developer_bps: 2_000,
    operator_bps: 2_500,
    protocol_bps: PROTOCOL_BPS,
    contributors_bps: 0,
};

/// The story has no audits.
pub const AUDITS: AuditTerms = AuditTerms {
    share_bps: 0,
    fee_units: 0,
};

/// Ten hours from the proposal of other settings to their execution: longer than the longest dispute and a notice together.
pub const TIMELOCK_SLOTS: u64 = 90_000;

/// An hour each for the window and for leaving a report open, half an hour for a move, ninety minutes for all moves of a side.
pub const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 9_000,
    seal_slots: 9_000,
    response_slots: 4_500,
    clock_slots: 13_500,
    bond_ratio_bps: 20_000,
    min_bond_units: 50 * ONE,
    challenger_bond_units: 20 * ONE,
    open_fee_units: ONE / 2,
    move_cost_units: ONE,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 36_000,
    notice_slots: 18_000,
    epoch_slots: 36_000,
    byte_fee_units: ONE / 100_000,
};
