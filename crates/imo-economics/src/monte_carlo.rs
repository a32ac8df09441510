//! Strategies played out many times: what the formulas of `attack` leave out (jail, lost stake, insurance by a dispute against oneself) is counted here.

use model_token::state::DisputeTerms;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::{
    Market, attack,
    honesty::{CHALLENGER_TRANSACTIONS, OPERATOR_ANSWERS},
    terms::{bond_units, interest_units, longest_lock_slots, share},
};

/// What an operator does with every report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Computes every answer.
    Honest,
    /// One false answer in each report, for its prize.
    OneLie,
    /// One false answer in each report, and a friend's dispute that is opened first on each, to take the prover's share when somebody else finds the
    /// lie. Left alone, the friend's bond is lost.
    OneLieInsured,
    /// Every tenth answer made up.
    LazyTenth,
    /// No answer computed.
    LazyAll,
    /// Friends pay, and every report is rejected by the operator's own friend, so that nobody else gets a share.
    SelfRejection,
}

impl Strategy {
    pub const ALL: [Self; 6] = [
        Self::Honest,
        Self::OneLie,
        Self::OneLieInsured,
        Self::LazyTenth,
        Self::LazyAll,
        Self::SelfRejection,
    ];

    /// False answers in a report of so many.
    fn lies(self, requests: u32) -> u32 {
        match self {
            Self::Honest | Self::SelfRejection => 0,
            Self::OneLie | Self::OneLieInsured => 1,
            Self::LazyTenth => requests.div_ceil(10),
            Self::LazyAll => requests,
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::OneLie => "one lie a report",
            Self::OneLieInsured => "one lie, insured by a friend's dispute",
            Self::LazyTenth => "a tenth made up",
            Self::LazyAll => "all made up",
            Self::SelfRejection => "rejects its own reports",
        }
    }
}

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Lives of an operator.
    pub runs: u32,
    /// Reports in a life, jailed ones included.
    pub reports: u32,
    pub seed: u64,
}

/// What a strategy came to, for the operator and all its friends, in units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Outcome {
    pub strategy: Strategy,
    /// What it earned in a life, on average.
    pub mean_units: f64,
    /// The 5th, 50th and 95th percentile of that.
    pub percentiles_units: [f64; 3],
    /// The part of its reports that were rejected.
    pub rejected: f64,
    /// Lives in which it lost so much stake that it could post no report any more, as a part of all.
    pub ruined: f64,
}

/// Plays one strategy. The same numbers come out for the same seed.
pub fn play(strategy: Strategy, terms: &DisputeTerms, market: &Market, size: Size) -> Outcome {
    let mut lives: Vec<Life> = (0..u64::from(size.runs))
        .map(|run| {
            // Each run has a stream of its own, so that a longer simulation begins with the shorter one's runs.
            let mut dice = ChaCha8Rng::seed_from_u64(size.seed);
            dice.set_stream(run);
            live(strategy, terms, market, size.reports, &mut dice)
        })
        .collect();
    lives.sort_by(|a, b| a.wealth_units.total_cmp(&b.wealth_units));
    let runs = lives.len().max(1) as f64;
    let percentile = |percent: usize| {
        lives
            .get((lives.len() * percent / 100).min(lives.len().saturating_sub(1)))
            .map_or(0.0, |life| life.wealth_units)
    };
    let reports: f64 = lives.iter().map(|life| f64::from(life.reports)).sum();
    Outcome {
        strategy,
        mean_units: lives.iter().map(|life| life.wealth_units).sum::<f64>() / runs,
        percentiles_units: [5, 50, 95].map(percentile),
        rejected: lives.iter().map(|life| f64::from(life.rejected)).sum::<f64>() / reports.max(1.0),
        ruined: lives.iter().filter(|life| life.ruined).count() as f64 / runs,
    }
}

#[derive(Default)]
struct Life {
    wealth_units: f64,
    reports: u32,
    rejected: u32,
    ruined: bool,
}

