//! How tokens that were bought are set free.

/// Of `total_units` that wait for a cliff and then come linearly, what is free after `elapsed_seconds`: nothing before the cliff, all from its end plus
/// `linear_seconds` on, and at the cliff itself all when nothing is linear. Floored; never falls with time.
pub fn vested_units(total_units: u64, elapsed_seconds: i64, cliff_seconds: u32, linear_seconds: u32) -> u64 {
    let since_cliff = elapsed_seconds.saturating_sub(i64::from(cliff_seconds));
    let Ok(since_cliff) = u64::try_from(since_cliff) else {
        return 0;
    };
    if since_cliff >= u64::from(linear_seconds) {
        return total_units;
    }
    // Less than all, because `since_cliff < linear_seconds`; which is therefore not zero either.
    let vested = u128::from(total_units)
        .checked_mul(u128::from(since_cliff))
        .and_then(|product| product.checked_div(u128::from(linear_seconds)))
        .and_then(|units| u64::try_from(units).ok());
    vested.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_cliff_and_line_when_around_their_ends_then_exact_to_the_second() {
        let at = |elapsed| vested_units(1_000, elapsed, 100, 10);
        assert_eq!([99, 100, 101, 109, 110, 111].map(at), [0, 0, 100, 900, 1_000, 1_000]);
    }

    #[test]
    fn given_a_cliff_alone_when_it_ends_then_all_at_once() {
        assert_eq!([99, 100].map(|elapsed| vested_units(7, elapsed, 100, 0)), [0, 7]);
        assert_eq!(vested_units(7, 0, 0, 0), 7);
    }

    #[test]
    fn given_the_extremes_when_asked_then_nothing_overflows() {
        let all = u64::MAX;
        assert_eq!(vested_units(all, i64::MIN, u32::MAX, u32::MAX), 0);
        assert_eq!(vested_units(all, i64::MAX, u32::MAX, u32::MAX), all);
        assert_eq!(
            vested_units(all, i64::from(u32::MAX) - 1, 0, u32::MAX),
            all - 4_294_967_297
        );
        assert_eq!(vested_units(0, i64::MAX, 0, 1), 0);
    }

    proptest! {
        #[test]
        fn given_any_schedule_when_time_passes_then_never_less_and_never_more_than_all(
            total in any::<u64>(), cliff in any::<u32>(), linear in any::<u32>(), first in any::<i64>(), second in any::<i64>(),
        ) {
            let (earlier, later) = (first.min(second), first.max(second));
            let [before, after] = [earlier, later].map(|elapsed| vested_units(total, elapsed, cliff, linear));
            prop_assert!(before <= after && after <= total);
            let end = i64::from(cliff) + i64::from(linear);
            prop_assert_eq!(vested_units(total, end, cliff, linear), total);
            prop_assert_eq!(vested_units(total, i64::from(cliff) - 1, cliff, linear), 0);
        }

        #[test]
        fn given_a_schedule_that_is_later_in_both_ends_when_compared_then_never_ahead(
            total in any::<u64>(), cliff in 0u32..1 << 30, linear in 0u32..1 << 30, wait in 0u32..1 << 20, longer in 0u32..1 << 20, elapsed in 0i64..1 << 32,
        ) {
            let later_cliff = cliff + wait;
            let later_end = cliff + linear + longer;
            prop_assume!(later_end >= later_cliff);
            let earlier = vested_units(total, elapsed, cliff, linear);
            prop_assert!(vested_units(total, elapsed, later_cliff, later_end - later_cliff) <= earlier);
        }

        #[test]
        fn given_many_owners_when_each_is_rounded_then_together_at_most_the_whole(
            parts in prop::collection::vec(any::<u32>(), 1..50), linear in 1u32..1 << 20, elapsed in 0i64..1 << 21,
        ) {
            let whole: u64 = parts.iter().map(|part| u64::from(*part)).sum();
            let vested: u64 = parts.iter().map(|part| vested_units((*part).into(), elapsed, 0, linear)).sum();
            prop_assert!(vested <= vested_units(whole, elapsed, 0, linear));
        }
    }
}
