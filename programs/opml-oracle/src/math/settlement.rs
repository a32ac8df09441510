//! Who gets what when a dispute is settled. Nothing is created: each split sums to what was there.

use imo_protocol::share_floor;

/// A slashed bond and what has been given of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slash {
    /// The whole bond, in units.
    pub slashed_units: u64,
    /// Given to challengers for their moves, in units.
    pub costs_paid_units: u64,
    /// Whether the prover's share was given.
    pub share_paid: bool,
    /// The prover's share, in basis points.
    pub prover_share_bps: u16,
    /// The most that all costs together take, in basis points.
    pub cost_cap_bps: u16,
}

/// A finished dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Whether the challenger won by its own play.
    pub proven: bool,
    /// The challenger's bond, in units.
    pub bond_units: u64,
    /// Moves of the challenger that landed.
    pub challenger_moves: u16,
    /// Answers of the operator that landed.
    pub operator_moves: u16,
    /// What a move costs, in units.
    pub move_cost_units: u64,
}

/// Where the money of a finished dispute goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// The challenger's own bond that goes back, in units.
    pub bond_back_units: u64,
    /// The challenger's costs out of the slashed bond, in units.
    pub costs_units: u64,
    /// The prover's share out of the slashed bond, in units. Zero unless `gives_share`.
    pub share_units: u64,
    /// Whether this dispute takes the prover's share.
    pub gives_share: bool,
    /// To the operator out of the challenger's bond, in units.
    pub operator_units: u64,
    /// To the insurance pool out of the challenger's bond, in units.
    pub insurance_units: u64,
}

impl Settlement {
    /// All that the challenger gets, in units.
    pub fn payout_units(&self) -> Option<u64> {
        let Self {
            bond_back_units,
            costs_units,
            share_units,
            gives_share: _,
            operator_units: _,
            insurance_units: _,
        } = self;
        bond_back_units.checked_add(*costs_units)?.checked_add(*share_units)
    }
}

/// Settles a dispute of a report that is rejected (`slash`) or stands (`None`). `None` is returned only for what no legal play leads to.
pub fn settle(finished: &Finished, slash: Option<&Slash>) -> Option<Settlement> {
    let Finished {
        proven,
        bond_units,
        challenger_moves,
        operator_moves,
        move_cost_units,
    } = *finished;
    match (slash, proven) {
        (Some(slash), true) => {
            let cap = share_floor(slash.slashed_units, slash.cost_cap_bps)?;
            let left = cap.checked_sub(slash.costs_paid_units)?;
            let costs_units = move_cost_units.saturating_mul(challenger_moves.into()).min(left);
            let share_units = if slash.share_paid { 0 } else { slash.share_units()? };
            Some(Settlement {
                bond_back_units: bond_units,
                costs_units,
                share_units,
                gives_share: !slash.share_paid,
                ..Settlement::default()
            })
        }
        // The operator has been caught: it earns nothing from the other challengers, honest or its own.
        (Some(_), false) => Some(Settlement {
            insurance_units: bond_units,
            ..Settlement::default()
        }),
        (None, false) => {
            let operator_units = move_cost_units.saturating_mul(operator_moves.into()).min(bond_units);
            Some(Settlement {
                operator_units,
                insurance_units: bond_units.checked_sub(operator_units)?,
                ..Settlement::default()
            })
        }
        // A proof rejects the report.
        (None, true) => None,
    }
}

impl Slash {
    /// What the first prover gets, in units.
    fn share_units(&self) -> Option<u64> {
        share_floor(self.slashed_units, self.prover_share_bps)
    }

