//! What cheating is worth: expected values, each against honest work with the same report, in units.

use model_token::state::DisputeTerms;

use crate::{
    Market,
    terms::{bond_units, recoverable},
};

/// The probability that at least one of `lies` false answers is recomputed.
pub fn detection(check_probability: f64, lies: u32) -> f64 {
    1.0 - (1.0 - check_probability).powf(f64::from(lies))
}

/// What an operator gains by `lies` false answers in a report.
///
/// In its favour: what it did not compute and the prize are its own whether it is caught or not, and of the bond it gets back all that friends can
/// win. Against it: caught, it loses its share of the revenue and the rest of the bond. Its jail is not counted.
pub fn gain_of_lying(terms: &DisputeTerms, market: &Market, lies: u32) -> f64 {
    let saved = f64::from(lies) * market.inference_cost_units;
    let prize = if lies > 0 { market.prize_units } else { 0.0 };
    saved + prize - detection(market.check_probability, lies) * loss_when_caught(terms, market)
}

/// What being caught costs an operator at least.
pub fn loss_when_caught(terms: &DisputeTerms, market: &Market) -> f64 {
    let bond = bond_units(terms, market.report_units);
    market.operator_share * market.report_units + bond * (1.0 - recoverable(terms))
}

/// The number of lies that gains most, and the gain. The gain is convex in the number of lies (each further one is less likely to be the first
/// that is found), so that the best is one or all.
pub fn best_lie(terms: &DisputeTerms, market: &Market) -> (u32, f64) {
    [1, market.requests]
        .map(|lies| (lies, gain_of_lying(terms, market, lies)))
        .into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("there are two")
}

/// What operator and payers together gain by having their own report rejected: the payers get back what the others would have got.
pub fn gain_of_self_rejection(terms: &DisputeTerms, market: &Market) -> f64 {
    let evaded = (1.0 - market.operator_share) * market.report_units;
    evaded - bond_units(terms, market.report_units) * (1.0 - recoverable(terms))
}

/// What it costs an attacker to hold up a report until its longest dispute ends: the bond and the fee, all of which it loses.
pub fn cost_of_delay(terms: &DisputeTerms) -> f64 {
    terms.challenger_bond_units as f64 + terms.open_fee_units as f64
}

/// The probability of a check from which on no lie pays, or `None` when none is enough.
pub fn least_check_probability(terms: &DisputeTerms, market: &Market) -> Option<f64> {
    let pays = |check_probability| {
        let market = Market {
            check_probability,
            ..*market
        };
        best_lie(terms, &market).1 > 0.0
    };
    if pays(1.0) {
        return None;
    }
    let (mut low, mut high) = (0.0, 1.0);
    // Halving 60 times leaves less than the precision of the numbers.
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if pays(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defaults;
    use proptest::prelude::*;

    #[test]
    fn given_no_checks_when_lying_then_all_that_is_saved_is_gained() {
        let market = Market {
            check_probability: 0.0,
            ..defaults::market()
        };
        let expected = f64::from(market.requests) * market.inference_cost_units + market.prize_units;
        assert_eq!(best_lie(&defaults::terms(), &market), (market.requests, expected));
    }

    #[test]
    fn given_the_least_check_probability_when_a_little_less_then_a_lie_pays() {
        let (terms, market) = (defaults::terms(), defaults::market());
        let least = least_check_probability(&terms, &market).unwrap();
        let gain = |check_probability| {
            let market = Market {
                check_probability,
                ..market
            };
            best_lie(&terms, &market).1
        };
        assert!(gain(least * 0.999) > 0.0);
        assert!(gain(least * 1.001) <= 0.0);
    }

    #[test]
    fn given_a_prize_above_the_bond_when_every_answer_is_checked_then_nothing_deters() {
        let terms = defaults::terms();
        let market = Market {
            prize_units: 2.0 * loss_when_caught(&terms, &defaults::market()),
            ..defaults::market()
        };
        assert_eq!(least_check_probability(&terms, &market), None);
    }

    proptest! {
        #[test]
        fn given_any_number_of_lies_when_compared_then_one_or_all_is_best(
            lies in 1u32..=5_000, check in 0.0f64..1.0, cost in 0.0f64..1e6, prize in 0.0f64..1e9,
        ) {
            let market = Market {
                requests: 5_000, check_probability: check, inference_cost_units: cost, prize_units: prize, ..defaults::market()
            };
            let terms = defaults::terms();
            let best = best_lie(&terms, &market).1;
            prop_assert!(gain_of_lying(&terms, &market, lies) <= best + 1e-6 * best.abs().max(1.0));
        }

        #[test]
        fn given_terms_that_the_program_accepts_when_a_coalition_rejects_its_own_report_then_no_gain(
            report in 0.0f64..1e15, operator_bps in 0u16..=10_000, ratio in 1u32..=1_000_000, prover in 0u16..=10_000, cap in 0u16..=10_000,
        ) {
            let terms = DisputeTerms {
                bond_ratio_bps: ratio, prover_share_bps: prover, cost_cap_bps: cap, ..defaults::terms()
            };
            prop_assume!(terms.validate_deterrence(operator_bps).is_ok());
            let market = Market {
                report_units: report, operator_share: f64::from(operator_bps) / 10_000.0, ..defaults::market()
            };
            prop_assert!(gain_of_self_rejection(&terms, &market) <= 1e-9 * report.max(1.0));
        }
    }
}
