//! The market that the protocol is set up for, and the terms that come from it: `safety::smallest`, rounded up to what people remember.

use model_token::state::{AuditTerms, DisputeTerms};

use crate::{Market, terms::hours};

/// Units of a whole dollar.
pub const ONE: u64 = 1_000_000;

/// A report of 1,000 dollars for 10,000 answers, one in a hundred of which somebody recomputes, and a lie that is worth twenty times the price of its
/// answer.
pub fn market() -> Market {
    let one = ONE as f64;
    Market {
        report_units: 1_000.0 * one,
        requests: 10_000,
        inference_cost_units: 0.02 * one,
        check_cost_units: 0.02 * one,
        landing_cost_units: 0.02 * one,
        operator_share: 0.4,
        check_probability: 0.01,
        prize_units: 2.0 * one,
        interest: 0.08,
        stake_units: 10_000.0 * one,
    }
}

/// Times: a move within two hours, so that an outage shorter than that costs nothing; six hours for all moves of a side; a day to find a lie; every wait of
/// money longer than any report before it.
pub fn terms() -> DisputeTerms {
    DisputeTerms {
        window_slots: hours(24),
        seal_slots: hours(24),
        response_slots: hours(2),
        clock_slots: hours(6),
        bond_ratio_bps: 20_000,
        min_bond_units: 300 * ONE,
        challenger_bond_units: 5 * ONE,
        open_fee_units: ONE / 10,
        move_cost_units: ONE / 10,
        prover_share_bps: 2_000,
        cost_cap_bps: 1_000,
        unbonding_slots: hours(96),
        notice_slots: hours(48),
        epoch_slots: hours(48),
        byte_fee_units: ONE / 100_000,
    }
}

/// A fifth of the protocol's share, and fifty cents for each audit: six auditors may come and each is paid for its work.
pub fn audits() -> AuditTerms {
    AuditTerms {
        share_bps: 2_000,
        fee_units: ONE / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_defaults_when_the_program_checks_them_then_accepted() {
        terms().validate().unwrap();
        terms().validate_deterrence(4_000).unwrap();
        market().validate().unwrap();
        audits().validate().unwrap();
    }
}
