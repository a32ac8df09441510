//! What honesty costs: capital that is locked, transactions that have to land, and how long money waits. In units and slots.

use model_token::state::DisputeTerms;
use serde::Serialize;

use crate::{
    Market, attack,
    terms::{bond_units, interest_units, longest_lock_slots, recoverable, share},
};

/// Transactions of the challenger's in the longest usual dispute: opening, place, picks, and those that stage and give the proof.
pub const CHALLENGER_TRANSACTIONS: u32 = 10;
/// Answers of the operator's in the longest usual dispute.
pub const OPERATOR_ANSWERS: u32 = 5;

/// The operator's side of a report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OperatorCosts {
    /// What it locks for the report, in units.
    pub bond_units: f64,
    /// The longest that it stays locked, in slots.
    pub locked_slots: u64,
    /// What that costs, in units.
    pub capital_cost_units: f64,
    /// What answering a dispute that it wins costs, in units.
    pub answering_units: f64,
    /// What it gets for that out of the challenger's bond, in units.
    pub answering_paid_units: f64,
    /// The revenue that its stake can carry in a day, in units.
    pub capacity_units_per_day: f64,
}

/// A challenger's side of a dispute that it wins.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ChallengerCosts {
    /// What it must have at hand, in units: bond, fee and transactions. The same however many others attack.
    pub capital_units: f64,
    /// The longest that the bond is away, in slots.
    pub locked_slots: u64,
    /// What it has spent when it wins, in units.
    pub spent_units: f64,
    /// What it gets when it opened first, in units.
    pub first_reward_units: f64,
    /// What it gets when somebody else opened earlier, in units.
    pub later_reward_units: f64,
    /// The part of reports that must be false before checking at the market's probability pays for itself; `None` when it never does.
    pub break_even_fraud: Option<f64>,
}

/// What a report of this market asks of its operator.
pub fn operator(terms: &DisputeTerms, market: &Market) -> OperatorCosts {
    let bond = bond_units(terms, market.report_units);
    let locked_slots = longest_lock_slots(terms);
    let answers = f64::from(OPERATOR_ANSWERS);
    let days = crate::terms::in_hours(locked_slots) / 24.0;
    OperatorCosts {
        bond_units: bond,
        locked_slots,
        capital_cost_units: interest_units(bond, locked_slots, market.interest),
        answering_units: answers * market.landing_cost_units,
        answering_paid_units: (answers * terms.move_cost_units as f64).min(terms.challenger_bond_units as f64),
        capacity_units_per_day: market.stake_units / share(terms.bond_ratio_bps) / days,
    }
}

/// What a dispute about a false answer of this market asks of a challenger, and gives it.
pub fn challenger(terms: &DisputeTerms, market: &Market) -> ChallengerCosts {
    let bond = bond_units(terms, market.report_units);
    let own_bond = terms.challenger_bond_units as f64;
    let fee = terms.open_fee_units as f64;
    let locked_slots = terms.finality_slots();
    let landing = f64::from(CHALLENGER_TRANSACTIONS) * market.landing_cost_units;
    let spent_units = fee + landing + interest_units(own_bond, locked_slots, market.interest);
    // The opening is not paid for.
    let costs =
        (f64::from(CHALLENGER_TRANSACTIONS - 1) * terms.move_cost_units as f64).min(share(terms.cost_cap_bps) * bond);
    let first_reward_units = share(terms.prover_share_bps) * bond + costs;
    let checks = market.check_probability * f64::from(market.requests) * market.check_cost_units;
    let won = attack::detection(market.check_probability, 1) * (first_reward_units - spent_units);
    ChallengerCosts {
        capital_units: own_bond + fee + landing,
        locked_slots,
        spent_units,
        first_reward_units,
        later_reward_units: costs,
        break_even_fraud: (won > checks).then(|| checks / won),
    }
}

/// What an insurer of last resort keeps of a slashed bond: what neither prover nor costs can take, in units.
pub fn insured_units(terms: &DisputeTerms, market: &Market) -> f64 {
    bond_units(terms, market.report_units) * (1.0 - recoverable(terms))
}
