//! The maths as a whole, on numbers alone: many holders, any amounts, any order.

use proptest::{prelude::*, sample::Index};

use super::{
    accumulator::{HolderShares, earned, share_holders},
    redemption::redemption_units,
};

/// A pool and the stakes in it, from the beginning.
struct Books {
    supply_units: u64,
    stakes: Vec<u64>,
    snapshots: Vec<u128>,
    paid: Vec<u64>,
    accumulator: u128,
    promised: u64,
    redeem: u64,
}

impl Books {
    /// Stakes in these proportions that are `supply_units` together, but for what is not staked.
    fn new(weights: &[u32], unstaked: u32, supply_units: u64) -> Self {
        let all: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>() + u128::from(unstaked);
        let part = |weight: &u32| (u128::from(supply_units) * u128::from(*weight) / all.max(1)) as u64;
        Self {
            supply_units,
            stakes: weights.iter().map(part).collect(),
            snapshots: vec![0; weights.len()],
            paid: vec![0; weights.len()],
            accumulator: 0,
            promised: 0,
            redeem: 0,
        }
    }

    fn deposit(&mut self, units: u64) {
        let active = self.stakes.iter().sum();
        let HolderShares {
            stakers_units,
            redeem_units,
            accumulator,
        } = share_holders(units, active, self.supply_units, self.accumulator);
        assert!(accumulator >= self.accumulator, "the accumulator never falls");
        assert_eq!(
            u128::from(stakers_units) + u128::from(redeem_units),
            u128::from(units),
            "every unit is booked once"
        );
        self.accumulator = accumulator;
        self.promised += stakers_units;
        self.redeem += redeem_units;
    }

    /// Pays a holder; twice at the same accumulator pays nothing more.
    fn claim(&mut self, holder: usize) -> u64 {
        let from = std::mem::replace(&mut self.snapshots[holder], self.accumulator);
        let paid = earned(self.stakes[holder], from, self.accumulator).expect("a holder's part fits");
        self.paid[holder] += paid;
        self.promised = self
            .promised
            .checked_sub(paid)
            .expect("all are paid from what was promised");
        paid
    }
}

/// Amounts that add up to at most `u64::MAX`.
fn deposits() -> impl Strategy<Value = Vec<u64>> {
    prop_oneof![
        prop::collection::vec(0u64..1 << 40, 1..30),
        prop::collection::vec(0u64..100, 1..30),
        prop::collection::vec(any::<u64>().prop_map(|units| units / 30), 1..30),
        Just(vec![u64::MAX]),
    ]
}

fn supply() -> impl Strategy<Value = u64> {
    prop_oneof![Just(u64::MAX), Just(1_000_000_000_000), any::<u64>(), 1u64..1_000]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn given_up_to_ten_thousand_holders_when_all_claim_then_every_unit_is_paid_kept_or_redeemable(
        weights in prop::collection::vec(any::<u32>(), 1..10_000), unstaked in any::<u32>(), supply in supply(), deposits in deposits(),
        early in prop::collection::vec(any::<Index>(), 0..200),
    ) {
        let mut books = Books::new(&weights, unstaked, supply);
        let mut claims = 0u128;
        let mut early = early.iter();
        for units in &deposits {
            books.deposit(*units);
            for holder in early.by_ref().take(8) {
                books.claim(holder.index(weights.len()));
                claims += 1;
            }
        }
        for holder in 0..weights.len() {
            books.claim(holder);
            claims += 1;
        }
        let deposited: u128 = deposits.iter().map(|units| u128::from(*units)).sum();
        let paid: u128 = books.paid.iter().map(|units| u128::from(*units)).sum();
        prop_assert_eq!(deposited, paid + u128::from(books.promised) + u128::from(books.redeem));
        // Less than a unit for each claim, and for each deposit what is rounded up and what the accumulator leaves out.
        prop_assert!(u128::from(books.promised) < claims + 2 * deposits.len() as u128, "{} are kept", books.promised);
    }

    #[test]
    fn given_any_order_when_all_claim_then_each_is_paid_the_same(
        weights in prop::collection::vec(any::<u32>(), 1..300), unstaked in any::<u32>(), supply in supply(), deposits in deposits(),
        order in prop::collection::vec(any::<u32>(), 300),
    ) {
        let mut forwards = Books::new(&weights, unstaked, supply);
        let mut shuffled = Books::new(&weights, unstaked, supply);
        let mut turns: Vec<usize> = (0..weights.len()).collect();
        turns.sort_by_key(|holder| order[*holder]);
        for units in &deposits {
            forwards.deposit(*units);
            shuffled.deposit(*units);
            for holder in 0..weights.len() {
                forwards.claim(holder);
            }
            for holder in &turns {
                shuffled.claim(*holder);
            }
        }
        prop_assert_eq!(&forwards.paid, &shuffled.paid);
        prop_assert_eq!(forwards.promised, shuffled.promised);
    }

    #[test]
    fn given_the_largest_supply_and_revenue_when_shared_in_any_way_then_nothing_overflows(
        stakes in prop::collection::vec(any::<u64>(), 1..20), revenue in prop::collection::vec(any::<u64>(), 1..20), redeem in any::<u64>(),
    ) {
        // As many of the stakes as there are tokens for, and as much revenue as there can be of a mint.
        let mut tokens = u64::MAX;
        let stakes: Vec<u64> = stakes.into_iter().map(|units| { let taken = units.min(tokens); tokens -= taken; taken }).collect();
        let mut money = u64::MAX;
        let revenue: Vec<u64> = revenue.into_iter().map(|units| { let taken = units.min(money); money -= taken; taken }).collect();
        let mut books = Books {
            supply_units: u64::MAX,
            snapshots: vec![0; stakes.len()],
            paid: vec![0; stakes.len()],
            stakes,
            accumulator: 0,
            promised: 0,
            redeem: 0,
        };
        for units in revenue {
            books.deposit(units);
        }
        for holder in 0..books.stakes.len() {
            books.claim(holder);
        }
        prop_assert!(redemption_units(books.redeem, redeem, u64::MAX).unwrap() <= books.redeem);
    }
}
