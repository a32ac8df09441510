//! The smallest terms that are safe for a market, and whether given ones are.

use model_token::state::DisputeTerms;
use serde::Serialize;

use crate::{
    Market,
    attack::{detection, gain_of_self_rejection},
    honesty::{CHALLENGER_TRANSACTIONS, OPERATOR_ANSWERS},
    terms::{bond_units, interest_units, recoverable, share},
};

/// How many times over a dispute must pay its challenger, and a bond its answers.
pub const MARGIN: f64 = 3.0;

/// The smallest amounts that are safe for a market, the times being given. In units, ratios as parts of the revenue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Smallest {
    /// Bond over revenue below which operator and payers gain by rejecting their own report.
    pub ratio_against_self_rejection: f64,
    /// Bond over revenue below which some number of lies pays.
    pub ratio_against_lies: f64,
    /// Bond below which the prover's share does not pay a dispute [`MARGIN`] times over.
    pub bond_for_provers: f64,
    /// Bond below which one lie with the market's prize pays in a report of any size.
    pub bond_against_one_lie: f64,
    /// Challenger's bond below which answering it costs the operator more than a third of it.
    pub challenger_bond_for_answers: f64,
    /// Challenger's bond below which holding up a report costs less than what its money would have earned meanwhile.
    pub challenger_bond_against_delay: f64,
    /// What a move must be paid at least, so that answering never costs its side anything.
    pub move_cost: f64,
}

/// The smallest safe amounts. Without any checks nothing deters lies, and the amounts against them are infinite.
pub fn smallest(terms: &DisputeTerms, market: &Market) -> Smallest {
    let kept = 1.0 - recoverable(terms);
    let dispute_cost = f64::from(CHALLENGER_TRANSACTIONS) * market.landing_cost_units
        + terms.open_fee_units as f64
        + market.check_cost_units;
    let revenue = market.operator_share * market.report_units;
    // From gain_of_lying(lies) <= 0, solved for the bond.
    let bond_against = |lies: u32| {
        let gained = f64::from(lies) * market.inference_cost_units + market.prize_units;
        ((gained / detection(market.check_probability, lies) - revenue) / kept).max(0.0)
    };
    let lies = bond_against(1).max(bond_against(market.requests));
    Smallest {
        ratio_against_self_rejection: (1.0 - market.operator_share) / kept,
        ratio_against_lies: lies / market.report_units,
        bond_for_provers: MARGIN * dispute_cost / share(terms.prover_share_bps),
        bond_against_one_lie: (market.inference_cost_units + market.prize_units) / market.check_probability / kept,
        challenger_bond_for_answers: MARGIN * f64::from(OPERATOR_ANSWERS) * market.landing_cost_units,
        challenger_bond_against_delay: interest_units(
            market.report_units,
            terms.longest_dispute_slots(),
            market.interest,
        ),
        move_cost: market.landing_cost_units,
    }
}

/// What a requirement counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Parts of the revenue.
    Ratio,
    /// Units of the revenue mint.
    Units,
}

/// One thing that terms have to hold, with what they have and what they need.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Requirement {
    pub name: &'static str,
    pub measure: Measure,
    pub has: f64,
    pub needs: f64,
}

impl Requirement {
    pub fn holds(&self) -> bool {
        self.has >= self.needs
    }
}

/// Everything that makes terms safe for a market.
pub fn requirements(terms: &DisputeTerms, market: &Market) -> Vec<Requirement> {
    let smallest = smallest(terms, market);
    let bond = bond_units(terms, market.report_units);
    let challenger_bond = terms.challenger_bond_units as f64;
    let ratio = |name, has, needs| Requirement {
        name,
        measure: Measure::Ratio,
        has,
        needs,
    };
    let units = |name, has, needs| Requirement {
        name,
        measure: Measure::Units,
        has,
        needs,
    };
    vec![
        ratio(
            "bond over revenue, against rejecting one's own report",
            share(terms.bond_ratio_bps),
            smallest.ratio_against_self_rejection,
        ),
        ratio(
            "bond over revenue, against any number of lies",
            bond / market.report_units,
            smallest.ratio_against_lies,
        ),
        units(
            "least bond, so that provers come",
            terms.min_bond_units as f64,
            smallest.bond_for_provers,
        ),
        units(
            "least bond, against one lie in a tiny report",
            terms.min_bond_units as f64,
            smallest.bond_against_one_lie,
        ),
        units(
            "challenger's bond, against baiting the operator",
            challenger_bond,
            smallest.challenger_bond_for_answers,
        ),
        units(
            "challenger's bond, against holding up a report",
            challenger_bond + terms.open_fee_units as f64,
            smallest.challenger_bond_against_delay,
        ),
        units("pay of a move", terms.move_cost_units as f64, smallest.move_cost),
        units(
            "loss by rejecting one's own report",
            -gain_of_self_rejection(terms, market),
            0.0,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attack::best_lie, defaults};
    use proptest::prelude::*;

    #[test]
    fn given_the_defaults_when_checked_then_every_requirement_holds() {
        for requirement in requirements(&defaults::terms(), &defaults::market()) {
            assert!(requirement.holds(), "{requirement:?}");
        }
    }

    #[test]
    fn given_half_the_bond_when_checked_then_something_does_not_hold() {
        let terms = defaults::terms();
        let halved = DisputeTerms {
            min_bond_units: terms.min_bond_units / 2,
            ..terms
        };
        assert!(
            requirements(&halved, &defaults::market())
                .iter()
                .any(|requirement| !requirement.holds())
        );
    }

    proptest! {
        #[test]
        fn given_any_market_when_the_bond_is_the_smallest_then_lies_pay_below_it_only(
            report in 1e6f64..1e9, requests in 1u32..100_000, cost in 0.0f64..1e4, prize_share in 0.1f64..10.0, check in 1e-3f64..0.1, operator in 0.0f64..1.0,
        ) {
            let prize = prize_share * report;
            let market = Market {
                report_units: report, requests, inference_cost_units: cost, prize_units: prize, check_probability: check,
                operator_share: operator, ..defaults::market()
            };
            let terms = DisputeTerms { min_bond_units: 1, ..defaults::terms() };
            let needed = smallest(&terms, &market).ratio_against_lies;
            prop_assume!((0.01..100_000.0).contains(&needed));
            let with = |ratio: f64| DisputeTerms { bond_ratio_bps: (ratio * 10_000.0) as u32, ..terms };
            prop_assert!(best_lie(&with(needed * 1.001 + 0.001), &market).1 <= 0.0);
            prop_assert!(best_lie(&with(needed * 0.99), &market).1 > 0.0);
        }
    }
}
