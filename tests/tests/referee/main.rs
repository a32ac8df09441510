//! The referee on the chain against the referee here and the reference execution.
//!
//! Needs the program: `cargo xtask build opml-oracle`. `IMO_REFEREE_CASES` sets the number of `prove` calls (20,000), `IMO_REFEREE_SEED` repeats a run.

use imo_tests::referee::{LAST_OPERATOR, differential, fully_connected, int8, int32, measure, record};
use opml::ops::{self, LayerNorm, LayerNormAttributes, MatMul, MatMulAttributes, Softmax, SoftmaxAttributes};
use rand::Rng;
use std::io::Write;

const CASES: u64 = 20_000;

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

    let tally = differential(seed, wanted);
    let units: Vec<_> = (1..=LAST_OPERATOR)
        .map(|number| {
            let name = ops::operator(number).unwrap().name();
            format!("{name} {}", tally.units[usize::from(number)])
        })
        .collect();
    tell(&format!(
        "referee: {} cases on {} models ({} proven, {} correct), {} mismatches; most compute units: {}",
        tally.cases,
        tally.models,
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
