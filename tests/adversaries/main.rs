//! Every attacker loses or gains nothing, and nobody honest loses more than it knew it would.

use imo_tests::{
    adversaries::{
        ATTACKERS,
        crowd::{self, Crowd},
        slowest,
    },
    world::terms,
};

imo_tests::adversary_tests!();

#[test]
fn given_one_ten_or_a_hundred_attackers_when_an_honest_challenger_plays_then_it_costs_and_takes_the_same() {
    let [one, ten, hundred] = [1, 10, 100].map(|attackers| crowd::challengers_cost(attackers, Crowd::Slow));
    assert_eq!(one, ten);
    assert_eq!(one, hundred);
    // Behind all that its window allowed and the longest dispute takes, it has its money.
    let bound = terms().longest_dispute_slots() + slowest::SLACK_SLOTS * 20;
    assert!(one.paid_after_slots <= bound, "{one:?}");
}

#[test]
fn given_friends_of_the_operator_that_prove_first_when_an_honest_challenger_plays_then_it_loses_the_fee_at_most() {
    for attackers in [1, 10, 60] {
        let cost = crowd::challengers_cost(attackers, Crowd::Proving);
        assert!(cost.gained_units >= -i128::from(terms().open_fee_units), "{cost:?}");
    }
}

#[test]
fn given_one_ten_or_a_hundred_attackers_when_an_honest_operator_answers_then_it_is_paid_for_it_and_waits_no_longer() {
    let [one, ten, hundred] = [1, 10, 100].map(crowd::operators_cost);
    assert_eq!(one.final_after_slots, ten.final_after_slots);
    assert_eq!(one.final_after_slots, hundred.final_after_slots);
    for (attackers, cost) in [(1, one), (10, ten), (100, hundred)] {
        assert_eq!(cost.transactions, attackers * one.transactions);
        // One trace does for all, and attaching it is no answer.
        let others = i128::from(attackers - 1) * (one.gained_units - i128::from(terms().move_cost_units));
        assert_eq!(cost.gained_units, one.gained_units + others);
        assert!(cost.gained_units > 0, "{cost:?}");
    }
}

#[test]
fn given_the_list_of_attackers_when_read_then_no_name_comes_twice() {
    let names: std::collections::BTreeSet<_> = ATTACKERS.iter().map(|attacker| attacker.name).collect();
    assert_eq!(names.len(), ATTACKERS.len());
}
