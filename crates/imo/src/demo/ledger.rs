//! The money of the story in plain arithmetic.
//!
//! Nothing here comes from the chain or from the programs: the rules of `docs/protocol.md` are written down again, in the simplest way, so that at the
//! end the chain can be held against them.

use std::collections::BTreeMap;

use super::{
    cast::{HOLDERS, Role},
    terms::{self, SPLIT, SUPPLY, TERMS},
};

type Purse = BTreeMap<Role, u64>;

/// Everything that anybody has or is owed, in units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Dollars in people's own accounts.
    pub dollars: Purse,
    /// Tokens in people's own accounts.
    pub tokens: Purse,
    pub offering: Offering,
    pub pool: Pool,
    pub escrow: Escrow,
    pub stakes: Stakes,
    /// Yield that was paid.
    pub yielded: Purse,
}

/// The sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offering {
    /// Dollars in the payment vault.
    pub dollars: u64,
    /// Tokens in the token vault.
    pub tokens: u64,
    pub commitments: Purse,
    pub committed: u64,
    pub accepted: u64,
    pub refunded: u64,
    pub claimed_tokens: u64,
}

/// Stake and yield of holders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// Tokens in the stake vault.
    pub tokens: u64,
    /// Dollars in the revenue vault.
    pub dollars: u64,
    pub staked: Purse,
    /// Yield per staked unit, times 2^64.
    pub accumulator: u128,
    /// Yield that is promised and not paid.
    pub owed: u64,
    /// What burning pays from.
    pub redeem: u64,
    /// Tokens that exist.
    pub supply: u64,
}

/// The payer's money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Escrow {
    /// Dollars in the vault; all of them are owed to somebody.
    pub dollars: u64,
    pub available: u64,
    pub withdrawing: u64,
    /// Set aside for each operator.
    pub lanes: Purse,
    /// Collected for each operator's report.
    pub buckets: Purse,
    pub earnings: Purse,
}

/// Bonds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stakes {
    /// Dollars in the stake vault; all of them are owed to somebody.
    pub dollars: u64,
    pub operators: Purse,
    pub insurance: u64,
    /// What a settled dispute waits to be paid.
    pub payout: u64,
}

impl Ledger {
    /// Everybody with the money that the story begins with.
    pub fn opening() -> Self {
        let rich = |role: &Role| *role != Role::Treasury;
        let dollars = HOLDERS
            .iter()
            .map(|role| (*role, if rich(role) { terms::POCKET_MONEY } else { 0 }))
            .collect();
        let tokens = HOLDERS.iter().map(|role| (*role, 0)).collect();
        Self {
            dollars,
            tokens,
            ..Self::default()
        }
    }

    pub fn commit(&mut self, investor: Role, units: u64) {
        take(&mut self.dollars, investor, units);
        give(&mut self.offering.commitments, investor, units);
        self.offering.dollars += units;
        self.offering.committed += units;
    }

    /// The offering is over and above its minimum.
    pub fn settle_offering(&mut self) {
        let offering = &mut self.offering;
        offering.accepted = offering.committed.min(terms::MAX_RAISE);
        offering.tokens = SUPPLY;
        self.pool.supply = SUPPLY;
    }

    /// Tokens and excess, both in proportion to the commitment.
    pub fn claim_commitment(&mut self, investor: Role) {
        let offering = &mut self.offering;
        let commitment = offering.commitments.remove(&investor).unwrap_or(0);
        let tokens = proportion(SUPPLY, commitment, offering.committed);
        let excess = proportion(offering.committed - offering.accepted, commitment, offering.committed);
        offering.tokens -= tokens;
        offering.claimed_tokens += tokens;
        offering.dollars -= excess;
        offering.refunded += excess;
        give(&mut self.tokens, investor, tokens);
        give(&mut self.dollars, investor, excess);
    }

    pub fn withdraw_proceeds(&mut self) {
        self.offering.dollars -= self.offering.accepted;
        give(&mut self.dollars, Role::Developer, self.offering.accepted);
    }

    pub fn stake(&mut self, investor: Role, tokens: u64) {
        take(&mut self.tokens, investor, tokens);
        give(&mut self.pool.staked, investor, tokens);
        self.pool.tokens += tokens;
    }

    pub fn stake_bond(&mut self, operator: Role, units: u64) {
        take(&mut self.dollars, operator, units);
        give(&mut self.stakes.operators, operator, units);
        self.stakes.dollars += units;
    }

