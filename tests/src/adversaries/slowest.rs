//! The longest dispute there can be, played on the compiled programs.

use ::opml_oracle::game::{Phase, Side};
use imo_client::instructions::opml_oracle;
use imo_protocol::{Deadline, Now};
use model_token::state::DisputeTerms;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{lying, wide_chain},
    world::{World, usdc},
};

/// A dispute whose sides never moved before they had to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowest {
    /// From its opening until it was over, in slots.
    pub slots: u64,
    pub turns: u64,
    pub ended: Phase,
    /// What the terms say, in slots (`DisputeTerms::longest_dispute_slots`).
    pub promised_slots: u64,
}

/// A turn lasts to the end of the second in which it is due: this many slots more at most.
pub const SLACK_SLOTS: u64 = 3;

/// Plays a lie in a deep model under `terms` in the last slot of each turn, on both sides, until a side's time is used up and a stranger ends it.
pub fn play(terms: DisputeTerms) -> Slowest {
    let (world, cast) = World::light_with_terms(terms);
    let mut arena = Arena::of(world, cast);
    // The trace is walked in two steps, the output in one: more turns than the clocks hold.
    let model = wide_chain(40, 1_200);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 17)]);
    let [watcher, operator, stranger] =
        [&arena.cast.watcher, &arena.cast.operator, &arena.cast.stranger].map(solana_keypair::Keypair::insecure_clone);
    let own = arena.own(&model, &case, 0);
    let began = arena.now();
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    let mut turns = 0;
    while let Some(side) = duel.phase(&arena).turn() {
        turns += 1;
        let clocks = duel.state(&arena).game.clocks;
        let last = last_slot(&began, &clocks.deadline);
        // Who has no time left but the present second gives up: what follows can take no longer.
        if clocks.left(side) == 0 {
            arena.set_now(at(&began, last + 1));
            let timeout = opml_oracle::timeout(&duel.state(&arena));
            arena.send(&[timeout], &[&stranger]).expect_ok();
            continue;
        }
        arena.set_now(at(&began, last));
        match side {
            Side::Challenger => {
                duel.challenger_moves(&mut arena);
            }
            Side::Operator => {
                duel.operator_answers(&mut arena, &operator, &case.asked[0].answer);
            }
        }
    }
    Slowest {
        slots: arena.now().slot - began.slot,
        turns,
        ended: duel.phase(&arena),
        promised_slots: terms.longest_dispute_slots(),
    }
}

/// The times of `terms` with the money of the scenarios.
pub fn playable(terms: DisputeTerms) -> DisputeTerms {
    let DisputeTerms {
        window_slots,
        seal_slots,
        response_slots,
        clock_slots,
        unbonding_slots,
        notice_slots,
        epoch_slots,
        ..
    } = terms;
    DisputeTerms {
        window_slots,
        seal_slots,
        response_slots,
        clock_slots,
        unbonding_slots,
        notice_slots,
        epoch_slots,
        ..crate::world::terms()
    }
}

/// A slot, and the second that it falls into.
fn at(began: &Now, slot: u64) -> Now {
    let seconds = i64::try_from((slot - began.slot) * 2 / 5).expect("no dispute lasts that long");
    Now {
        slot,
        unix: began.unix + seconds,
        ..*began
    }
}

/// The last slot that is in time.
fn last_slot(began: &Now, deadline: &Deadline) -> u64 {
    let past = (deadline.due_slot..).find(|slot| deadline.is_past(&at(began, *slot)));
    past.expect("every deadline is past some day") - 1
}
