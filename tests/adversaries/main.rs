//! Every attacker loses or gains nothing, and nobody honest loses more than it knew it would.

use imo_tests::adversaries::{ATTACKERS, crowd};

imo_tests::adversary_tests!();

#[test]
fn given_one_ten_or_a_hundred_attackers_when_an_honest_challenger_plays_then_it_costs_and_takes_the_same() {
    let [alone, ten, hundred] = [1, 10, 100].map(crowd::honest_cost_among);
    assert_eq!(alone, ten);
    assert_eq!(alone, hundred);
}

#[test]
fn given_the_list_of_attackers_when_read_then_no_name_comes_twice() {
    let names: std::collections::BTreeSet<_> = ATTACKERS.iter().map(|attacker| attacker.name).collect();
    assert_eq!(names.len(), ATTACKERS.len());
}
