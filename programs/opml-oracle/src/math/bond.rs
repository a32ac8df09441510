//! What a bond covers.

use imo_protocol::ALL_BPS;

/// The most that may be collected against a bond: `floor(bond * 10,000 / bond_ratio)`. `None` when the ratio is zero or the result no amount.
pub fn max_collect_units(bond_units: u64, bond_ratio_bps: u32) -> Option<u64> {
    // On chain a division of 64 bits is an instruction, one of 128 a routine.
    if let Some(scaled) = bond_units.checked_mul(ALL_BPS.into()) {
        return scaled.checked_div(bond_ratio_bps.into());
    }
    let covered = u128::from(bond_units)
        .checked_mul(u128::from(ALL_BPS))?
        .checked_div(u128::from(bond_ratio_bps))?;
    u64::try_from(covered).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_a_bond_when_the_ratio_is_two_then_half_of_it_is_covered() {
        assert_eq!(max_collect_units(1_001, 20_000), Some(500));
        assert_eq!(max_collect_units(1_001, 0), None);
        assert_eq!(max_collect_units(u64::MAX, 1), None);
    }

    proptest! {
        #[test]
        fn given_any_bond_when_all_that_it_covers_is_collected_then_the_ratio_holds(bond in any::<u64>(), ratio in 1u32..=1_000_000) {
            if let Some(covered) = max_collect_units(bond, ratio) {
                let needed = |collected: u64| u128::from(collected) * u128::from(ratio);
                let bonded = u128::from(bond) * 10_000;
                prop_assert!(needed(covered) <= bonded);
                prop_assert!(needed(covered) + u128::from(ratio) > bonded);
            }
        }
    }
}
