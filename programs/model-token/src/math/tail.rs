//! What can be taken out of an open offering.

/// Of a commitment of `amount_units`: all of it before the tail, then a part that falls linearly from all at `tail_unix` to nothing at `closes_unix`.
/// So that nobody can pretend to the end, with money that then leaves, that an offering is full.
pub fn withdrawable_units(amount_units: u64, now_unix: i64, tail_unix: i64, closes_unix: i64) -> u64 {
    if now_unix >= closes_unix {
        return 0;
    }
    if now_unix <= tail_unix {
        return amount_units;
    }
    let part = || {
        let left = u128::try_from(i128::from(closes_unix).checked_sub(i128::from(now_unix))?).ok()?;
        let whole = u128::try_from(i128::from(closes_unix).checked_sub(i128::from(tail_unix))?).ok()?;
        let units = u128::from(amount_units).checked_mul(left)?.checked_div(whole)?;
        u64::try_from(units).ok()
    };
    part().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_a_tail_when_time_passes_then_the_part_falls_from_all_to_nothing() {
        let at = |now| withdrawable_units(1_000, now, 100, 200);
        assert_eq!(
            [0, 99, 100, 101, 150, 199, 200, 201].map(at),
            [1_000, 1_000, 1_000, 990, 500, 10, 0, 0]
        );
    }

    #[test]
    fn given_the_extremes_when_asked_then_nothing_overflows() {
        assert_eq!(withdrawable_units(u64::MAX, 0, i64::MIN, i64::MAX), u64::MAX / 2);
        assert_eq!(withdrawable_units(u64::MAX, i64::MIN, i64::MIN, i64::MAX), u64::MAX);
        assert_eq!(withdrawable_units(u64::MAX, 5, 5, 5), 0);
    }

    proptest! {
        #[test]
        fn given_any_tail_when_time_passes_then_never_more_and_never_more_than_all(
            amount in any::<u64>(), tail in 0i64..1 << 40, length in 1i64..1 << 30, first in 0i64..1 << 41, second in 0i64..1 << 41,
        ) {
            let closes = tail + length;
            let [before, after] = [first.min(second), first.max(second)].map(|now| withdrawable_units(amount, now, tail, closes));
            prop_assert!(after <= before && before <= amount);
        }

        #[test]
        fn given_one_investor_with_two_wallets_when_both_withdraw_then_no_more_than_one(
            one in 0u64..1 << 62, other in 0u64..1 << 62, now in 0i64..2_000,
        ) {
            let at = |amount| withdrawable_units(amount, now, 500, 1_500);
            prop_assert!(at(one) + at(other) <= at(one + other));
        }
    }
}
