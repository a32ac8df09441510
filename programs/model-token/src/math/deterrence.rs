//! When a bond is worth more than what a fraud can keep from others.

const ALL: u64 = 10_000;

/// Whether `bond_ratio * (1 - prover_share - cost_cap) >= 1 - operator_share`.
///
/// An operator that has its own report rejected gives its payers back what others would have got, `1 - operator_share` of the
/// revenue, and loses of its bond what friends cannot recover as provers. With this inequality that is never a gain.
/// All shares in basis points; shares above all never deter.
pub fn bond_deters(bond_ratio_bps: u32, prover_share_bps: u16, cost_cap_bps: u16, operator_bps: u16) -> bool {
    let recoverable = u64::from(prover_share_bps).saturating_add(u64::from(cost_cap_bps));
    let (Some(lost), Some(evaded)) = (ALL.checked_sub(recoverable), ALL.checked_sub(u64::from(operator_bps))) else {
        return false;
    };
    u64::from(bond_ratio_bps).saturating_mul(lost) >= evaded.saturating_mul(ALL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_the_border_when_one_point_is_missing_then_it_does_not_deter() {
        assert!(bond_deters(10_000, 2_000, 1_000, 3_000));
        assert!(!bond_deters(9_999, 2_000, 1_000, 3_000));
        assert!(!bond_deters(10_000, 2_001, 1_000, 3_000));
        assert!(!bond_deters(10_000, 2_000, 1_001, 3_000));
        assert!(!bond_deters(10_000, 2_000, 1_000, 2_999));
    }

    #[test]
    fn given_shares_above_all_when_asked_then_it_does_not_deter() {
        assert!(!bond_deters(u32::MAX, 6_000, 4_001, 10_000));
        assert!(!bond_deters(u32::MAX, u16::MAX, u16::MAX, 0));
        assert!(!bond_deters(u32::MAX, 0, 0, 10_001));
    }

    proptest! {
        #[test]
        fn given_a_deterring_bond_when_a_coalition_is_caught_then_it_gains_nothing(
            revenue in 0u64..1 << 40, ratio in 1u32..1_000_000, prover in 0u16..=10_000, cap in 0u16..=10_000, operator in 0u16..=10_000,
        ) {
            prop_assume!(bond_deters(ratio, prover, cap, operator));
            let (revenue, ratio) = (i128::from(revenue), i128::from(ratio));
            let recovered = i128::from(prover) + i128::from(cap);
            // Scaled by 10,000 twice, so that nothing is rounded.
            let evaded = revenue * (10_000 - i128::from(operator)) * 10_000;
            let lost = revenue * ratio * (10_000 - recovered);
            prop_assert!(evaded <= lost);
        }
    }
}
