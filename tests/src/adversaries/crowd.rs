//! Many attackers at once.

use ::opml_oracle::game::Phase;
use anchor_lang::prelude::Pubkey;
use opml_runtime::{Execution, Model};
use solana_keypair::Keypair;

use super::Arena;
use crate::{
    models::{chain, lying},
    world::{Case, Tally, usdc},
};

/// What an honest challenger's case costs and takes among attackers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub tally: Tally,
    /// From its opening to its proof, in slots.
    pub slots: u64,
}

/// Opens `count` disputes that nobody goes on with.
pub fn open(
    arena: &mut Arena,
    challenger: &Keypair,
    count: u64,
    case: &Case,
    model: &Model,
    own: &Execution,
) -> Vec<Pubkey> {
    (0..count)
        .map(|nonce| arena.open_dispute(challenger, nonce, case, 0, model, own).dispute)
        .collect()
}

/// An honest challenger proves a lie while `attackers` disputes of the operator's friends were opened before it, each of which uses up all its time, and the operator
/// answers in the last slot. Panics unless it wins.
pub fn honest_cost_among(attackers: u64) -> Cost {
    let mut arena = Arena::open();
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 3)]);
    let [watcher, friend, operator] =
        [&arena.cast.watcher, &arena.cast.rival, &arena.cast.operator].map(Keypair::insecure_clone);
    let own = arena.own(&model, &case, 0);
    let mut disputes = open(&mut arena, &friend, attackers, &case, &model, &own);
    let opened = arena.now().slot;
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    while duel.phase(&arena) != Phase::Proven {
        match duel.phase(&arena).turn() {
            Some(::opml_oracle::game::Side::Operator) => {
                let due = duel.state(&arena).game.clocks.deadline.due_slot;
                let now = arena.now().slot;
                arena.pass_slots(due - now);
                duel.operator_answers(&mut arena, &operator, &case.asked[0].answer);
            }
            _ => {
                duel.challenger_moves(&mut arena);
            }
        }
    }
    let cost = Cost {
        tally: duel.tally,
        slots: arena.now().slot - opened,
    };
    disputes.push(duel.dispute);
    arena.wind_up(&case, &disputes);
    let verdict = super::judge(&arena);
    assert!(!verdict.won() && verdict.harmed.is_empty(), "{verdict:?}");
    cost
}
