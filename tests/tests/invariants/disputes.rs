//! Every way that the disputes of a report can go.

use imo_tests::{
    adversaries::slowest::{self, SLACK_SLOTS},
    checking::{Explored, Honest, explore, scenes},
    world,
};

#[track_caller]
fn assert_bounded(explored: Explored, least_states: usize) {
    println!("{explored:?}");
    assert!(explored.states >= least_states, "the scene got smaller: {explored:?}");
    assert!(explored.longest_slots > 0 && explored.longest_slots <= explored.bound_slots);
}

#[test]
fn given_an_honest_operator_when_two_challengers_do_anything_then_it_keeps_its_stake() {
    assert_bounded(explore(scenes::two_challengers(Honest::Operator)), 50_000);
}

#[test]
fn given_an_honest_challenger_when_operator_and_rival_do_anything_then_it_wins() {
    assert_bounded(explore(scenes::two_challengers(Honest::Challenger)), 50_000);
}

#[test]
fn given_nobody_honest_when_anything_happens_then_a_stranger_can_end_it() {
    assert_bounded(explore(scenes::two_challengers(Honest::Nobody)), 200_000);
}

#[test]
fn given_any_pace_slot_by_slot_when_played_then_the_same_holds() {
    for honest in [Honest::Operator, Honest::Challenger, Honest::Nobody] {
        assert_bounded(explore(scenes::slot_by_slot(honest)), 4_000);
    }
}

#[test]
fn given_a_deep_model_under_real_terms_when_walked_then_the_same_holds() {
    for honest in [Honest::Operator, Honest::Challenger, Honest::Nobody] {
        assert_bounded(explore(scenes::deep_descent(honest)), 1_000);
    }
}

/// The function that windows, unbonding and epochs are measured by, against the slowest play there is: by hand on the compiled programs, under the terms of all scenarios and
/// the default ones, and by the model checker.
#[test]
fn given_the_longest_dispute_when_asked_of_the_function_the_programs_and_the_model_checker_then_the_same() {
    let defaults = slowest::playable(imo_economics::defaults::terms());
    for terms in [world::terms(), defaults] {
        let played = slowest::play(terms);
        println!("{played:?}");
        assert_eq!(played.promised_slots, 2 * terms.clock_slots);
        assert!(
            played.slots >= played.promised_slots - terms.response_slots,
            "{played:?}"
        );
        assert!(
            played.slots <= played.promised_slots + SLACK_SLOTS * played.turns,
            "{played:?}"
        );
    }
    let checked = explore(scenes::deep_descent(Honest::Nobody));
    println!("{checked:?}");
    let promised = world::terms().longest_dispute_slots();
    assert!(checked.longest_slots >= promised - world::terms().response_slots);
    assert!(checked.longest_slots <= checked.bound_slots);
    let played = slowest::play(world::terms());
    assert_eq!(played.slots, checked.longest_slots);
}
