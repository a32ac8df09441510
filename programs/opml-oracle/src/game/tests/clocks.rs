//! Whose clock, and until when.

use imo_protocol::{Deadline, Now, RESTART_GRACE_SLOTS};

use super::{
    at,
    players::{Output, Run, pointed},
};
use crate::game::{Clocks, Game, Refusal, Side};
use opml::{ElementType, TensorSpec};

fn started(side: Side) -> Clocks {
    let mut clocks = Clocks::new(900, 5_000);
    clocks.start(side, &at(100));
    clocks
}

#[test]
fn given_a_full_clock_when_a_turn_begins_then_it_is_due_after_the_response_time() {
    assert_eq!(started(Side::Operator).deadline, Deadline::after(&at(100), 900));
}

#[test]
fn given_a_clock_with_less_than_a_response_when_a_turn_begins_then_it_is_due_when_the_clock_runs_out() {
    let mut clocks = Clocks::new(900, 5_000);
    clocks.operator_slots = 40;
    clocks.start(Side::Operator, &at(100));
    assert_eq!(clocks.deadline, Deadline::after(&at(100), 40));
}

#[test]
fn given_a_move_when_it_lands_then_only_the_movers_clock_is_charged_what_the_turn_lasted() {
    let mut clocks = started(Side::Challenger);
    clocks.stop(Side::Challenger, &at(350));
    assert_eq!((clocks.challenger_slots, clocks.operator_slots), (4_750, 5_000));
}

#[test]
fn given_slots_of_half_the_length_when_a_move_lands_then_the_time_and_not_the_slots_are_charged() {
    let mut clocks = started(Side::Challenger);
    let now = Now { slot: 1_100, ..at(600) };
    clocks.stop(Side::Challenger, &now);
    // 200 seconds, the one that may have begun included: 201 x 2.5.
    assert_eq!(clocks.challenger_slots, 5_000 - 502);
}

#[test]
fn given_a_cluster_that_stood_still_when_a_move_lands_then_the_slots_and_not_the_time_are_charged() {
    let mut clocks = started(Side::Challenger);
    let now = Now {
        slot: 110,
        ..at(90_000)
    };
    clocks.stop(Side::Challenger, &now);
    assert_eq!(clocks.challenger_slots, 4_990);
}

#[test]
fn given_a_restart_when_the_grace_is_used_then_the_turn_costs_no_more_than_it_had() {
    let mut clocks = started(Side::Operator);
    let now = Now {
        last_restart_slot: 500,
        ..at(1_000 + RESTART_GRACE_SLOTS)
    };
    assert!(!clocks.is_late(&now));
    clocks.stop(Side::Operator, &now);
    assert_eq!(clocks.operator_slots, 5_000 - 900);
}

#[test]
fn given_each_state_when_just_before_on_and_after_the_deadline_then_either_a_move_or_a_timeout_is_legal() {
    let spec = TensorSpec::new(ElementType::Int8, &[2, 5_000]).unwrap();
    let outputs = (0..30).map(|node| Output::new(spec, vec![node; 10_000], &[])).collect();
    let run = Run::new(outputs, &[], &[]);
    let step = |game: &mut Game, now: &Now| match game.phase.turn() {
        Some(Side::Challenger) => run.demand(game, now, |real| real[0]),
        Some(Side::Operator) if game.trace_root == [0; 32] => run.post_trace(game, now, &run.output_root()),
        _ => run.answer(game, now),
    };
    let mut game = pointed(30, &at(10));
    for _ in 0..11 {
        let due = game.clocks.deadline.due_slot;
        let due_unix = game.clocks.deadline.due_unix;
        for now in [
            at(due - 1),
            Now {
                unix: due_unix,
                ..at(due)
            },
            Now {
                unix: due_unix + 1,
                ..at(due)
            },
            Now {
                unix: due_unix,
                ..at(due + 1)
            },
            Now {
                unix: due_unix + 1,
                ..at(due + 1)
            },
        ] {
            let late = now.slot > due && now.unix > due_unix;
            let moved = step(&mut game.clone(), &now);
            let timed_out = game.clone().time_out(&now);
            assert_eq!(moved == Err(Refusal::MoveTooLate), late);
            assert_eq!(moved.is_ok(), !late);
            assert_eq!(timed_out.is_ok(), late);
            assert_eq!(timed_out == Err(Refusal::TimeoutTooEarly), !late);
        }
        let opened = game.clocks.deadline.opened_slot;
        step(&mut game, &at(opened)).unwrap();
        if game.phase == crate::game::Phase::TileKnown {
            return;
        }
    }
    panic!("the tile was not reached");
}
