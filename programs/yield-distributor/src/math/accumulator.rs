//! Yield per staked unit, as one growing number.
//!
//! The accumulator is what one token unit that was staked all along has earned, times 2^64. Why nothing overflows:
//! - `holders <= u64::MAX`, so `holders << 64` fits an `u128`, and so does what a deposit adds, `floor(holders * 2^64 / supply)`.
//! - The active stake is part of the supply, so that `active * floor(holders * 2^64 / supply) <= holders * 2^64`.
//! - The sum could pass `u128::MAX` only after deposits of 2^64 units for each token unit in existence. Even then nothing stops: what
//!   the accumulator cannot take goes to the redeem pool.
//! - `earned` multiplies 64 by 128 bits in two halves. Its result is at most what was promised since `from`, because a position's
//!   units are part of every active stake they were in; this is in the vault, whose balance is an `u64`.
//!
//! Why nobody is paid too much: what one deposit promises is rounded up, what a position earns is rounded down, so that all payments
//! together stay within the promises. What rounding leaves stays in the vault.

/// Bits after the point of the accumulator.
const SCALE_BITS: u32 = 64;

/// Where a deposit for the holders goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderShares {
    /// Promised to those who stake, in units of revenue.
    pub stakers_units: u64,
    /// The part of the tokens that are not staked, for the redeem pool, in units of revenue.
    pub redeem_units: u64,
    /// The accumulator after the deposit.
    pub accumulator: u128,
}

/// Shares `holders_units` out: a staked token earns what every token would if all were staked, so that a lone staker gains nothing
/// from being alone, and nobody's part depends on who else stakes. Everything goes to the redeem pool when nothing is staked or no token exists.
pub fn share_holders(holders_units: u64, active_units: u64, supply_units: u64, accumulator: u128) -> HolderShares {
    let nothing_staked = HolderShares {
        stakers_units: 0,
        redeem_units: holders_units,
        accumulator,
    };
    let shared = || {
        let per_unit = (u128::from(holders_units) << SCALE_BITS).checked_div(u128::from(supply_units))?;
        let stakers = u128::from(active_units).checked_mul(per_unit)?;
        let stakers_units = u64::try_from(stakers.div_ceil(1 << SCALE_BITS)).ok()?;
        Some(HolderShares {
            stakers_units,
            redeem_units: holders_units.checked_sub(stakers_units)?,
            accumulator: accumulator.checked_add(per_unit)?,
        })
    };
    if active_units == 0 {
        return nothing_staked;
    }
    shared().unwrap_or(nothing_staked)
}

/// What `units` earned while the accumulator went from `from` to `to`: `floor(units * (to - from) / 2^64)`. `None` when it went
/// backwards or the result does not fit, which no sequence of deposits brings about.
pub fn earned(units: u64, from: u128, to: u128) -> Option<u64> {
    let growth = to.checked_sub(from)?;
    let units = u128::from(units);
    // `units * whole` is an integer, so that flooring the other half floors the sum.
    let whole = growth >> SCALE_BITS;
    let fraction = growth & u128::from(u64::MAX);
    let from_whole = units.checked_mul(whole)?;
    let from_fraction = units.checked_mul(fraction)? >> SCALE_BITS;
    u64::try_from(from_whole.checked_add(from_fraction)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: u128 = 1 << SCALE_BITS;

    #[test]
    fn given_half_of_the_supply_staked_when_shared_then_half_to_each() {
        let shares = share_holders(1_000, 500, 1_000, 7);
        assert_eq!(
            shares,
            HolderShares {
                stakers_units: 500,
                redeem_units: 500,
                accumulator: 7 + ONE
            }
        );
    }

    #[test]
    fn given_nothing_staked_or_no_supply_when_shared_then_all_to_the_redeem_pool() {
        let all = HolderShares {
            stakers_units: 0,
            redeem_units: 1_000,
            accumulator: 7,
        };
        assert_eq!(share_holders(1_000, 0, 1_000, 7), all);
        assert_eq!(share_holders(1_000, 0, 0, 7), all);
    }

    #[test]
    fn given_a_full_accumulator_when_shared_then_all_to_the_redeem_pool() {
        let shares = share_holders(10, 10, 10, u128::MAX - 1);
        assert_eq!(
            shares,
            HolderShares {
                stakers_units: 0,
                redeem_units: 10,
                accumulator: u128::MAX - 1
            }
        );
    }

    #[test]
    fn given_the_largest_amounts_when_shared_and_earned_then_exact() {
        let all = u64::MAX;
        let shares = share_holders(all, all, all, 0);
        assert_eq!(
            shares,
            HolderShares {
                stakers_units: all,
                redeem_units: 0,
                accumulator: ONE
            }
        );
        assert_eq!(earned(all, 0, shares.accumulator), Some(all));
        let lone = share_holders(all, 1, 1, 0);
        assert_eq!(earned(1, 0, lone.accumulator), Some(all));
    }

    #[test]
    fn given_an_accumulator_that_went_backwards_when_earned_then_none() {
        assert_eq!(earned(1, 2, 1), None);
        assert_eq!(earned(u64::MAX, 0, u128::MAX), None);
    }

    proptest! {
        #[test]
        fn given_a_one_unit_staker_when_shared_then_at_most_its_proportion_of_the_supply(holders in any::<u64>(), supply in 1u64..=u64::MAX) {
            let shares = share_holders(holders, 1, supply, 0);
            let paid = earned(1, 0, shares.accumulator).unwrap();
            prop_assert_eq!(paid, holders / supply);
            prop_assert_eq!(shares.stakers_units + shares.redeem_units, holders);
        }

        #[test]
        fn given_any_stakers_when_each_is_paid_then_at_most_what_was_promised(
            holders in any::<u64>(), stakes in prop::collection::vec(1u64..1 << 56, 1..20), unstaked in 0u64..1 << 60, before in 0u128..1 << 120,
        ) {
            let active: u64 = stakes.iter().sum();
            let shares = share_holders(holders, active, active + unstaked, before);
            prop_assert_eq!(shares.stakers_units + shares.redeem_units, holders);
            let paid: u128 = stakes.iter().map(|units| u128::from(earned(*units, before, shares.accumulator).unwrap())).sum();
            prop_assert!(paid <= u128::from(shares.stakers_units));
        }

        #[test]
        fn given_two_periods_when_settled_between_then_never_more_than_at_once(
            units in any::<u64>(), first in 0u128..1 << 63, second in 0u128..1 << 63,
        ) {
            let middle = earned(units, 0, first).unwrap() + earned(units, first, first + second).unwrap();
            let once = earned(units, 0, first + second).unwrap();
            prop_assert!(middle <= once && once <= middle + 1);
        }
    }
}
