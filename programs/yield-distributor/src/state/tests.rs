//! The bookkeeping as a whole: many holders, epochs and deposits, without accounts or tokens.

use std::collections::BTreeMap;

use anchor_lang::prelude::*;
use num_bigint::BigUint;
use proptest::prelude::*;

use super::*;
use crate::errors::YieldError;

const EPOCH_SLOTS: u64 = 100;
const SUPPLY: u64 = 1_000_000_000;

/// A pool with its marks and positions, and what came in and went out.
struct World {
    epoch: u64,
    pool: Pool,
    marks: BTreeMap<u64, EpochMark>,
    positions: BTreeMap<u8, Position>,
    supply_units: u64,
    deposited_units: u64,
    paid_units: BTreeMap<u8, u64>,
    redeemed_units: u64,
    /// What each holder should earn with: (units, first epoch in which they earn).
    stakes: BTreeMap<u8, Vec<(u64, u64)>>,
    /// What each holder should have earned, exactly: a sum of fractions by their denominators, which are the supplies of the deposits.
    fair: BTreeMap<u8, BTreeMap<u64, u128>>,
    /// How often what each holder earned was rounded down.
    roundings: BTreeMap<u8, u64>,
    deposits: u64,
}

impl World {
    fn new() -> Self {
        Self {
            epoch: 7,
            pool: Pool {
                version: 1,
                bump: 255,
                model: Pubkey::default(),
                token_mint: Pubkey::default(),
                revenue_mint: Pubkey::default(),
                stake_vault_bump: 255,
                revenue_vault_bump: 255,
                accumulator: 0,
                active_units: 0,
                staked_units: 0,
                pending: [PendingBucket::default(); 2],
                owed_units: 0,
                redeem_units: 0,
                epoch_slots: EPOCH_SLOTS,
                vesting_units: 0,
                reserved: [0; 24],
            },
            marks: BTreeMap::new(),
            positions: BTreeMap::new(),
            supply_units: SUPPLY,
            deposited_units: 0,
            paid_units: BTreeMap::new(),
            redeemed_units: 0,
            stakes: BTreeMap::new(),
            fair: BTreeMap::new(),
            roundings: BTreeMap::new(),
            deposits: 0,
        }
    }

    fn next_epoch(&mut self) {
        self.epoch += 1;
    }

    fn roll_due(&mut self) {
        for mark in self.marks.values_mut() {
            self.pool.roll(mark, self.epoch).unwrap();
        }
        self.pool.require_rolled(self.epoch).unwrap();
    }

    fn position(&mut self, owner: u8) -> &mut Position {
        let accumulator_snapshot = self.pool.accumulator;
        self.positions.entry(owner).or_insert_with(|| Position {
            version: 1,
            bump: 255,
            pool: Pubkey::default(),
            owner: Pubkey::new_from_array([owner; 32]),
            active_units: 0,
            pending_units: 0,
            pending_epoch: 0,
            accumulator_snapshot,
            owed_units: 0,
            rent_payer: Pubkey::default(),
            reserved: [0; 16],
        })
    }

    fn stake(&mut self, owner: u8, units: u64) {
        self.roll_due();
        self.settle(owner);
        let target = Pool::activation_epoch(self.epoch).unwrap();
        let mut mark = self.marks.remove(&target).unwrap_or(EpochMark {
            version: 1,
            bump: 255,
            pool: Pubkey::default(),
            epoch: target,
            units: 0,
            accumulator_at_start: 0,
            rolled: false,
            open_positions: 0,
            rent_payer: Pubkey::default(),
            reserved: [0; 16],
        });
        let position = self.positions.get_mut(&owner).unwrap();
        let earlier = self.marks.get_mut(&position.pending_epoch);
        position.stake(&mut self.pool, &mut mark, earlier, units).unwrap();
        self.marks.insert(target, mark);
        let stakes = self.stakes.entry(owner).or_default();
        for (_, from) in stakes.iter_mut().filter(|(_, from)| *from > self.epoch) {
            *from = target;
        }
        stakes.push((units, target));
    }

