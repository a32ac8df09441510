//! What one contributor has earned of what all of a version's contributors earned together.

/// `floor(earned_units * bps / all_bps)`: what a contributor with `bps` out of the contributors' `all_bps` has earned since the beginning. Counted from
/// the whole sum, so that payments at any time and in any number add up to the same. `None` when its share is more than all.
pub fn entitled_units(earned_units: u128, bps: u16, all_bps: u16) -> Option<u128> {
    if bps > all_bps {
        return None;
    }
    earned_units
        .checked_mul(u128::from(bps))?
        .checked_div(u128::from(all_bps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_shares_when_entitled_then_the_floor_of_the_part() {
        assert_eq!(entitled_units(1_001, 250, 1_000), Some(250));
        assert_eq!(entitled_units(1_003, 1_000, 1_000), Some(1_003));
        assert_eq!(entitled_units(0, 1, 1_000), Some(0));
    }

    #[test]
    fn given_no_shares_or_more_than_all_when_entitled_then_none() {
        assert_eq!(entitled_units(1, 0, 0), None);
        assert_eq!(entitled_units(1, 2, 1), None);
    }

    #[test]
    fn given_the_largest_revenue_a_million_times_when_entitled_then_it_fits() {
        let earned = u128::from(u64::MAX) * 1_000_000;
        assert_eq!(entitled_units(earned, 10_000, 10_000), Some(earned));
    }

    proptest! {
        #[test]
        fn given_any_payments_when_all_are_paid_in_any_order_then_each_has_its_part_and_no_more_than_all_left(
            splits in prop::collection::vec(any::<u64>(), 1..40),
            shares in prop::collection::vec(1u16..=1_250, 1..=8),
            turns in prop::collection::vec((0usize..8, any::<bool>()), 0..80),
        ) {
            let all: u16 = shares.iter().sum();
            let mut earned = 0u128;
            let mut paid = vec![0u128; shares.len()];
            let mut splits = splits.iter();
            let pay = |paid: &mut Vec<u128>, earned: u128, who: usize| {
                let entitled = entitled_units(earned, shares[who], all).unwrap();
                assert!(entitled >= paid[who], "what somebody has earned never shrinks");
                paid[who] = entitled;
            };
            for (who, split) in turns {
                if split {
                    earned += u128::from(splits.next().copied().unwrap_or(0));
                } else {
                    pay(&mut paid, earned, who % shares.len());
                }
                prop_assert!(paid.iter().sum::<u128>() <= earned);
            }
            for who in 0..shares.len() {
                pay(&mut paid, earned, who);
                // The exact part is earned * share / all: never more, and less than a unit less.
                let exact = earned * u128::from(shares[who]);
                prop_assert!(paid[who] * u128::from(all) <= exact && exact < (paid[who] + 1) * u128::from(all));
            }
            let left = earned - paid.iter().sum::<u128>();
            prop_assert!(left < shares.len() as u128, "dust of less than a unit for each");
        }
    }
}
