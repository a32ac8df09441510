//! Who gets what of a final report.

use imo_protocol::share_floor;
use model_token::state::RevenueSplit;

/// The parts of an amount, in units of the revenue mint. They sum to the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    pub holders_units: u64,
    pub redeem_units: u64,
    pub developer_units: u64,
    pub operator_units: u64,
    pub protocol_units: u64,
    pub contributors_units: u64,
}

/// Floors every share but the holders', who take what is left. `None` when the shares are more than all.
pub fn shares(amount_units: u64, split: &RevenueSplit) -> Option<Shares> {
    let RevenueSplit {
        holders_bps: _,
        redeem_bps,
        developer_bps,
        operator_bps,
        protocol_bps,
        contributors_bps,
    } = *split;
    let redeem_units = share_floor(amount_units, redeem_bps)?;
    let developer_units = share_floor(amount_units, developer_bps)?;
    let operator_units = share_floor(amount_units, operator_bps)?;
    let protocol_units = share_floor(amount_units, protocol_bps)?;
    let contributors_units = share_floor(amount_units, contributors_bps)?;
    let others = [
        redeem_units,
        developer_units,
        operator_units,
        protocol_units,
        contributors_units,
    ];
    let holders_units = others.into_iter().try_fold(amount_units, u64::checked_sub)?;
    Some(Shares {
        holders_units,
        redeem_units,
        developer_units,
        operator_units,
        protocol_units,
        contributors_units,
    })
}

impl Shares {
    /// With holders and redeem pool paid to the developer: for a model that has no token.
    pub fn without_holders(self) -> Option<Self> {
        let Self {
            holders_units,
            redeem_units,
            developer_units,
            operator_units,
            protocol_units,
            contributors_units,
        } = self;
        let developer_units = developer_units.checked_add(holders_units)?.checked_add(redeem_units)?;
        Some(Self {
            holders_units: 0,
            redeem_units: 0,
            developer_units,
            operator_units,
            protocol_units,
            contributors_units,
        })
    }

    /// Both together, share by share.
    pub fn plus(self, other: Self) -> Option<Self> {
        let Self {
            holders_units,
            redeem_units,
            developer_units,
            operator_units,
            protocol_units,
            contributors_units,
        } = self;
        Some(Self {
            holders_units: holders_units.checked_add(other.holders_units)?,
            redeem_units: redeem_units.checked_add(other.redeem_units)?,
            developer_units: developer_units.checked_add(other.developer_units)?,
            operator_units: operator_units.checked_add(other.operator_units)?,
            protocol_units: protocol_units.checked_add(other.protocol_units)?,
            contributors_units: contributors_units.checked_add(other.contributors_units)?,
        })
    }

    /// What goes to the pool, in units.
    pub fn pool_units(&self) -> Option<u64> {
        self.holders_units.checked_add(self.redeem_units)
    }

    /// What is paid for good to others than the developer, in units. Operators and contributors may be the developer's friends and do not count. Of the
    /// pool's part only as much counts as others hold of the supply: the developer's own tokens earn of it and redeem from it, too.
    pub fn paid_to_others(&self, supply: Supply) -> Option<u64> {
        let Supply {
            supply_units,
            developer_units,
        } = supply;
        let others_units = supply_units.checked_sub(developer_units)?;
        let pool_units = self.pool_units()?;
        let to_others = u128::from(pool_units)
            .checked_mul(u128::from(others_units))?
            .checked_div(u128::from(supply_units))
            .unwrap_or(0);
        u64::try_from(to_others).ok()?.checked_add(self.protocol_units)
    }
}

/// A model's token as it was offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// All of it, in units of the token; zero where there is none.
    pub supply_units: u64,
    /// What was set aside for the developer, in units of the token.
    pub developer_units: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPLIT: RevenueSplit = RevenueSplit {
        holders_bps: 4_000,
        redeem_bps: 500,
        developer_bps: 1_000,
        operator_bps: 3_500,
        protocol_bps: 500,
        contributors_bps: 500,
    };

    #[test]
    fn given_an_amount_when_split_then_the_holders_get_the_dust() {
        assert_eq!(
            shares(10_001, &SPLIT),
            Some(Shares {
                holders_units: 4_001,
                redeem_units: 500,
                developer_units: 1_000,
                operator_units: 3_500,
                protocol_units: 500,
                contributors_units: 500,
            })
        );
        assert_eq!(shares(1, &SPLIT).unwrap().holders_units, 1);
    }

    #[test]
    fn given_no_token_when_split_then_the_developer_takes_the_holders_part() {
        let shares = shares(10_001, &SPLIT).unwrap().without_holders().unwrap();
        assert_eq!(shares.developer_units, 5_501);
        assert_eq!(shares.contributors_units, 500);
        assert_eq!(shares.pool_units(), Some(0));
    }

    #[test]
    fn given_shares_above_all_when_split_then_none() {
        assert_eq!(
            shares(
                10_000,
                &RevenueSplit {
                    operator_bps: 9_000,
                    ..SPLIT
                }
            ),
            None
        );
    }

    #[test]
    fn given_a_developer_with_a_part_of_the_supply_when_split_then_only_what_others_hold_counts() {
        let parts = shares(10_000, &SPLIT).unwrap();
        let supply = |developer_units| Supply {
            supply_units: 3_000,
            developer_units,
        };
        assert_eq!(parts.pool_units(), Some(4_500));
        assert_eq!(parts.paid_to_others(supply(0)), Some(4_500 + 500));
        assert_eq!(parts.paid_to_others(supply(1)), Some(4_498 + 500));
        assert_eq!(parts.paid_to_others(supply(3_000)), Some(500));
        assert_eq!(parts.paid_to_others(supply(3_001)), None);
        let alone = parts.without_holders().unwrap();
        assert_eq!(alone.paid_to_others(Supply::default()), Some(500));
    }

    proptest! {
        #[test]
        fn given_any_amount_and_split_when_split_then_it_sums_to_the_amount(
            amount in any::<u64>(), cuts in prop::array::uniform5(0u16..=10_000), token in any::<bool>(),
        ) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let [a, b, c, d, e] = cuts;
            let split = RevenueSplit {
                holders_bps: a,
                redeem_bps: b - a,
                developer_bps: c - b,
                operator_bps: d - c,
                protocol_bps: e - d,
                contributors_bps: 10_000 - e,
            };
            let mut parts = shares(amount, &split).unwrap();
            prop_assert!(u128::from(parts.holders_units) * 10_000 >= u128::from(amount) * u128::from(a));
            if !token {
                parts = parts.without_holders().unwrap();
            }
            let sum = u128::from(parts.pool_units().unwrap())
                + u128::from(parts.developer_units)
                + u128::from(parts.operator_units)
                + u128::from(parts.protocol_units)
                + u128::from(parts.contributors_units);
            prop_assert_eq!(sum, u128::from(amount));
        }
    }
}
