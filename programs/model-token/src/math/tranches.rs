//! How the proceeds are cut.

/// The `index`-th part of `accepted_units` when they are cut by `shares_bps`: the difference of two floored sums, so that the parts are exactly all
/// when the shares are. `None` when there is no such part or the shares are more than all.
pub fn tranche_units(accepted_units: u64, shares_bps: impl IntoIterator<Item = u16>, index: usize) -> Option<u64> {
    let mut before_bps = 0u16;
    for (position, share_bps) in shares_bps.into_iter().enumerate() {
        let until_bps = before_bps.checked_add(share_bps)?;
        if position == index {
            let [before, until] = [before_bps, until_bps].map(|bps| imo_protocol::share_floor(accepted_units, bps));
            return until?.checked_sub(before?);
        }
        before_bps = until_bps;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_an_odd_amount_when_cut_then_every_unit_is_in_one_part() {
        let shares = [3_333, 3_333, 3_334];
        assert_eq!(
            [0, 1, 2].map(|index| tranche_units(101, shares, index)),
            [Some(33), Some(34), Some(34)]
        );
        assert_eq!(tranche_units(u64::MAX, [10_000], 0), Some(u64::MAX));
    }

    #[test]
    fn given_no_such_part_or_more_than_all_when_cut_then_none() {
        assert_eq!(tranche_units(100, [10_000], 1), None);
        assert_eq!(tranche_units(100, [], 0), None);
        assert_eq!(tranche_units(100, [9_000, 1_001], 1), None);
        assert_eq!(tranche_units(100, [u16::MAX, 1], 1), None);
    }

    proptest! {
        #[test]
        fn given_any_shares_of_all_when_cut_then_the_parts_are_all(accepted in any::<u64>(), cuts in prop::array::uniform3(0u16..=10_000)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let [a, b, c] = cuts;
            let shares = [a, b - a, c - b, 10_000 - c];
            let sum: u64 = (0..4).map(|index| tranche_units(accepted, shares, index).unwrap()).sum();
            prop_assert_eq!(sum, accepted);
        }
    }
}
