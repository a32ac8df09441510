//! The referee on the chain against the referee here and the reference execution, and what it costs.
//!
//! Needs the program: `cargo xtask build opml-oracle`. `IMO_REFEREE_CASES` sets the number of judgements (20,000), `IMO_REFEREE_SEED` repeats a run.

use std::io::Write;

use imo_tests::referee::{Comparison, dearest};
use opml::ops::MAX_REDUCTION;

/// Written past the capture of the test harness: the seed of a run matters when it succeeds, too.
fn tell(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").expect("standard error is open");
}

#[test]
fn given_random_cases_when_the_program_judges_them_then_it_agrees_with_the_reference() {
    let comparison = Comparison::from_environment();
    let Comparison { seed, cases } = comparison;
    tell(&format!("referee: IMO_REFEREE_SEED={seed} IMO_REFEREE_CASES={cases}"));

    let tally = comparison.run();
    let units: Vec<_> = tally.units().map(|(name, units)| format!("{name} {units}")).collect();
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
    assert!(tally.cases >= cases);
    assert!(
        !comparison.is_of_every_operator() || tally.units().all(|(_, units)| units > 0),
        "an operator was never judged"
    );
}

#[test]
fn given_reductions_of_any_length_when_judged_then_within_a_transaction_and_no_dearer_than_linear() {
    const SHORT: u32 = 384;
    const UNITS_OF_SHORT: u64 = 150_000;
    const UNITS_OF_LONGEST: u64 = 1_200_000;
    let [short, half, longest] = [SHORT, MAX_REDUCTION / 2, MAX_REDUCTION].map(dearest);
    let told: Vec<_> = longest
        .iter()
        .map(|(name, cost)| format!("{name} {} ({} bytes)", cost.compute_units, cost.witness_bytes))
        .collect();
    tell(&format!(
        "referee: most compute units (witness) of {MAX_REDUCTION}: {}",
        told.join(", ")
    ));
    for (((name, short), (_, half)), (_, longest)) in short.into_iter().zip(half).zip(longest) {
        let [short, half, longest] = [short, half, longest].map(|cost| cost.compute_units);
        assert!(short < UNITS_OF_SHORT, "{name} used {short} compute units");
        assert!(longest < UNITS_OF_LONGEST, "{name} used {longest} compute units");
        // Twice the length costs at most twice as much, and what a few more hashes cost.
        assert!(longest <= half * 2 && half < longest, "{name}: {half}, then {longest}");
    }
}
