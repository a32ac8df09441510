//! Who gets what of an offering.
//!
//! Everybody pays the same price, `accepted / supply`. What one investor gets depends on the totals only, never on who claims
//! first, and each floor favours the vault: the sums of what is paid never exceed what the vaults hold.

/// What one commitment becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Tokens bought, in units of the token.
    pub tokens_units: u64,
    /// The part that bought nothing and goes back, in units of the payment mint.
    pub excess_units: u64,
}

/// How much of `committed_units` buys tokens, or `None` when it misses the minimum.
pub fn accepted_units(committed_units: u64, min_raise_units: u64, max_raise_units: u64) -> Option<u64> {
    (committed_units >= min_raise_units).then(|| committed_units.min(max_raise_units))
}

/// Shares out one commitment of an offering that succeeded. `None` when the amounts cannot be of one offering.
pub fn allocate(
    commitment_units: u64,
    committed_units: u64,
    accepted_units: u64,
    supply_units: u64,
) -> Option<Allocation> {
    let excess_total = committed_units.checked_sub(accepted_units)?;
    if commitment_units > committed_units {
        return None;
    }
    Some(Allocation {
        tokens_units: mul_div_floor(supply_units, commitment_units, committed_units)?,
        excess_units: mul_div_floor(excess_total, commitment_units, committed_units)?,
    })
}

/// `floor(whole * part / all)`; the product of two `u64` always fits an `u128`.
fn mul_div_floor(whole: u64, part: u64, all: u64) -> Option<u64> {
    let quotient = u128::from(whole)
        .checked_mul(u128::from(part))?
        .checked_div(u128::from(all))?;
    u64::try_from(quotient).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_less_than_the_maximum_when_allocated_then_no_excess() {
        assert_eq!(accepted_units(900, 500, 1_000), Some(900));
        assert_eq!(
            allocate(300, 900, 900, 9_000),
            Some(Allocation {
                tokens_units: 3_000,
                excess_units: 0
            })
        );
    }

    #[test]
    fn given_more_than_the_maximum_when_allocated_then_pro_rata_with_the_excess_back() {
        assert_eq!(accepted_units(4_000, 500, 1_000), Some(1_000));
        assert_eq!(
            allocate(1_000, 4_000, 1_000, 8_000),
            Some(Allocation {
                tokens_units: 2_000,
                excess_units: 750
            })
        );
    }

    #[test]
    fn given_a_total_when_around_the_minimum_then_accepted_only_from_it() {
        assert_eq!(accepted_units(499, 500, 1_000), None);
        assert_eq!(accepted_units(500, 500, 1_000), Some(500));
        assert_eq!(accepted_units(0, 1, 1), None);
    }

    #[test]
    fn given_the_largest_amounts_when_allocated_then_exact() {
        let all = u64::MAX;
        assert_eq!(
            allocate(all, all, all, all),
            Some(Allocation {
                tokens_units: all,
                excess_units: 0
            })
        );
        assert_eq!(
            allocate(1, all, all, all),
            Some(Allocation {
                tokens_units: 1,
                excess_units: 0
            })
        );
        assert_eq!(
            allocate(all, all, 1, 1),
            Some(Allocation {
                tokens_units: 1,
                excess_units: all - 1
            })
        );
    }

    #[test]
    fn given_amounts_of_different_offerings_when_allocated_then_none() {
        assert_eq!(allocate(2, 1, 1, 10), None);
        assert_eq!(allocate(1, 1, 2, 10), None);
        assert_eq!(allocate(0, 0, 0, 10), None);
    }

    fn amounts() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![Just(1u64), 1u64..1_000, 1u64..u64::MAX / 64], 1..32)
    }

    proptest! {
        #[test]
        fn given_any_commitments_when_all_are_claimed_then_the_vaults_suffice(
            commitments in amounts(), max in 1u64..=u64::MAX, supply in 1u64..=u64::MAX,
        ) {
            let committed: u64 = commitments.iter().sum();
            let accepted = accepted_units(committed, 1, max).unwrap();
            let mut tokens = 0u128;
            let mut excess = 0u128;
            for commitment in &commitments {
                let allocation = allocate(*commitment, committed, accepted, supply).unwrap();
                prop_assert!(allocation.excess_units <= *commitment);
                tokens += u128::from(allocation.tokens_units);
                excess += u128::from(allocation.excess_units);
            }
            let investors = commitments.len() as u128;
            prop_assert!(tokens <= u128::from(supply) && tokens + investors > u128::from(supply));
            prop_assert!(excess + u128::from(accepted) <= u128::from(committed));
            prop_assert!(excess + u128::from(accepted) + investors > u128::from(committed));
        }

        #[test]
        fn given_one_investor_with_two_wallets_when_allocated_then_no_advantage(
            one in 1u64..1 << 60, other in 1u64..1 << 60, rest in 0u64..1 << 60, max in 1u64..=u64::MAX, supply in 1u64..=u64::MAX,
        ) {
            let committed = one + other + rest;
            let accepted = accepted_units(committed, 1, max).unwrap();
            let whole = allocate(one + other, committed, accepted, supply).unwrap();
            let first = allocate(one, committed, accepted, supply).unwrap();
            let second = allocate(other, committed, accepted, supply).unwrap();
            prop_assert!(first.tokens_units + second.tokens_units <= whole.tokens_units);
            prop_assert!(first.excess_units + second.excess_units <= whole.excess_units);
        }
    }
}
