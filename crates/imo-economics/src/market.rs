//! What the terms have to hold against.

use serde::Serialize;

/// One operator's business on one model, and who looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Market {
    /// Revenue of one report, in units.
    pub report_units: f64,
    /// Requests of one report.
    pub requests: u32,
    /// What computing one answer costs its operator, in units: what a lazy operator saves by making one up.
    pub inference_cost_units: f64,
    /// What recomputing one answer costs whoever checks it, in units.
    pub check_cost_units: f64,
    /// What it costs to land one transaction when the network is busy, in units.
    pub landing_cost_units: f64,
    /// The operator's share of revenue.
    pub operator_share: f64,
    /// The probability that a given answer is recomputed by somebody who would dispute it.
    pub check_probability: f64,
    /// What one particular false answer is worth to whoever bought it from the operator, in units, caught or not.
    pub prize_units: f64,
    /// What locked money costs, as a part of it in a year.
    pub interest: f64,
    /// What the operator has at stake, in units.
    pub stake_units: f64,
}

/// Why a market makes no sense. Each names the value and its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MarketError {
    #[error("{name} must be an amount of zero or more, not {value}.")]
    Amount { name: &'static str, value: f64 },
    #[error("{name} must be between 0 and 1, not {value}.")]
    Share { name: &'static str, value: f64 },
    #[error("A report has at least one request.")]
    NoRequests,
}

impl Market {
    /// Refuses amounts below zero and shares that are none.
    pub fn validate(&self) -> Result<(), MarketError> {
        let Self {
            report_units,
            requests,
            inference_cost_units,
            check_cost_units,
            landing_cost_units,
            operator_share,
            check_probability,
            prize_units,
            interest,
            stake_units,
        } = *self;
        for (name, value) in [
            ("The revenue of a report", report_units),
            ("The cost of an inference", inference_cost_units),
            ("The cost of a check", check_cost_units),
            ("The cost of landing a transaction", landing_cost_units),
            ("The prize of a lie", prize_units),
            ("The interest", interest),
            ("The stake", stake_units),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(MarketError::Amount { name, value });
            }
        }
        for (name, value) in [
            ("The operator's share", operator_share),
            ("The probability of a check", check_probability),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(MarketError::Share { name, value });
            }
        }
        if requests == 0 {
            return Err(MarketError::NoRequests);
        }
        Ok(())
    }

    /// What the operator earns with an honest report before the cost of its capital, in units.
    pub fn honest_profit_units(&self) -> f64 {
        self.operator_share * self.report_units - f64::from(self.requests) * self.inference_cost_units
    }
}