    pub fn deposit(&mut self, units: u64) {
        take(&mut self.dollars, Role::Payer, units);
        self.escrow.dollars += units;
        self.escrow.available += units;
    }

    pub fn open_lane(&mut self, operator: Role, units: u64) {
        self.escrow.available -= units;
        give(&mut self.escrow.lanes, operator, units);
    }

    /// `answers` at the list price go from the lane to the operator's report.
    pub fn collect(&mut self, operator: Role, answers: u64) {
        let units = answers * terms::PRICE;
        take(&mut self.escrow.lanes, operator, units);
        give(&mut self.escrow.buckets, operator, units);
    }

    pub fn open_dispute(&mut self) {
        let (bond, fee) = (TERMS.challenger_bond_units, TERMS.open_fee_units);
        take(&mut self.dollars, Role::Watcher, bond + fee);
        self.stakes.dollars += bond + fee;
        self.stakes.insurance += fee;
        self.stakes.payout = bond;
    }

    /// Fraud is proven: the bond is divided between the prover and the insurance pool.
    pub fn slash(&mut self, operator: Role, challenger_moves: u64) {
        take(&mut self.stakes.operators, operator, terms::BOND);
        let share = basis_points(terms::BOND, TERMS.prover_share_bps);
        let cap = basis_points(terms::BOND, TERMS.cost_cap_bps);
        let costs = (challenger_moves * TERMS.move_cost_units).min(cap);
        self.stakes.payout += share + costs;
        self.stakes.insurance += terms::BOND - share - costs;
    }

    pub fn withdraw_payout(&mut self) {
        let payout = std::mem::take(&mut self.stakes.payout);
        self.stakes.dollars -= payout;
        give(&mut self.dollars, Role::Watcher, payout);
    }

    /// What was collected for a rejected report is the payer's again.
    pub fn refund(&mut self, operator: Role) {
        self.escrow.available += self.escrow.buckets.remove(&operator).unwrap_or(0);
    }

    /// A final report's revenue goes to everybody with a share; the holders take the dust.
    pub fn split(&mut self, operator: Role) {
        let units = self.escrow.buckets.remove(&operator).unwrap_or(0);
        let redeem = basis_points(units, SPLIT.redeem_bps);
        let mut holders = units - redeem;
        for (role, bps) in [
            (operator, SPLIT.operator_bps),
            (Role::Developer, SPLIT.developer_bps),
            (Role::Treasury, SPLIT.protocol_bps),
        ] {
            let share = basis_points(units, bps);
            give(&mut self.escrow.earnings, role, share);
            holders -= share;
        }
        self.escrow.dollars -= holders + redeem;

        // A staked token earns what it would if all were staked; the rest can be redeemed.
        let pool = &mut self.pool;
        let active: u64 = pool.staked.values().sum();
        let rate = (u128::from(holders) << 64) / u128::from(pool.supply);
        let stakers = u64::try_from((u128::from(active) * rate).div_ceil(1 << 64)).unwrap_or(u64::MAX);
        pool.accumulator += rate;
        pool.owed += stakers;
        pool.redeem += redeem + holders - stakers;
        pool.dollars += holders + redeem;
    }

    /// All stakes were there before the only deposit.
    pub fn claim_yield(&mut self, investor: Role) {
        let staked = self.pool.staked.get(&investor).copied().unwrap_or(0);
        let whole = u128::from(staked) * (self.pool.accumulator >> 64);
        let part = (u128::from(staked) * (self.pool.accumulator & u128::from(u64::MAX))) >> 64;
        let units = (whole + part) as u64;
        self.pool.owed -= units;
        self.pool.dollars -= units;
        give(&mut self.dollars, investor, units);
        give(&mut self.yielded, investor, units);
    }

    pub fn withdraw_earnings(&mut self, role: Role) {
        let units = self.escrow.earnings.insert(role, 0).unwrap_or(0);
        self.escrow.dollars -= units;
        give(&mut self.dollars, role, units);
    }

    /// Burns tokens for their part of the redeem pool.
    pub fn redeem(&mut self, investor: Role, tokens: u64) {
        let units = proportion(self.pool.redeem, tokens, self.pool.supply);
        take(&mut self.tokens, investor, tokens);
        self.pool.supply -= tokens;
        self.pool.redeem -= units;
        self.pool.dollars -= units;
        give(&mut self.dollars, investor, units);
    }

