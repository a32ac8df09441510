//! Random histories against a plain ledger.

use std::{collections::BTreeSet, time::Instant};

use imo_tests::{
    histories::{self, Beginning, Kind},
    programs::{PROGRAMS, instructions, interface},
};

fn assert_all_agree(beginning: Beginning) {
    let began = Instant::now();
    let totals = histories::run(beginning, histories::count()).expect("every history can be played");
    println!(
        "{beginning:?}: {} histories, {} landed, {} refused, {:?}",
        totals.histories,
        totals.landed,
        totals.refused,
        began.elapsed()
    );
    assert_eq!((totals.unaccounted_lamports, totals.unaccounted_units), (0, 0));
    let tried = totals.landed + totals.refused;
    assert!(
        totals.landed * 10 > tried * 6,
        "only {} of {tried} transactions landed: too little happens",
        totals.landed
    );
}

macro_rules! histories {
    ($($name:ident: $beginning:ident)*) => {
        $(
            #[test]
            fn $name() {
                assert_all_agree(Beginning::$beginning);
            }
        )*
    };
}

histories! {
    given_nothing_when_anything_is_tried_then_it_is_what_the_ledger_says: Nothing
    given_an_open_offering_when_anything_is_tried_then_it_is_what_the_ledger_says: Offered
    given_a_token_that_vests_when_anything_is_tried_then_it_is_what_the_ledger_says: Vesting
    given_a_model_that_was_launched_when_anything_is_tried_then_it_is_what_the_ledger_says: Launched
    given_open_lanes_and_stake_when_anything_is_tried_then_it_is_what_the_ledger_says: InService
    given_sealed_reports_when_anything_is_tried_then_it_is_what_the_ledger_says: Reported
    given_disputed_reports_when_anything_is_tried_then_it_is_what_the_ledger_says: Disputed
    given_a_long_trace_when_anything_is_tried_then_it_is_what_the_ledger_says: Deep
    given_a_malformed_model_when_anything_is_tried_then_it_is_what_the_ledger_says: Malformed
    given_drawn_audits_when_anything_is_tried_then_it_is_what_the_ledger_says: Audited
}

#[test]
fn given_the_interfaces_when_compared_with_the_steps_then_every_instruction_is_played() {
    let played: BTreeSet<(&str, &str)> = Kind::ALL.iter().flat_map(|kind| kind.instructions()).copied().collect();
    let mut unplayed = Vec::new();
    let mut known = BTreeSet::new();
    for program in &PROGRAMS {
        for name in instructions(&interface(program).expect("the programs are compiled")) {
            if !played.contains(&(program.name, name.as_str())) {
                unplayed.push(format!("{}::{name}", program.name));
            }
            known.insert((program.name, name));
        }
    }
    assert!(
        unplayed.is_empty(),
        "no step of the histories plays {unplayed:?}: add it to histories/kinds.rs"
    );
    let unknown: Vec<_> = played
        .iter()
        .filter(|(program, name)| !known.contains(&(*program, (*name).to_owned())))
        .collect();
    assert!(unknown.is_empty(), "no program has {unknown:?}");
}