    fn settle(&mut self, owner: u8) {
        self.position(owner);
        let position = self.positions.get_mut(&owner).unwrap();
        // Stake that became active since is rounded by itself.
        let parts = u64::from(position.active_units > 0) + u64::from(position.is_due(self.epoch));
        *self.roundings.entry(owner).or_default() += parts;
        let mark = self.marks.get_mut(&position.pending_epoch);
        position.settle(&mut self.pool, mark, self.epoch).unwrap();
    }

    fn unstake(&mut self, owner: u8, units: u64) -> Result<()> {
        self.settle(owner);
        let position = self.positions.get_mut(&owner).unwrap();
        let mark = self.marks.get_mut(&position.pending_epoch);
        position.unstake(&mut self.pool, mark, units)?;
        let mut left = units;
        for (units, _) in self.stakes.entry(owner).or_default().iter_mut().rev() {
            let taken = left.min(*units);
            *units -= taken;
            left -= taken;
        }
        Ok(())
    }

    fn claim(&mut self, owner: u8) {
        self.settle(owner);
        let paid = self
            .positions
            .get_mut(&owner)
            .unwrap()
            .take_owed(&mut self.pool)
            .unwrap();
        *self.paid_units.entry(owner).or_default() += paid;
    }

    fn deposit(&mut self, holders_units: u64, redeem_units: u64) {
        self.roll_due();
        self.pool
            .credit(holders_units, redeem_units, self.supply_units)
            .unwrap();
        self.deposited_units += holders_units + redeem_units;
        self.deposits += 1;
        for (owner, stakes) in &self.stakes {
            let active: u64 = stakes
                .iter()
                .filter(|(_, from)| *from <= self.epoch)
                .map(|(units, _)| *units)
                .sum();
            let earned = u128::from(holders_units) * u128::from(active);
            let fair = self.fair.entry(*owner).or_default();
            *fair.entry(self.supply_units).or_default() += earned;
        }
    }

    /// Burns tokens of somebody who has not staked them.
    fn redeem(&mut self, units: u64) {
        let free = self.supply_units - self.pool.staked_units;
        let burned = units.min(free);
        if burned == 0 || self.pool.redeem_units == 0 {
            return;
        }
        match self.pool.redeem(burned, self.supply_units) {
            Ok(paid) => {
                self.supply_units -= burned;
                self.redeemed_units += paid;
            }
            Err(refusal) => assert_eq!(refusal, error!(YieldError::RedeemsNothing)),
        }
    }

    fn close_marks(&mut self) {
        let pool = &self.pool;
        self.marks
            .retain(|epoch, mark| mark.open_positions > 0 || pool.is_pending(*epoch));
    }

    /// Compares what a holder was paid with what it should have been, in fractions of any length.
    fn check_against_fractions(&self, owner: u8) {
        let none = BTreeMap::new();
        let fair = self.fair.get(&owner).unwrap_or(&none);
        let denominator: BigUint = fair.keys().map(|supply| BigUint::from(*supply)).product();
        let fair: BigUint = fair
            .iter()
            .map(|(supply, earned)| BigUint::from(*earned) * (&denominator / BigUint::from(*supply)))
            .sum();
        let paid = BigUint::from(self.paid(owner)) * &denominator;
        assert!(paid <= fair, "the owner {owner} is paid too much");
        // Besides the claims' roundings, the accumulator leaves out less than 2^-64 of a unit for each deposit and staked token unit.
        let roundings = BigUint::from(self.roundings.get(&owner).copied().unwrap_or(0));
        let deposits = BigUint::from(self.deposits) * BigUint::from(SUPPLY);
        let one = BigUint::from(1u8) << 64u32;
        let missing = (fair - paid) * &one;
        let most = (roundings * &one + deposits) * &denominator;
        assert!(
            missing < most || missing == BigUint::ZERO,
            "the owner {owner} is paid too little"
        );
    }

