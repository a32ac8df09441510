//! What an audit pays.

/// What each of `matched` auditors gets of a fee, in units: the floor of an equal part, so that one auditor with many names gets no more than with one. Zero when nobody
/// matched; what is left stays in the fund.
pub fn auditor_units(fee_units: u64, matched: u32) -> u64 {
    fee_units.checked_div(matched.into()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_a_fee_when_shared_then_equal_parts_and_the_rest_stays() {
        assert_eq!(auditor_units(1_000, 0), 0);
        assert_eq!(auditor_units(1_000, 1), 1_000);
        assert_eq!(auditor_units(1_000, 3), 333);
        assert_eq!(auditor_units(2, 3), 0);
    }

    proptest! {
        #[test]
        fn given_any_fee_when_all_are_paid_then_never_more_than_it(fee in any::<u64>(), matched in any::<u32>()) {
            let paid = u128::from(auditor_units(fee, matched)) * u128::from(matched);
            prop_assert!(paid <= u128::from(fee));
            prop_assert!(matched == 0 || u128::from(fee) - paid < u128::from(matched));
        }
    }
}
