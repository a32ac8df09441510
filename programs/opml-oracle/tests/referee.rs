//! The referee as it is compiled for the chain, against the referee that runs here and against the reference execution, and what it costs.
//!
//! Needs the program: `cargo xtask build opml-oracle`. `IMO_REFEREE_CASES` sets the number of `prove` calls (20,000), `IMO_REFEREE_SEED` repeats a run.

#[path = "referee/cases.rs"]
mod cases;
#[path = "referee/chain.rs"]
mod chain;
#[path = "referee/models.rs"]
mod models;
#[allow(dead_code, reason = "it has a strategy for property tests as well")]
#[path = "../../../crates/opml/tests/operators/nodes.rs"]
mod nodes;

use chain::{Chain, Outcome};
use nodes::{LAST_OPERATOR, int8, int32, record};
use opml::{
    NodeRecord, TensorSpec,
    ops::{self, FullyConnected, LayerNorm, LayerNormAttributes, MatMul, MatMulAttributes, Softmax, SoftmaxAttributes},
};
use opml_oracle::errors::OracleError;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    io::Write,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

const CASES: u64 = 20_000;
const THREADS: u64 = 2;

/// What the cases came to.
#[derive(Default)]
struct Tally {
    cases: u64,
    proven: u64,
    correct: u64,
    mismatches: Vec<String>,
    /// The most that a transaction used, by operator, in compute units.
    units: [u64; LAST_OPERATOR as usize + 1],
}

impl Tally {
    fn add(&mut self, other: Self) {
        let Self {
            cases,
            proven,
            correct,
            mismatches,
            units,
        } = other;
        self.cases += cases;
        self.proven += proven;
        self.correct += correct;
        self.mismatches.extend(mismatches);
        for (most, units) in self.units.iter_mut().zip(units) {
            *most = units.max(*most);
        }
    }
}

/// Written past the capture of the test harness: the seed of a run matters when it succeeds, too.
fn tell(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").expect("standard error is open");
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {value}")),
    )
}

#[test]
fn given_random_cases_when_the_program_judges_them_then_it_agrees_with_the_reference() {
    let seed = setting("IMO_REFEREE_SEED").unwrap_or_else(|| rand::rng().random());
    let wanted = setting("IMO_REFEREE_CASES").unwrap_or(CASES);
    tell(&format!("referee: IMO_REFEREE_SEED={seed} IMO_REFEREE_CASES={wanted}"));

    let (next_model, asked) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut tally = Tally::default();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut chain, mut tally) = (Chain::load(), Tally::default());
                    while asked.load(Ordering::Relaxed) < wanted {
                        let model = next_model.fetch_add(1, Ordering::Relaxed);
                        let before = tally.cases;
                        judge_model(&mut chain, &mut tally, seed, model);
                        asked.fetch_add(tally.cases - before, Ordering::Relaxed);
                    }
                    tally
                })
            })
            .collect();
        for thread in threads {
            tally.add(thread.join().unwrap());
        }
    });

    let units: Vec<_> = (1..=LAST_OPERATOR)
        .map(|number| {
            let name = ops::operator(number).unwrap().name();
            format!("{name} {}", tally.units[usize::from(number)])
        })
        .collect();
    tell(&format!(
        "referee: {} cases on {} models ({} proven, {} correct), {} mismatches; most compute units: {}",
        tally.cases,
        next_model.into_inner(),
        tally.proven,
        tally.correct,
        tally.mismatches.len(),
        units.join(", "),
    ));
    for mismatch in tally.mismatches.iter().take(20) {
        tell(mismatch);
    }
    assert!(
        tally.mismatches.is_empty(),
        "seed {seed}: the program and the reference disagree"
    );
    assert!(
        wanted < 5_000 || tally.units[1..].iter().all(|units| *units > 0),
        "an operator was never judged"
    );
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
        .unwrap();
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

/// The longest reductions, with operands of several kinds: what one proof uses at most, in compute units, and the longest witness.
fn measure(record: &NodeRecord, specs: &[TensorSpec], rounds: u64) -> (u64, usize) {
    let mut chain = Chain::load();
    let (mut most, mut longest) = (0, 0);
    for round in 0..rounds {
        let mut random = ChaCha8Rng::seed_from_u64(round);
        let (model, run) = models::single(&mut random, record, specs);
        cases::at(&mut random, &model, &run, 0, |case| {
            let (outcome, units) = chain.prove(&case.question);
            assert_eq!(outcome, case.question.natively(), "{}", case.what);
            assert!(case.expected.allows(&outcome), "{}: {outcome:?}", case.what);
            most = units.max(most);
            longest = case.question.witness.len().max(longest);
        });
    }
    (most, longest)
}

fn fully_connected(k: u32) -> (NodeRecord, Vec<TensorSpec>) {
    let n = 300;
    let attributes = FullyConnected::attributes(-128, 3, -128, 127);
    let specs = vec![int8(&[1, k]), int8(&[n, k]), int32(&[n]), int32(&[n]), int8(&[n])];
    (record(FullyConnected::NUMBER, 5, int8(&[1, n]), attributes), specs)
}

#[test]
fn given_the_longest_reductions_when_proven_then_within_a_transaction() {
    const K: u32 = ops::MAX_REDUCTION;
    let row = int8(&[1, K]);
    let layer_norm = LayerNormAttributes {
        y_zero_point: 3,
        shift: 40,
        epsilon: 1,
    };
    let mat_mul = MatMulAttributes {
        a_zero_point: -128,
        b_zero_point: 127,
        y_zero_point: 3,
        shift: 40,
        multiplier: i32::MAX,
    };
    let softmax = SoftmaxAttributes {
        causal: true,
        offset: K as i32,
    };
    let dearest = [
        ("FullyConnected 384", fully_connected(384), 150_000),
        ("FullyConnected 32768", fully_connected(K), 1_200_000),
        (
            "LayerNorm 32768",
            (
                record(LayerNorm::NUMBER, 3, row, layer_norm.encode()),
                vec![row, int32(&[K]), int32(&[K])],
            ),
            1_200_000,
        ),
        (
            "Softmax 32768",
            (
                record(Softmax::NUMBER, 3, row, softmax.encode()),
                vec![row, int32(&[256]), int32(&[1])],
            ),
            1_200_000,
        ),
        (
            "MatMul 32768",
            (
                record(MatMul::NUMBER, 2, int8(&[1, 60]), mat_mul.encode()),
                vec![row, int8(&[60, K])],
            ),
            1_200_000,
        ),
    ];
    let mut told = Vec::new();
    for (name, (node, specs), limit) in &dearest {
        let (units, witness) = measure(node, specs, 6);
        told.push(format!("{name} {units} ({witness} bytes)"));
        assert!(units < *limit, "{name} used {units} compute units");
    }
    tell(&format!("referee: compute units (witness): {}", told.join(", ")));
}
