//! Programs that fail end their transaction with an error; panics say where.

use crate::machine::{Svm, program};
use sbf_tools::Version;

/// Fails the program in the given way; returns the error and the log.
fn failure(way: u64) -> (String, String) {
    let mut svm = Svm::load(program(Version::V0));
    let failed = svm.send(sbf_cases::FAIL, way, 0).expect_err("the program must fail");
    (format!("{:?}", failed.err), failed.meta.logs.join("\n"))
}

#[test]
fn given_a_panic_when_run_then_message_and_place_are_logged() {
    let (error, log) = failure(0);
    assert!(error.contains("ProgramFailedToComplete"), "{error}");
    assert!(log.contains("a plain message"), "{log}");
    // A path of the workspace, not of the machine that compiled it.
    assert!(
        log.contains("Panicked in tools/sbf/tests/programs/cases/src/failures.rs at"),
        "{log}"
    );
}

#[test]
fn given_an_index_out_of_bounds_when_run_then_it_panics_at_its_place() {
    assert!(failure(1).1.contains("failures.rs at "));
}

#[test]
fn given_arithmetic_that_overflows_when_run_then_it_panics_at_its_place() {
    for way in [2, 3, 8, 9] {
        assert!(failure(way).1.contains("failures.rs at "), "way {way}");
    }
}

#[test]
fn given_an_expectation_that_fails_when_run_then_it_panics_at_its_place() {
    assert!(failure(4).1.contains("failures.rs at "));
}

#[test]
fn given_no_memory_left_when_run_then_the_program_fails() {
    let (error, log) = failure(5);
    assert!(error.contains("ProgramFailedToComplete"), "{error}");
    assert!(log.contains("SBF program panicked"), "{log}");
}

#[test]
fn given_endless_recursion_when_run_then_the_program_fails() {
    let (error, log) = failure(6);
    assert!(error.contains("ProgramFailedToComplete"), "{error} {log}");
}

#[test]
fn given_an_endless_loop_when_run_then_compute_units_run_out() {
    let (error, log) = failure(7);
    assert!(error.contains("Program"), "{error}");
    assert!(log.contains("exceeded CUs"), "{log}");
}