fn live(strategy: Strategy, terms: &DisputeTerms, market: &Market, periods: u32, dice: &mut impl Rng) -> Life {
    let bond = bond_units(terms, market.report_units);
    let lock_slots = longest_lock_slots(terms);
    // A report is posted when the one before may be final; jail lasts as long as unbonding.
    let jail_periods = u32::try_from(terms.unbonding_slots.div_ceil(lock_slots.max(1))).unwrap_or(u32::MAX);
    let capital = interest_units(bond, lock_slots, market.interest);
    let lies = strategy.lies(market.requests);
    let found = attack::detection(market.check_probability, lies);

    let mut life = Life::default();
    let mut stake = market.stake_units;
    let mut period = 0;
    while period < periods {
        period += 1;
        if stake < bond {
            life.ruined = true;
            break;
        }
        life.reports += 1;
        let computed = f64::from(market.requests - lies) * market.inference_cost_units;
        life.wealth_units -= computed + capital;
        if lies > 0 {
            life.wealth_units += market.prize_units;
        }
        let is_rejected = strategy == Strategy::SelfRejection || dice.random_bool(found);
        if is_rejected {
            life.rejected += 1;
            life.wealth_units -= bond - won_by_friends(strategy, terms, bond, market);
            stake -= bond;
            period = period.saturating_add(jail_periods);
        } else {
            life.wealth_units += market.operator_share * market.report_units;
            if strategy == Strategy::OneLieInsured {
                life.wealth_units -= attack::cost_of_delay(terms) + market.landing_cost_units;
            }
        }
        if strategy == Strategy::SelfRejection {
            // The friends would have paid for the answers anyway: what comes back to them is what the others do not get, and the operator's share.
            life.wealth_units += market.report_units;
        }
    }
    life
}

/// What friends of a rejected operator get of its bond, less what it cost them.
fn won_by_friends(strategy: Strategy, terms: &DisputeTerms, bond: f64, market: &Market) -> f64 {
    if !matches!(strategy, Strategy::OneLieInsured | Strategy::SelfRejection) {
        return 0.0;
    }
    let moves = f64::from(CHALLENGER_TRANSACTIONS - 1);
    let costs = (moves * terms.move_cost_units as f64).min(share(terms.cost_cap_bps) * bond);
    let landing = f64::from(CHALLENGER_TRANSACTIONS + OPERATOR_ANSWERS) * market.landing_cost_units;
    share(terms.prover_share_bps) * bond + costs - terms.open_fee_units as f64 - landing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{attack, defaults};

    const SIZE: Size = Size {
        runs: 4_000,
        reports: 1,
        seed: 7,
    };

    #[test]
    fn given_one_report_when_played_often_then_the_mean_is_the_formula() {
        let (terms, market) = (
            defaults::terms(),
            Market {
                check_probability: 0.2,
                ..defaults::market()
            },
        );
        let honest = play(Strategy::Honest, &terms, &market, SIZE).mean_units;
        let lying = play(Strategy::OneLie, &terms, &market, SIZE).mean_units;
        // The formula gives the liar's friends all that can be won back; here it has none.
        let loss = market.operator_share * market.report_units + bond_units(&terms, market.report_units);
        let expected = market.inference_cost_units + market.prize_units - 0.2 * loss;
        let deviation = loss * (0.2_f64 * 0.8 / f64::from(SIZE.runs)).sqrt();
        assert!(
            (lying - honest - expected).abs() < 4.0 * deviation,
            "{lying} {honest} {expected}"
        );
        assert!(expected < attack::gain_of_lying(&terms, &market, 1));
    }

    #[test]
    fn given_the_defaults_when_a_year_is_played_then_no_strategy_beats_honesty() {
        let size = Size {
            runs: 400,
            reports: 180,
            seed: 11,
        };
        let (terms, market) = (defaults::terms(), defaults::market());
        let honest = play(Strategy::Honest, &terms, &market, size).mean_units;
        for strategy in Strategy::ALL.into_iter().skip(1) {
            let outcome = play(strategy, &terms, &market, size);
            assert!(outcome.mean_units < honest, "{outcome:?} {honest}");
        }
    }

    #[test]
    fn given_nobody_who_checks_when_played_then_lies_pay() {
        let market = Market {
            check_probability: 0.0,
            ..defaults::market()
        };
        let terms = defaults::terms();
        let honest = play(Strategy::Honest, &terms, &market, SIZE).mean_units;
        assert!(play(Strategy::LazyAll, &terms, &market, SIZE).mean_units > honest);
    }

    #[test]
    fn given_a_seed_when_played_twice_then_the_same() {
        let (terms, market) = (defaults::terms(), defaults::market());
        let once = play(Strategy::LazyTenth, &terms, &market, SIZE);
        assert_eq!(once, play(Strategy::LazyTenth, &terms, &market, SIZE));
    }
}
