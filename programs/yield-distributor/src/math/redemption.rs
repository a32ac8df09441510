//! What burning tokens pays.

/// `floor(redeem_units * burned_units / supply_units)`. The floor stays with those who remain, so that the rate never falls and no
/// order of redemptions is better than another. `None` when more is burned than exists.
pub fn redemption_units(redeem_units: u64, burned_units: u64, supply_units: u64) -> Option<u64> {
    if burned_units > supply_units {
        return None;
    }
    let paid = u128::from(redeem_units)
        .checked_mul(u128::from(burned_units))?
        .checked_div(u128::from(supply_units))?;
    u64::try_from(paid).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_the_whole_supply_when_redeemed_then_the_whole_pool() {
        assert_eq!(redemption_units(u64::MAX, u64::MAX, u64::MAX), Some(u64::MAX));
        assert_eq!(redemption_units(7, 1, 1), Some(7));
    }

    #[test]
    fn given_more_than_the_supply_or_none_at_all_when_redeemed_then_none() {
        assert_eq!(redemption_units(7, 2, 1), None);
        assert_eq!(redemption_units(7, 0, 0), None);
    }

    proptest! {
        #[test]
        fn given_any_order_when_all_redeem_then_the_same_within_their_number(
            burns in prop::collection::vec(1u64..1 << 40, 1..12), left in 0u64..1 << 40, pool in any::<u64>(), turn in any::<prop::sample::Index>(),
        ) {
            let supply: u64 = burns.iter().sum::<u64>() + left;
            let redeem_all = |burns: &[u64]| {
                let (mut pool, mut supply) = (pool, supply);
                burns.iter().map(|burned| {
                    let paid = redemption_units(pool, *burned, supply).unwrap();
                    pool -= paid;
                    supply -= burned;
                    paid
                }).collect::<Vec<_>>()
            };
            let mut turned = burns.clone();
            let places = turn.index(turned.len());
            turned.rotate_left(places);
            let paid = redeem_all(&burns);
            let mut paid_turned = redeem_all(&turned);
            paid_turned.rotate_right(places);
            for (one, other) in paid.iter().zip(&paid_turned) {
                prop_assert!(one.abs_diff(*other) <= burns.len() as u64);
            }
            prop_assert!(paid.iter().sum::<u64>() <= pool);
        }

        #[test]
        fn given_a_redemption_when_another_follows_then_the_rate_has_not_fallen(
            pool in any::<u64>(), supply in 2u64..=u64::MAX, part in any::<prop::sample::Index>(),
        ) {
            let burned = 1 + (part.index(usize::MAX) as u64) % (supply - 1);
            let paid = redemption_units(pool, burned, supply).unwrap();
            let before = u128::from(pool) * u128::from(supply - burned);
            let after = u128::from(pool - paid) * u128::from(supply);
            prop_assert!(after >= before);
        }
    }
}
