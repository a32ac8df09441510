//! Random histories against a plain ledger.

use std::{env, time::Instant};

use imo_tests::histories::{Beginning, Stage, Totals, step};
use proptest::{
    collection::vec,
    test_runner::{Config, TestRunner},
};

/// Steps of a history.
const STEPS: usize = 60;

/// Histories from each beginning, unless `IMO_HISTORIES` says how many.
const HISTORIES: u32 = 500;

fn assert_all_agree(beginning: Beginning) {
    let cases = env::var("IMO_HISTORIES").map_or(HISTORIES, |cases| cases.parse().expect("IMO_HISTORIES is a number"));
    let mut root = Stage::launch();
    root.begin(beginning);
    let began = Instant::now();
    let totals = std::cell::Cell::new(Totals::default());
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 5_000,
        source_file: Some(file!()),
        ..Config::default()
    });
    let result = runner.run(&vec(step(), STEPS), |steps| {
        let mut stage = root.fork();
        let mut played = totals.get();
        for step in &steps {
            stage.play(step, &mut played);
        }
        totals.set(played);
        Ok(())
    });
    println!(
        "{beginning:?}: {cases} histories, {:?}, {:?}",
        totals.get(),
        began.elapsed()
    );
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn given_a_model_that_was_launched_when_anything_is_tried_then_it_is_what_the_ledger_says() {
    assert_all_agree(Beginning::Launched);
}

#[test]
fn given_open_lanes_and_stake_when_anything_is_tried_then_it_is_what_the_ledger_says() {
    assert_all_agree(Beginning::InService);
}

#[test]
fn given_sealed_reports_when_anything_is_tried_then_it_is_what_the_ledger_says() {
    assert_all_agree(Beginning::Reported);
}

#[test]
fn given_disputed_reports_when_anything_is_tried_then_it_is_what_the_ledger_says() {
    assert_all_agree(Beginning::Disputed);
}
