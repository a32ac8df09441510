//! Shares of amounts.

/// All of an amount, in basis points.
pub const ALL_BPS: u16 = 10_000;

/// `floor(amount_units * bps / 10_000)`, or `None` when `bps` is more than all.
pub fn share_floor(amount_units: u64, bps: u16) -> Option<u64> {
    if bps > ALL_BPS {
        return None;
    }
    let share = u128::from(amount_units)
        .checked_mul(u128::from(bps))?
        .checked_div(u128::from(ALL_BPS))?;
    u64::try_from(share).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_the_largest_amount_when_all_or_none_is_taken_then_exact() {
        assert_eq!(share_floor(u64::MAX, ALL_BPS), Some(u64::MAX));
        assert_eq!(share_floor(u64::MAX, 0), Some(0));
        assert_eq!(share_floor(9_999, 1), Some(0));
        assert_eq!(share_floor(10_000, 1), Some(1));
    }

    #[test]
    fn given_more_than_all_when_shared_then_none() {
        assert_eq!(share_floor(1, ALL_BPS + 1), None);
    }

    proptest! {
        #[test]
        fn given_shares_that_sum_to_all_when_floored_then_at_most_the_amount(amount in any::<u64>(), cut in 0..=ALL_BPS) {
            let one = share_floor(amount, cut).unwrap();
            let other = share_floor(amount, ALL_BPS - cut).unwrap();
            let sum = u128::from(one) + u128::from(other);
            prop_assert!(sum <= u128::from(amount));
            prop_assert!(sum + 1 >= u128::from(amount));
        }
    }
}