    fn paid(&self, owner: u8) -> u64 {
        self.paid_units.get(&owner).copied().unwrap_or_default()
    }

    fn check(&self) {
        let paid: u64 = self.paid_units.values().sum();
        let vault = self.deposited_units - paid - self.redeemed_units;
        assert_eq!(
            vault,
            self.pool.revenue_owed_units().unwrap(),
            "every unit is booked once"
        );
        let staked: u64 = self
            .positions
            .values()
            .map(|one| one.active_units + one.pending_units)
            .sum();
        assert_eq!(staked, self.pool.staked_units);
        for bucket in self.pool.pending.iter().filter(|bucket| bucket.units > 0) {
            let waiting = self.positions.values().filter(|one| one.pending_epoch == bucket.epoch);
            assert_eq!(waiting.map(|one| one.pending_units).sum::<u64>(), bucket.units);
        }
        for mark in self.marks.values() {
            let open = self
                .positions
                .values()
                .filter(|one| one.pending_units > 0 && one.pending_epoch == mark.epoch);
            assert_eq!(open.count() as u64, mark.open_positions);
        }
        let pending: u64 = self.pool.pending.iter().map(|bucket| bucket.units).sum();
        assert_eq!(self.pool.active_units + pending, self.pool.staked_units);
        assert!(self.positions.values().map(|one| one.owed_units).sum::<u64>() <= self.pool.owed_units);
    }
}

#[derive(Clone, Debug)]
enum Step {
    NextEpoch,
    Stake(u8, u64),
    Unstake(u8, u64),
    Claim(u8),
    Deposit(u64, u64),
    Redeem(u64),
    CloseMarks,
}

fn step() -> impl Strategy<Value = Step> {
    let owner = 0u8..5;
    let units = prop_oneof![1u64..10, 1u64..10_000_000];
    prop_oneof![
        3 => Just(Step::NextEpoch),
        3 => (owner.clone(), units.clone()).prop_map(|(owner, units)| Step::Stake(owner, units)),
        2 => (owner.clone(), units.clone()).prop_map(|(owner, units)| Step::Unstake(owner, units)),
        2 => owner.prop_map(Step::Claim),
        3 => (0u64..1_000_000_000, 0u64..1_000_000).prop_map(|(holders, redeem)| Step::Deposit(holders, redeem)),
        1 => units.prop_map(Step::Redeem),
        1 => Just(Step::CloseMarks),
    ]
}

fn apply(world: &mut World, step: &Step) {
    match *step {
        Step::NextEpoch => world.next_epoch(),
        Step::Stake(owner, units) => world.stake(owner, units),
        Step::Unstake(owner, units) => {
            let held: u64 = world
                .stakes
                .get(&owner)
                .map_or(0, |stakes| stakes.iter().map(|(units, _)| *units).sum());
            match world.unstake(owner, units) {
                Ok(()) => assert!(units <= held),
                Err(refusal) => {
                    assert!(units > held);
                    assert_eq!(refusal, error!(YieldError::StakeTooSmall));
                }
            }
        }
        Step::Claim(owner) => world.claim(owner),
        Step::Deposit(holders, redeem) => world.deposit(holders, redeem),
        Step::Redeem(units) => world.redeem(units),
        Step::CloseMarks => world.close_marks(),
    }
}

