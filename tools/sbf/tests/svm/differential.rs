//! The same code, on this machine and in Solana's virtual machine, must compute the same.

use crate::machine::{Svm, program};
use sbf_tools::Version;
use std::time::Instant;

/// Transactions for each case, and runs in each transaction: as many as compute units and heap allow.
const PLAN: &[(&str, u64, u32)] = &[
    ("wide_integers", 500, 10),
    ("integers", 300, 20),
    ("floats", 150, 20),
    ("returns", 200, 20),
    ("arguments", 200, 20),
    ("copies", 400, 8),
    ("collections", 400, 1),
];

fn compare(version: Version) {
    let mut svm = Svm::load(program(version));
    for (case, (name, _)) in sbf_cases::CASES.iter().enumerate() {
        let (_, transactions, runs) = PLAN
            .iter()
            .find(|(planned, ..)| planned == name)
            .expect("a plan for every case");
        let case = u8::try_from(case).unwrap();
        let start = Instant::now();
        for transaction in 0..*transactions {
            let seed = 1 + transaction * u64::from(*runs);
            if svm.run(case, seed, *runs) != sbf_cases::run(case, seed, *runs) {
                let first = (seed..).find(|seed| svm.run(case, *seed, 1) != sbf_cases::run(case, *seed, 1));
                panic!("{name} differs from this machine, first at seed {first:?}");
            }
        }
        println!(
            "{name}: {} vectors equal, {:.1} s",
            transactions * u64::from(*runs),
            start.elapsed().as_secs_f32()
        );
    }
}

#[test]
fn given_v0_when_run_on_both_machines_then_results_are_equal() {
    compare(Version::V0);
}

#[test]
fn given_v3_when_run_on_both_machines_then_results_are_equal() {
    compare(Version::V3);
}
