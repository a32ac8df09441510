//! The referee as it is compiled for the chain, against the referee that runs here and against the reference execution, and what it costs.

mod cases;
mod chain;
mod models;
#[allow(dead_code, reason = "it has a strategy for property tests as well")]
#[path = "../../../crates/opml/tests/operators/nodes.rs"]
mod nodes;
mod reductions;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use opml::ops;
use opml_oracle::errors::OracleError;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use chain::{Chain, Outcome};
use nodes::LAST_OPERATOR;
pub use reductions::{Cost, dearest};

/// Judgements that a comparison is made of, unless somebody wants more.
pub const CASES: u64 = 20_000;
/// From so many cases on every operator comes up.
const CASES_OF_EVERY_OPERATOR: u64 = 5_000;
const THREADS: u64 = 2;

/// What to compare.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The same seed gives the same models and nearly as many cases.
    pub seed: u64,
    /// At least so many.
    pub cases: u64,
}

impl Comparison {
    /// `IMO_REFEREE_CASES` sets the number of cases, `IMO_REFEREE_SEED` repeats a run.
    pub fn from_environment() -> Self {
        Self {
            seed: setting("IMO_REFEREE_SEED").unwrap_or_else(|| rand::rng().random()),
            cases: setting("IMO_REFEREE_CASES").unwrap_or(CASES),
        }
    }

    /// Asks the compiled program and the referee that runs here about random elements of random models.
    pub fn run(&self) -> Tally {
        let (next_model, asked) = (AtomicU64::new(0), AtomicU64::new(0));
        let mut tally = Tally::default();
        thread::scope(|scope| {
            let judge = || {
                let (mut chain, mut tally) = (Chain::load(), Tally::default());
                while asked.load(Ordering::Relaxed) < self.cases {
                    let model = next_model.fetch_add(1, Ordering::Relaxed);
                    let before = tally.cases;
                    judge_model(&mut chain, &mut tally, self.seed, model);
                    asked.fetch_add(tally.cases - before, Ordering::Relaxed);
                }
                tally
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(judge)).collect();
            for thread in threads {
                tally.add(thread.join().expect("a judging thread ends"));
            }
        });
        tally
    }

    /// Whether a run of so many cases has to come across every operator.
    pub fn is_of_every_operator(&self) -> bool {
        self.cases >= CASES_OF_EVERY_OPERATOR
    }
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {value}")),
    )
}

/// What the cases came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub models: u64,
    pub cases: u64,
    /// Cases that ended in a conviction, as they must have.
    pub proven: u64,
    /// Cases in which the element was found correct.
    pub correct: u64,
    /// What the program said that it must not.
    pub mismatches: Vec<String>,
    /// The most that a transaction used, by operator, in compute units.
    units: [u64; LAST_OPERATOR as usize + 1],
}

impl Tally {
    /// The most that a transaction used, in compute units, by the operator's name. 0 for one that was never judged.
    pub fn units(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let name = |number| ops::operator(number).expect("operators are numbered from 1").name();
        (1..=LAST_OPERATOR).map(move |number| (name(number), self.units[usize::from(number)]))
    }

    fn add(&mut self, other: Self) {
        let Self {
            models,
            cases,
            proven,
            correct,
            mismatches,
            units,
        } = other;
        self.models += models;
        self.cases += cases;
        self.proven += proven;
        self.correct += correct;
        self.mismatches.extend(mismatches);
        for (most, units) in self.units.iter_mut().zip(units) {
            *most = units.max(*most);
        }
    }
}

/// All cases of one model. The model follows from seed and number alone, whichever thread makes it.
fn judge_model(chain: &mut Chain, tally: &mut Tally, seed: u64, number: u64) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    let operator = 1 + (number % u64::from(LAST_OPERATOR)) as u8;
    let (model, run) = models::random(&mut random, operator);
    let main = model
        .nodes()
        .iter()
        .rposition(|node| node.operator == operator)
        .expect("the model was made with a node of this operator");
    tally.models += 1;
    for place in 0..cases::PLACES {
        let node = if place % 2 == 0 {
            main
        } else {
            random.random_range(0..model.nodes().len())
        };
        let operator = model.nodes()[node].operator;
        cases::at(&mut random, &model, &run, node as u32, |case| {
            let (chain_says, units) = chain.prove(&case.question);
            let native = case.question.natively();
            tally.cases += 1;
            tally.proven += u64::from(chain_says == Outcome::Proven);
            tally.correct += u64::from(chain_says == Outcome::refused(OracleError::ElementIsCorrect));
            let most = &mut tally.units[usize::from(operator)];
            *most = units.max(*most);
            if chain_says != native || !case.expected.allows(&chain_says) {
                tally.mismatches.push(format!(
                    "model {number}, node {node}, operator {operator}, tile {}, element {}, {}: the program says {chain_says:?}, the referee here {native:?}, the reference execution {:?}",
                    case.question.tile_leaf, case.question.element, case.what, case.expected,
                ));
            }
        });
    }
}