proptest! {
    #[test]
    fn given_any_steps_when_taken_then_every_unit_is_booked_once(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            apply(&mut world, step);
            world.check();
        }
        for owner in 0..5 {
            world.claim(owner);
        }
        world.check();
    }

    #[test]
    fn given_any_history_when_compared_with_exact_fractions_then_less_than_a_unit_is_missing_for_each_claim_and_none_is_paid_too_much(
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new();
        for step in &steps {
            apply(&mut world, step);
            if let Step::Claim(owner) = step {
                world.check_against_fractions(*owner);
            }
        }
        for owner in 0..5 {
            world.claim(owner);
            world.check_against_fractions(owner);
        }
    }

    #[test]
    fn given_pokes_at_any_time_when_all_claim_then_nobody_gains_or_loses_by_them(
        steps in prop::collection::vec((step(), 0u8..10), 1..60),
    ) {
        let mut quiet = World::new();
        let mut poked = World::new();
        for (step, owner) in &steps {
            apply(&mut quiet, step);
            apply(&mut poked, step);
            if *owner < 5 {
                poked.claim(*owner);
            }
        }
        for owner in 0..5 {
            quiet.claim(owner);
            poked.claim(4 - owner);
        }
        prop_assert_eq!(quiet.pool.accumulator, poked.pool.accumulator);
        prop_assert_eq!(quiet.pool.active_units, poked.pool.active_units);
        for owner in 0..5 {
            prop_assert!(quiet.paid(owner).abs_diff(poked.paid(owner)) <= steps.len() as u64 + 1);
        }
    }
}

#[test]
fn given_a_stake_just_before_a_deposit_when_claimed_then_nothing() {
    let mut world = World::new();
    world.stake(0, 500);
    world.next_epoch();
    world.next_epoch();
    world.stake(1, SUPPLY / 2);
    world.deposit(SUPPLY, 0);
    world.next_epoch();
    world.deposit(SUPPLY, 0);
    world.claim(1);
    world.claim(0);
    assert_eq!(world.paid(1), 0);
    assert_eq!(world.paid(0), 1_000);
    world.check();
}

#[test]
fn given_a_stake_when_its_epoch_begins_then_it_earns_from_there() {
    let mut world = World::new();
    world.stake(0, 500);
    for (deposits, paid) in [(0, 0), (1, 0), (2, 500), (3, 1_000)] {
        world.deposit(SUPPLY, 0);
        world.claim(0);
        assert_eq!(world.paid(0), paid, "deposit {deposits}");
        world.next_epoch();
    }
    world.check();
}

#[test]
fn given_a_top_up_when_it_waits_then_the_active_stake_earns_on() {
    let mut world = World::new();
    world.stake(0, 500);
    world.next_epoch();
    world.next_epoch();
    world.stake(0, 1_000);
    world.deposit(SUPPLY, 0);
    world.claim(0);
    assert_eq!(world.paid(0), 500);
    world.next_epoch();
    world.next_epoch();
    world.deposit(SUPPLY, 0);
    world.claim(0);
    assert_eq!(world.paid(0), 500 + 1_500);
}

#[test]
fn given_stake_that_waits_when_more_is_staked_an_epoch_later_then_all_of_it_waits_anew() {
    let mut world = World::new();
    world.stake(0, 500);
    world.stake(1, 500);
    world.next_epoch();
    world.stake(0, 100);
    world.check();
    world.next_epoch();
    world.deposit(SUPPLY, 0);
    world.claim(0);
    world.claim(1);
    assert_eq!((world.paid(0), world.paid(1)), (0, 500));
    world.next_epoch();
    world.deposit(SUPPLY, 0);
    world.claim(0);
    assert_eq!(world.paid(0), 600);
    world.check();
}

#[test]
fn given_stake_of_two_epochs_when_nobody_calls_for_long_then_both_are_rolled_and_settled_late() {
    let mut world = World::new();
    world.stake(0, 500);
    world.next_epoch();
    world.stake(1, 300);
    for _ in 0..50 {
        world.next_epoch();
    }
    world.deposit(SUPPLY, 0);
    for _ in 0..50 {
        world.next_epoch();
    }
    world.stake(2, 1);
    world.deposit(SUPPLY, 0);
    world.claim(0);
    world.claim(1);
    assert_eq!((world.paid(0), world.paid(1)), (1_000, 600));
    world.check();
}