    /// What is left of the bond, in units: for the insurance pool once every dispute is settled.
    pub fn remainder_units(&self) -> Option<u64> {
        let share = if self.share_paid { self.share_units()? } else { 0 };
        self.slashed_units
            .checked_sub(self.costs_paid_units)?
            .checked_sub(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLASH: Slash = Slash {
        slashed_units: 10_000,
        costs_paid_units: 0,
        share_paid: false,
        prover_share_bps: 3_000,
        cost_cap_bps: 1_000,
    };

    const LOST: Finished = Finished {
        proven: false,
        bond_units: 500,
        challenger_moves: 6,
        operator_moves: 5,
        move_cost_units: 20,
    };

    const PROVEN: Finished = Finished { proven: true, ..LOST };

    #[test]
    fn given_the_first_proven_dispute_when_settled_then_bond_costs_and_share() {
        let settlement = settle(&PROVEN, Some(&SLASH)).unwrap();
        let expected = Settlement {
            bond_back_units: 500,
            costs_units: 120,
            share_units: 3_000,
            gives_share: true,
            operator_units: 0,
            insurance_units: 0,
        };
        assert_eq!(settlement, expected);
        assert_eq!(settlement.payout_units(), Some(3_620));
    }

    #[test]
    fn given_a_later_proven_dispute_when_settled_then_bond_and_what_is_left_of_the_cap() {
        let slash = Slash {
            costs_paid_units: 950,
            share_paid: true,
            ..SLASH
        };
        let settlement = settle(&PROVEN, Some(&slash)).unwrap();
        assert_eq!(settlement.payout_units(), Some(550));
        assert!(!settlement.gives_share);
    }

    #[test]
    fn given_a_report_that_stands_when_a_lost_dispute_is_settled_then_answers_are_paid_and_the_rest_insures() {
        let settlement = settle(&LOST, None).unwrap();
        assert_eq!((settlement.operator_units, settlement.insurance_units), (100, 400));
        assert_eq!(settlement.payout_units(), Some(0));
    }

    #[test]
    fn given_answers_that_cost_more_than_the_bond_when_settled_then_the_bond_and_no_more() {
        let settlement = settle(
            &Finished {
                operator_moves: 30,
                ..LOST
            },
            None,
        )
        .unwrap();
        assert_eq!((settlement.operator_units, settlement.insurance_units), (500, 0));
    }

    #[test]
    fn given_a_rejected_report_when_a_lost_dispute_is_settled_then_the_operator_gets_nothing() {
        let settlement = settle(&LOST, Some(&SLASH)).unwrap();
        assert_eq!((settlement.operator_units, settlement.insurance_units), (0, 500));
    }

    #[test]
    fn given_a_report_that_stands_when_a_proven_dispute_is_settled_then_refused() {
        assert_eq!(settle(&PROVEN, None), None);
    }

    fn finished() -> impl Strategy<Value = Finished> {
        (any::<bool>(), 0u64..1 << 40, 0u16..64, 0u16..64, 0u64..1 << 40).prop_map(
            |(proven, bond_units, challenger_moves, operator_moves, move_cost_units)| Finished {
                proven,
                bond_units,
                challenger_moves,
                operator_moves,
                move_cost_units,
            },
        )
    }

    proptest! {
        #[test]
        fn given_any_disputes_of_a_rejected_report_when_all_are_settled_then_every_unit_is_accounted_for(
            disputes in prop::collection::vec(finished(), 1..20),
            slashed_units in any::<u64>().prop_map(|units| units >> 8),
            (prover_share_bps, cost_cap_bps) in (0u16..=10_000).prop_flat_map(|share| (Just(share), 0..=10_000 - share)),
        ) {
            let mut slash = Slash { slashed_units, costs_paid_units: 0, share_paid: false, prover_share_bps, cost_cap_bps };
            let mut given = 0u128;
            let mut shares = 0;
            for dispute in &disputes {
                let settlement = settle(dispute, Some(&slash)).unwrap();
                given += u128::from(settlement.payout_units().unwrap());
                given += u128::from(settlement.operator_units) + u128::from(settlement.insurance_units);
                slash.costs_paid_units += settlement.costs_units;
                slash.share_paid |= settlement.gives_share;
                shares += u32::from(settlement.gives_share);
                // Costs never eat into the share, and both never exceed the bond.
                prop_assert!(slash.costs_paid_units <= share_floor(slashed_units, cost_cap_bps).unwrap());
            }
            given += u128::from(slash.remainder_units().unwrap());
            let bonds: u128 = disputes.iter().map(|dispute| u128::from(dispute.bond_units)).sum();
            prop_assert_eq!(given, bonds + u128::from(slashed_units));
            prop_assert_eq!(shares, u32::from(disputes.iter().any(|dispute| dispute.proven)));
        }

        #[test]
        fn given_any_lost_dispute_of_a_standing_report_when_settled_then_its_bond_is_split_exactly(dispute in finished()) {
            let dispute = Finished { proven: false, ..dispute };
            let settlement = settle(&dispute, None).unwrap();
            prop_assert_eq!(settlement.payout_units(), Some(0));
            prop_assert_eq!(settlement.operator_units + settlement.insurance_units, dispute.bond_units);
        }
    }
}
