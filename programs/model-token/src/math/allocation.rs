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

    /// A generator of commitments: many small ones, some large, and now and then as much as a mint can hold.
    fn crowd(investors: usize, seed: u64) -> Vec<u64> {
        let mut state = seed;
        let mut next = move || {
            // SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        // The sum of ten thousand stays below what one mint holds.
        (0..investors).map(|_| (next() >> (15 + next() % 49)).max(1)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// What `claim_commitment`, `withdraw_tranche` and `sweep_dust` pay, with nothing of the program but its arithmetic.
        #[test]
        fn given_up_to_ten_thousand_investors_when_all_is_paid_in_any_order_then_every_unit_is_accounted_for(
            investors in 1usize..=10_000, seed in any::<u64>(), max in prop_oneof![1u64..1_000_000, 1u64..=u64::MAX], supply in 1u64..=u64::MAX,
            immediate_bps in 0u16..=10_000, cuts in prop::array::uniform3(0u16..=10_000),
        ) {
            use crate::{math::tranches::tranche_units, state::VestingTerms};
            let commitments = crowd(investors, seed);
            let committed: u64 = commitments.iter().sum();
            let accepted = accepted_units(committed, 1, max).unwrap();
            let terms = VestingTerms { immediate_bps, cliff_seconds: 1, linear_seconds: 0 };
            let pay_all = |order: &mut dyn Iterator<Item = &u64>| {
                order.fold((0u64, 0u64, 0u64), |(immediate, vesting, excess), commitment| {
                    let Allocation { tokens_units, excess_units } = allocate(*commitment, committed, accepted, supply).unwrap();
                    let [free, vests] = [terms.immediate_part(tokens_units), terms.vesting_part(tokens_units)];
                    (immediate + free.unwrap(), vesting + vests.unwrap(), excess + excess_units)
                })
            };
            let (immediate, vesting, excess) = pay_all(&mut commitments.iter());
            prop_assert_eq!(pay_all(&mut commitments.iter().rev()), (immediate, vesting, excess));

            // Payment: refunds, tranches and dust are what came in.
            let mut cuts = cuts;
            cuts.sort_unstable();
            let [a, b, c] = cuts;
            let shares = [a, b - a, c - b, 10_000 - c];
            let proceeds: u64 = (0..4).map(|index| tranche_units(accepted, shares, index).unwrap()).sum();
            prop_assert_eq!(proceeds, accepted);
            let payment_dust = committed - excess - proceeds;
            prop_assert!(payment_dust < investors as u64);
            // Tokens: what is free, what vests and dust are the supply.
            let token_dust = supply - immediate - vesting;
            prop_assert!(token_dust < 2 * investors as u64);
            // What the pool counts as vesting covers what vests, and exceeds it by less than a unit for each floor.
            let counted = terms.vesting_part(supply).unwrap();
            prop_assert!(vesting <= counted && counted - vesting <= token_dust + investors as u64);
            // Whatever was paid at once, the tokens that the pool counts are there.
            prop_assert!(u128::from(immediate) + u128::from(counted) <= u128::from(supply));
        }
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