    pub fn request_withdraw(&mut self, units: u64) {
        self.escrow.available -= units;
        self.escrow.withdrawing += units;
    }

    pub fn withdraw(&mut self) {
        let units = std::mem::take(&mut self.escrow.withdrawing);
        self.escrow.dollars -= units;
        give(&mut self.dollars, Role::Payer, units);
    }

    /// All dollars there are.
    #[cfg(test)]
    fn total_dollars(&self) -> u64 {
        self.dollars.values().sum::<u64>()
            + self.offering.dollars
            + self.pool.dollars
            + self.escrow.dollars
            + self.stakes.dollars
    }
}

fn give(purse: &mut Purse, role: Role, units: u64) {
    *purse.entry(role).or_default() += units;
}

/// # Panics
/// When the story spends what nobody has.
fn take(purse: &mut Purse, role: Role, units: u64) {
    let left = purse.get(&role).and_then(|held| held.checked_sub(units));
    purse.insert(
        role,
        left.unwrap_or_else(|| panic!("{role} does not have {units} units")),
    );
}

/// `floor(whole * part / all)`.
fn proportion(whole: u64, part: u64, all: u64) -> u64 {
    (u128::from(whole) * u128::from(part) / u128::from(all)) as u64
}

fn basis_points(units: u64, bps: u16) -> u64 {
    proportion(units, bps.into(), 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::cast::INVESTORS;

    /// The story's money, start to end.
    fn told() -> Ledger {
        let mut ledger = Ledger::opening();
        for (investor, units) in INVESTORS.into_iter().zip(terms::COMMITMENTS) {
            ledger.commit(investor, units);
        }
        ledger.settle_offering();
        INVESTORS
            .into_iter()
            .for_each(|investor| ledger.claim_commitment(investor));
        ledger.withdraw_proceeds();
        for (investor, tokens) in INVESTORS.into_iter().zip(terms::STAKES) {
            ledger.stake(investor, tokens);
        }
        ledger.deposit(terms::DEPOSIT);
        for operator in [Role::OperatorA, Role::OperatorB] {
            ledger.stake_bond(operator, terms::OPERATOR_STAKE);
            ledger.open_lane(operator, terms::LANE);
            ledger.collect(operator, terms::QUESTIONS as u64);
        }
        ledger.open_dispute();
        ledger.slash(Role::OperatorB, 4);
        ledger.withdraw_payout();
        ledger.refund(Role::OperatorB);
        ledger.split(Role::OperatorA);
        ledger.claim_yield(Role::InvestorOne);
        ledger.claim_yield(Role::InvestorTwo);
        for role in [Role::OperatorA, Role::Developer, Role::Treasury] {
            ledger.withdraw_earnings(role);
        }
        ledger.redeem(Role::InvestorThree, terms::REDEEMED);
        ledger
    }

    #[test]
    fn given_the_story_when_told_then_no_dollar_appears_or_disappears() {
        let told = told();
        assert_eq!(told.total_dollars(), Ledger::opening().total_dollars());
        let tokens = told.tokens.values().sum::<u64>() + told.offering.tokens + told.pool.tokens;
        assert_eq!(tokens, SUPPLY - terms::REDEEMED);
    }

    #[test]
    fn given_the_story_when_told_then_every_vault_covers_what_it_owes() {
        let told = told();
        assert!(told.pool.dollars >= told.pool.owed + told.pool.redeem);
        let Escrow {
            dollars,
            available,
            withdrawing,
            lanes,
            buckets,
            earnings,
        } = &told.escrow;
        let owed = [lanes, buckets, earnings]
            .iter()
            .map(|purse| purse.values().sum::<u64>())
            .sum::<u64>();
        assert_eq!(*dollars, owed + available + withdrawing);
        let Stakes {
            dollars,
            operators,
            insurance,
            payout,
        } = &told.stakes;
        assert_eq!(*dollars, operators.values().sum::<u64>() + insurance + payout);
    }

    #[test]
    fn given_the_story_when_told_then_rounding_leaves_dust_in_the_vaults() {
        let told = told();
        assert!(told.offering.dollars > 0 && told.offering.dollars < 3);
        assert!(told.pool.owed > 0 && told.pool.owed < 3);
    }

    #[test]
    #[should_panic(expected = "watcher does not have")]
    fn given_more_than_one_has_when_spent_then_the_story_is_wrong() {
        take(&mut Ledger::opening().dollars, Role::Watcher, terms::POCKET_MONEY + 1);
    }
}