#[test]
fn given_stake_that_waits_when_unstaked_in_parts_then_the_mark_can_be_closed() {
    let mut world = World::new();
    world.stake(0, 500);
    world.unstake(0, 200).unwrap();
    world.close_marks();
    assert_eq!(world.marks.len(), 1);
    world.unstake(0, 300).unwrap();
    world.close_marks();
    assert!(world.marks.is_empty());
    assert_eq!(world.pool.pending, [PendingBucket::default(); 2]);
    world.stake(0, 7);
    world.check();
}

#[test]
fn given_a_position_that_is_late_when_marks_are_closed_then_its_own_stays_until_it_is_settled() {
    let mut world = World::new();
    world.stake(0, 500);
    for _ in 0..3 {
        world.next_epoch();
    }
    world.deposit(SUPPLY, 0);
    world.close_marks();
    assert_eq!(world.marks.len(), 1);
    world.claim(0);
    world.close_marks();
    assert!(world.marks.is_empty());
    world.deposit(SUPPLY, 0);
    world.claim(0);
    assert_eq!(world.paid(0), 1_000);
}

#[test]
fn given_due_stake_when_its_mark_is_not_given_then_refused() {
    let mut world = World::new();
    world.stake(0, 500);
    world.next_epoch();
    world.next_epoch();
    let missing = error!(YieldError::EpochMarkMissing);
    assert_eq!(world.pool.require_rolled(world.epoch).unwrap_err(), missing);
    let mut position = world.positions.remove(&0).unwrap();
    assert_eq!(
        position.settle(&mut world.pool, None, world.epoch).unwrap_err(),
        missing
    );
    let mut other = world.marks.remove(&9).unwrap();
    other.epoch = 10;
    assert_eq!(
        position
            .settle(&mut world.pool, Some(&mut other), world.epoch)
            .unwrap_err(),
        missing
    );
}

#[test]
fn given_a_supply_of_zero_when_deposited_then_all_is_booked_to_the_redeem_pool() {
    let mut world = World::new();
    world.supply_units = 0;
    world.deposit(1_000, 10);
    assert_eq!((world.pool.owed_units, world.pool.redeem_units), (0, 1_010));
}

#[test]
fn given_tokens_worth_less_than_a_unit_when_redeemed_then_refused() {
    let mut world = World::new();
    world.deposit(0, 10);
    assert_eq!(
        world.pool.redeem(1, SUPPLY).unwrap_err(),
        error!(YieldError::RedeemsNothing)
    );
    assert_eq!(world.pool.redeem(SUPPLY, SUPPLY).unwrap(), 10);
}

#[test]
fn given_a_slot_when_its_epoch_is_asked_then_epochs_follow_each_other() {
    let world = World::new();
    for (slot, epoch) in [(0, 0), (99, 0), (100, 1), (199, 1), (200, 2)] {
        assert_eq!(world.pool.epoch_at(slot).unwrap(), epoch);
    }
}

fn vesting_of(units: u64) -> Vesting {
    Vesting {
        version: 1,
        bump: 255,
        pool: Pubkey::default(),
        owner: Pubkey::default(),
        units,
        accumulator_snapshot: 0,
        owed_units: 0,
        rent_payer: Pubkey::default(),
        reserved: [0; 16],
    }
}

/// A pool that begins with everything that vests, `nobodys` units of which are no account's.
fn pool_of_vesting(units: &[u64], nobodys: u64) -> Pool {
    let vesting = units.iter().sum::<u64>() + nobodys;
    let mut pool = World::new().pool;
    pool.active_units = vesting;
    pool.vesting_units = vesting;
    pool
}

#[test]
fn given_units_that_are_nobodys_when_they_are_forfeited_then_their_yield_is_the_redeem_pools() {
    let mut pool = pool_of_vesting(&[60, 30], 10);
    pool.credit(1_000, 0, 100).unwrap();
    assert_eq!((pool.owed_units, pool.redeem_units), (1_000, 0));
    assert_eq!(pool.forfeit_vesting(10).unwrap(), 100);
    assert_eq!(
        (
            pool.owed_units,
            pool.redeem_units,
            pool.active_units,
            pool.vesting_units
        ),
        (900, 100, 90, 90)
    );
    // From then on they earn for nobody: what is not active goes to the redeem pool at once.
    pool.credit(1_000, 0, 100).unwrap();
    assert_eq!((pool.owed_units, pool.redeem_units), (1_800, 200));
    assert_eq!(
        pool.forfeit_vesting(91).unwrap_err(),
        error!(YieldError::InconsistentState)
    );
}

