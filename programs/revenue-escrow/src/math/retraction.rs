//! What taking a collection back costs its operator, and who gets that.

use imo_protocol::{ALL_BPS, share_floor};
use model_token::state::RevenueSplit;

use super::split::Shares;

/// What everybody but the operator would have got of `amount_units`: the fee of a retraction, in units. `None` when the shares are more than all.
///
/// With it, an operator and its payers together keep exactly as much as if the collection had stood: using the system and taking the usage back is no way
/// around the shares of the others.
pub fn retraction_fee(amount_units: u64, split: &RevenueSplit) -> Option<u64> {
    amount_units.checked_sub(share_floor(amount_units, split.operator_bps)?)
}

/// The parts of `fee_units` among all but the operator, in proportion to their shares; each within a unit of what it would have been of the amounts
/// retracted. Floors every part but the holders', who take what is left.
pub fn fee_shares(fee_units: u64, split: &RevenueSplit) -> Option<Shares> {
    let others_bps = ALL_BPS.checked_sub(split.operator_bps)?;
    let part = |bps: u16| -> Option<u64> {
        let scaled = u128::from(fee_units).checked_mul(u128::from(bps))?;
        // Operators that get all pay no fee, and nobody else has a share.
        let part = scaled.checked_div(u128::from(others_bps)).unwrap_or(0);
        u64::try_from(part).ok()
    };
    let redeem_units = part(split.redeem_bps)?;
    let developer_units = part(split.developer_bps)?;
    let protocol_units = part(split.protocol_bps)?;
    let contributors_units = part(split.contributors_bps)?;
    let holders_units = [redeem_units, developer_units, protocol_units, contributors_units]
        .into_iter()
        .try_fold(fee_units, u64::checked_sub)?;
    Some(Shares {
        holders_units,
        redeem_units,
        developer_units,
        operator_units: 0,
        protocol_units,
        contributors_units,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::split::shares;
    use model_token::math::deterrence::bond_deters;
    use proptest::prelude::*;

    fn split(cuts: [u16; 5]) -> RevenueSplit {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let [a, b, c, d, e] = cuts;
        RevenueSplit {
            holders_bps: a,
            redeem_bps: b - a,
            developer_bps: c - b,
            operator_bps: d - c,
            protocol_bps: e - d,
            contributors_bps: 10_000 - e,
        }
    }

    #[test]
    fn given_an_amount_when_retracted_then_the_fee_is_all_but_the_operators_share() {
        let split = split([3_000, 4_500, 5_500, 9_500, 9_700]);
        assert_eq!(split.operator_bps, 4_000);
        assert_eq!(retraction_fee(30_000_003, &split), Some(18_000_002));
        let parts = fee_shares(18_000_002, &split).unwrap();
        assert_eq!(
            parts,
            Shares {
                holders_units: 9_000_002,
                redeem_units: 4_500_000,
                developer_units: 3_000_000,
                operator_units: 0,
                protocol_units: 600_000,
                contributors_units: 900_000,
            }
        );
    }

    #[test]
    fn given_an_operator_that_gets_all_when_it_retracts_then_nothing_is_due() {
        let split = split([0, 0, 0, 10_000, 10_000]);
        assert_eq!(split.operator_bps, 10_000);
        assert_eq!(retraction_fee(u64::MAX, &split), Some(0));
        assert_eq!(fee_shares(0, &split).unwrap().pool_units(), Some(0));
    }

    /// How an operator and its payers, who are one coalition, end a report on honest usage.
    #[derive(Clone, Copy, Debug)]
    struct Ending {
        /// Of the collections, retracted before anything else, in percent.
        retracted_percent: u64,
        /// Whether a friend then proves something against the report: the coalition may have lied on purpose.
        rejected: bool,
    }

    /// The coalition's wealth after a report on which its payers spent `revenue`, in collections of `each`, less before; without the holders', developers'
    /// and treasury's parts, which are not its own.
    fn wealth(revenue: u64, each: u64, split: &RevenueSplit, terms: [u16; 3], ending: Ending) -> i128 {
        let [ratio_bps, prover_bps, cap_bps] = terms;
        let collections = revenue / each;
        let retracted = collections * ending.retracted_percent / 100;
        let fee = retraction_fee(each, split).unwrap();
        let mut wealth = -i128::from(collections) * i128::from(each);
        wealth -= i128::from(retracted) * i128::from(fee);
        if ending.rejected {
            // Amounts and fees come back, and of the bond what friends recover as provers and movers.
            wealth += i128::from(collections) * i128::from(each) + i128::from(retracted) * i128::from(fee);
            let bond = i128::from((revenue * u64::from(ratio_bps)).div_ceil(10_000));
            wealth -= bond - bond * i128::from(prover_bps + cap_bps) / 10_000;
        } else {
            wealth += i128::from(retracted) * i128::from(each);
            let stands = (collections - retracted) * each;
            wealth += i128::from(shares(stands, split).unwrap().operator_units);
        }
        wealth
    }

    #[test]
    fn given_a_coalition_of_operator_and_payers_when_it_retracts_in_any_way_then_it_gains_nothing() {
        let mut tried = 0;
        for ratio_bps in [5_000u16, 10_000, 15_000, 20_000] {
            for prover_bps in (0..=5_000).step_by(1_000) {
                for cap_bps in [0, 500, 1_000] {
                    for operator_bps in (0..=10_000).step_by(500) {
                        if !bond_deters(ratio_bps.into(), prover_bps, cap_bps, operator_bps) {
                            continue;
                        }
                        let split = RevenueSplit {
                            holders_bps: 10_000 - operator_bps,
                            redeem_bps: 0,
                            developer_bps: 0,
                            operator_bps,
                            protocol_bps: 0,
                            contributors_bps: 0,
                        };
                        let terms = [ratio_bps, prover_bps, cap_bps];
                        for (revenue, each) in
                            [(1_000_000, 1_000_000), (1_000_000, 10_000), (999_999, 333_333), (70, 7)]
                        {
                            let of = |retracted_percent, rejected| {
                                let ending = Ending {
                                    retracted_percent,
                                    rejected,
                                };
                                wealth(revenue, each, &split, terms, ending)
                            };
                            let stands = of(0, false);
                            for percent in [0, 1, 10, 50, 99, 100] {
                                for rejected in [false, true] {
                                    let gain = of(percent, rejected) - stands;
                                    assert!(
                                        gain <= 0,
                                        "{gain} by {percent} {rejected} of {revenue} at {terms:?} {split:?}"
                                    );
                                    tried += 1;
                                }
                            }
                        }
                    }
                }
            }
        }
        assert!(tried > 10_000, "only {tried} coalitions were tried");
    }

    proptest! {
        #[test]
        fn given_any_fee_when_shared_then_it_sums_and_each_gets_what_it_would_have_got(
            amounts in prop::collection::vec(0u64..1 << 40, 1..20), cuts in prop::array::uniform5(0u16..=10_000),
        ) {
            let split = split(cuts);
            let fees: Vec<u64> = amounts.iter().map(|amount| retraction_fee(*amount, &split).unwrap()).collect();
            let fee: u64 = fees.iter().sum();
            let parts = fee_shares(fee, &split).unwrap();
            let sum = parts.pool_units().unwrap()
                + parts.developer_units
                + parts.protocol_units
                + parts.contributors_units;
            prop_assert_eq!((sum, parts.operator_units), (fee, 0));
            // Together with what operators' shares would have left, as one amount.
            let whole = shares(amounts.iter().sum(), &split).unwrap();
            let collections = amounts.len() as u64;
            for (got, would) in [
                (parts.redeem_units, whole.redeem_units),
                (parts.developer_units, whole.developer_units),
                (parts.protocol_units, whole.protocol_units),
                (parts.contributors_units, whole.contributors_units),
            ] {
                prop_assert!(got >= would && got <= would + collections, "{} {}", got, would);
            }
        }
    }
}
