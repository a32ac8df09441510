//! What random audits add to the checks, and what they cost.
//!
//! An audit draws one receipt, each as likely. Whether somebody honest recomputes it is what nobody can enforce: the operator's friends, who are told the trace, earn the fee
//! for less. So every figure here takes the part of the audits that is recomputed in earnest.

use model_token::state::AuditTerms;
use opml_oracle::audit_game::audits_of;
use serde::Serialize;

use crate::{Market, terms::share};

/// Transactions of the auditor's that asks for the trace as well: to commit, to ask, to open its commitment.
pub const AUDITOR_TRANSACTIONS: u32 = 3;

/// Random audits of one report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Auditing {
    /// Audits drawn of the report.
    pub audits: u8,
    /// The probability that a given answer is drawn and recomputed in earnest: what audits add to the checks.
    pub check_probability: f64,
    /// What all fees together cost, in units.
    pub fees_units: f64,
    /// What the report brings into the fund, in units.
    pub funds_units: f64,
    /// What the answers cost the operator, which computes each once more and lands it, in units.
    pub answering_units: f64,
    /// The most auditors of one receipt among whom the fee pays each for its work.
    pub most_auditors: u32,
}

/// What audits of this market's reports come to, when a part `in_earnest` of them is recomputed by somebody who would dispute.
pub fn auditing(audits: &AuditTerms, market: &Market, protocol_share: f64, in_earnest: f64) -> Auditing {
    let drawn = audits_of(market.requests.into());
    let fee = audits.fee_units as f64;
    let landing = market.landing_cost_units;
    let work = market.check_cost_units + f64::from(AUDITOR_TRANSACTIONS) * landing;
    Auditing {
        audits: drawn,
        check_probability: in_earnest * (1.0 - (1.0 - 1.0 / f64::from(market.requests)).powi(drawn.into())),
        fees_units: f64::from(drawn) * fee,
        funds_units: market.report_units * protocol_share * share(audits.share_bps),
        answering_units: f64::from(drawn) * (market.inference_cost_units + landing),
        // Not a number when the work is for nothing, which a cast makes zero.
        most_auditors: (fee / work) as u32,
    }
}

/// The probability that at least one of `lies` false answers is recomputed, by own checks of each answer with `check_probability` or by the audits.
pub fn detection(check_probability: f64, requests: u32, audits: u8, in_earnest: f64, lies: u32) -> f64 {
    let unseen = 1.0 - crate::attack::detection(check_probability, lies);
    let missed = 1.0 - in_earnest * f64::from(lies.min(requests)) / f64::from(requests);
    1.0 - unseen * missed.powi(audits.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attack, defaults};
    use proptest::prelude::*;

    /// Of a report of so many requests at the default price.
    fn of(requests: u32, in_earnest: f64) -> Auditing {
        let default = defaults::market();
        let price = default.report_units / f64::from(default.requests);
        let market = Market {
            requests,
            report_units: price * f64::from(requests),
            ..default
        };
        auditing(&defaults::audits(), &market, 0.05, in_earnest)
    }

    #[test]
    fn given_the_defaults_when_calculated_then_the_figures_of_the_documentation() {
        let rounded = |requests, in_earnest| {
            let auditing = of(requests, in_earnest);
            let basis_points = (auditing.check_probability * 10_000.0 * 100.0).round() / 100.0;
            let cents = |units: f64| (units / defaults::ONE as f64 * 100.0).round() / 100.0;
            (
                auditing.audits,
                basis_points,
                cents(auditing.fees_units),
                cents(auditing.funds_units),
                cents(auditing.answering_units),
                auditing.most_auditors,
            )
        };
        assert_eq!(rounded(100, 1.0), (1, 100.0, 0.5, 0.1, 0.04, 6));
        assert_eq!(rounded(1_000, 1.0), (2, 19.99, 1.0, 1.0, 0.08, 6));
        assert_eq!(rounded(10_000, 1.0), (16, 15.99, 8.0, 10.0, 0.64, 6));
        assert_eq!(rounded(10_000, 0.5), (16, 7.99, 8.0, 10.0, 0.64, 6));
        assert_eq!(rounded(100_000, 1.0), (16, 1.6, 8.0, 100.0, 0.64, 6));
    }

    #[test]
    fn given_nobody_who_checks_its_own_when_every_audit_is_in_earnest_then_the_default_lie_does_not_pay() {
        let gain = |in_earnest| {
            let market = Market {
                check_probability: of(10_000, in_earnest).check_probability,
                ..defaults::market()
            };
            attack::gain_of_lying(&defaults::terms(), &market, 1)
        };
        assert!(gain(1.0) < 0.0);
        assert!(gain(0.5) > 0.0);
    }

    #[test]
    fn given_a_report_of_lies_when_one_audit_is_in_earnest_then_found() {
        assert_eq!(detection(0.0, 10_000, 1, 1.0, 10_000), 1.0);
        assert_eq!(detection(0.0, 10_000, 16, 0.0, 10_000), 0.0);
    }

    proptest! {
        #[test]
        fn given_any_audits_when_there_are_more_or_more_in_earnest_then_never_fewer_lies_are_found(
            own in 0.0f64..=1.0, requests in 1u32..100_000, audits in 0u8..16, in_earnest in 0.0f64..=0.9, lies in 0u32..1_000,
        ) {
            let base = detection(own, requests, audits, in_earnest, lies);
            prop_assert!(base >= attack::detection(own, lies) - 1e-12);
            prop_assert!(detection(own, requests, audits + 1, in_earnest, lies) >= base - 1e-12);
            prop_assert!(detection(own, requests, audits, in_earnest + 0.1, lies) >= base - 1e-12);
            prop_assert!((0.0..=1.0).contains(&base));
        }

        #[test]
        fn given_one_lie_when_audits_are_added_to_own_checks_then_as_if_both_were_independent(
            own in 0.0f64..=1.0, requests in 1u32..100_000, in_earnest in 0.0f64..=1.0,
        ) {
            let market = Market { requests, ..defaults::market() };
            let added = auditing(&defaults::audits(), &market, 0.05, in_earnest);
            let both = detection(own, requests, added.audits, in_earnest, 1);
            let bound = 1.0 - (1.0 - own) * (1.0 - added.check_probability);
            // Each audit fails for itself, so that together they find no less.
            prop_assert!(both >= bound - 1e-12);
        }
    }
}