#[test]
fn given_a_vesting_account_when_more_is_taken_out_than_is_in_it_then_refused() {
    let mut pool = pool_of_vesting(&[60, 30], 0);
    let mut vesting = vesting_of(60);
    assert_eq!(
        vesting.take_out(&mut pool, 61).unwrap_err(),
        error!(YieldError::InconsistentState)
    );
    let mut vesting = vesting_of(60);
    vesting.take_out(&mut pool, 60).unwrap();
    assert!(vesting.is_empty());
    assert_eq!((pool.active_units, pool.vesting_units), (30, 30));
}

proptest! {
    /// Whoever opens late, releases at any time or never calls: everybody has its own part, and all together never more than came in.
    #[test]
    fn given_any_releases_and_deposits_when_all_is_paid_then_each_has_its_part_and_every_unit_is_accounted_for(
        units in prop::collection::vec(1u64..1 << 40, 1..12), nobodys in 0u64..20, unvested in 0u64..1 << 40,
        steps in prop::collection::vec((any::<prop::sample::Index>(), 0u64..1 << 40, 0u64..1 << 40), 0..60),
        sweep_at in 0usize..60,
    ) {
        let supply = units.iter().sum::<u64>() + nobodys + unvested;
        let mut pool = pool_of_vesting(&units, nobodys);
        let mut vesting: Vec<Vesting> = units.iter().map(|units| vesting_of(*units)).collect();
        // What each should have, without an account: the growth of the rate while its units vested.
        let mut fair = vec![0u128; units.len()];
        let (mut deposited, mut paid, mut deposits) = (0u64, vec![0u64; units.len()], 0u64);
        let mut touched = vec![0u64; units.len()];
        for (number, (whose, amount, share)) in steps.iter().enumerate() {
            if number == sweep_at {
                pool.forfeit_vesting(nobodys).unwrap();
            }
            let whose = whose.index(units.len());
            let account = &mut vesting[whose];
            if amount % 3 == 0 {
                account.settle(&pool).unwrap();
                touched[whose] += 1;
                let freed = share % (account.units + 1);
                account.take_out(&mut pool, freed).unwrap();
            } else if amount % 3 == 1 {
                account.settle(&pool).unwrap();
                touched[whose] += 1;
                paid[whose] += account.take_owed(&mut pool).unwrap();
            }
            for (fair, account) in fair.iter_mut().zip(&vesting) {
                *fair += u128::from(*share) * u128::from(account.units);
            }
            pool.credit(*share, 1, supply).unwrap();
            deposited += share + 1;
            deposits += 1;
        }
        if sweep_at >= steps.len() {
            pool.forfeit_vesting(nobodys).unwrap();
        }
        for (account, paid) in vesting.iter_mut().zip(&mut paid) {
            account.settle(&pool).unwrap();
            *paid += account.take_owed(&mut pool).unwrap();
        }
        // Each deposit floors the stakers' part and the rate, each settlement the yield.
        for ((paid, fair), touched) in paid.iter().zip(&fair).zip(&touched) {
            let fair = u64::try_from(fair / u128::from(supply)).unwrap();
            prop_assert!(*paid <= fair && fair <= paid + 2 * deposits + touched + 1, "{} of {}", paid, fair);
        }
        prop_assert_eq!(paid.iter().sum::<u64>() + pool.owed_units + pool.redeem_units, deposited);
        prop_assert_eq!(pool.vesting_units, vesting.iter().map(|account| account.units).sum::<u64>());
        prop_assert_eq!(pool.vesting_units, pool.active_units);
    }
}
