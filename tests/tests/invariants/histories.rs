//! Random histories against a plain ledger.

use std::time::Instant;

use imo_tests::histories::{self, Beginning};

fn assert_all_agree(beginning: Beginning) {
    let began = Instant::now();
    let totals = histories::run(beginning, histories::count()).expect("every history can be played");
    println!("{beginning:?}: {totals:?}, {:?}", began.elapsed());
    assert_eq!((totals.unaccounted_lamports, totals.unaccounted_units), (0, 0));
    let tried = totals.landed + totals.refused;
    assert!(
        totals.landed * 10 > tried * 6,
        "only {} of {tried} transactions landed: too little happens",
        totals.landed
    );
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
