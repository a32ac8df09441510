//! Many attackers at once: what they cost the honest, and how long they can hold things up.

use ::opml_oracle::game::{Phase, Side};
use imo_client::instructions::opml_oracle;
use opml_runtime::{Execution, Model};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Arena, judge, verdict::gain};
use crate::{
    landed::Outcome,
    models::{chain, honest, lying},
    world::{Case, Duel, Tally, terms, usdc},
};

/// What the operator's friends do with the disputes that they open before the honest challenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// Each move in its last slot, and at last none, so that everything behind them waits.
    Slow,
    /// They prove the lie themselves, so that share and costs stay in the family.
    Proving,
}

/// What an honest challenger's case costs and takes among attackers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChallengersCost {
    pub tally: Tally,
    /// Fees of its transactions.
    pub lamports: u64,
    /// What it has to bring, in units: the bond and the fee.
    pub brought_units: u64,
    /// What it has more in the end, in units; less than zero when it lost something.
    pub gained_units: i128,
    /// From its opening to its proof, in slots.
    pub proven_after_slots: u64,
    /// From its opening until it has its money, in slots.
    pub paid_after_slots: u64,
}

/// What an honest operator's report costs and takes among attackers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorsCost {
    /// Answers to all of them.
    pub transactions: u64,
    /// What it has more in the end than its share of what it served, in units.
    pub gained_units: i128,
    /// From its seal to its end, in slots.
    pub final_after_slots: u64,
}

/// Opens `count` disputes on the first receipt.
pub fn open<'a>(
    arena: &mut Arena,
    challenger: &'a Keypair,
    count: u64,
    case: &Case,
    model: &'a Model,
    own: &'a Execution,
) -> Vec<Duel<'a>> {
    (0..count)
        .map(|nonce| arena.open_dispute(challenger, nonce, case, 0, model, own))
        .collect()
}

/// A challenger that knows of nothing wrong makes its next move all the same: it picks what is first. Returns whether there was one to make.
pub fn walk_blindly(arena: &mut Arena, duel: &mut Duel, model: &Model) -> bool {
    let state = duel.state(arena);
    let (game, digest) = (&state.game, state.game.digest);
    let instruction = match game.phase {
        Phase::Opened => opml_oracle::point(&state, digest, &duel.place),
        Phase::Traced | Phase::Narrowed if game.cursor.is_at_trace_leaves() => {
            let node = game.picked_node(0).expect("a trace has a first leaf");
            let record = &model.nodes()[node as usize];
            let path = model.graph().path(0, node);
            opml_oracle::demand_node(&state, digest, 0, model.header(), record, path)
        }
        Phase::Traced | Phase::Narrowed => opml_oracle::demand(&state, digest, 0),
        // It has no proof.
        _ => return false,
    };
    arena.send(&[instruction], &[duel.challenger]).expect_ok();
    true
}

/// An honest challenger proves a lie while `attackers` disputes of the operator's friends were opened before it, and the operator answers in the last slot. Panics unless
/// it wins.
pub fn challengers_cost(attackers: u64, crowd: Crowd) -> ChallengersCost {
    let mut arena = Arena::open();
    let model = chain(17);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 3)]);
    let [watcher, friend, operator] =
        [&arena.cast.watcher, &arena.cast.rival, &arena.cast.operator].map(Keypair::insecure_clone);
    arena.attackers.push(friend.pubkey());
    // It knows that the fee may not come back.
    arena.honest.insert(watcher.pubkey(), terms().open_fee_units.into());
    let answer = case.asked[0].answer.clone();
    let own = arena.own(&model, &case, 0);
    let mut friends = open(&mut arena, &friend, attackers, &case, &model, &own);
    let (opened, lamports) = (arena.now().slot, arena.lamports(&watcher.pubkey()));
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    let brought_units = arena.given(&watcher.pubkey()) - arena.usdc_of(&watcher.pubkey());
    if crowd == Crowd::Proving {
        for friend in &mut friends {
            friend.play_until(&mut arena, &operator, &answer, Phase::Proven);
        }
    }
    let mut proven_after_slots = None;
    // In each round everybody who is to move and waits does it in the last slot of its turn.
    while proven_after_slots.is_none() || friends.iter().any(|friend| friend.phase(&arena).turn().is_some()) {
        while proven_after_slots.is_none() && duel.phase(&arena).turn() == Some(Side::Challenger) {
            if let Some(witness) = duel.challenger_moves(&mut arena) {
                let close = opml_oracle::close_witness(watcher.pubkey(), witness);
                arena.send(&[close], &[&watcher]).expect_ok();
            }
        }
        if duel.phase(&arena) == Phase::Proven {
            proven_after_slots.get_or_insert(arena.now().slot - opened);
        }
        let running = friends.iter().chain([&duel]).map(|duel| duel.state(&arena).game);
        let due = running
            .filter(|game| game.phase.turn().is_some())
            .map(|game| game.clocks.deadline.due_slot);
        let Some(due) = due.min() else { break };
        let now = arena.now().slot;
        arena.pass_until_slot(due.max(now));
        for duel in friends.iter_mut().chain([&mut duel]) {
            let game = duel.state(&arena).game;
            if game.clocks.deadline.due_slot > arena.now().slot {
                continue;
            }
            match game.phase.turn() {
                Some(Side::Operator) => {
                    duel.operator_answers(&mut arena, &operator, &answer);
                }
                Some(Side::Challenger) if !walk_blindly(&mut arena, duel, &model) => {
                    arena.pass_deadline(&game.clocks.deadline);
                    let timeout = opml_oracle::timeout(&duel.state(&arena));
                    arena.send(&[timeout], &[&friend]).expect_ok();
                }
                _ => {}
            }
        }
    }
    assert_eq!(duel.phase(&arena), Phase::Proven);
    arena.wind_up(&case);
    let verdict = judge(&arena);
    assert!(!verdict.won() && verdict.harmed.is_empty(), "{verdict:?}");
    ChallengersCost {
        tally: duel.tally,
        lamports: lamports - arena.lamports(&watcher.pubkey()),
        brought_units,
        gained_units: gain(&arena.world, &watcher.pubkey()),
        proven_after_slots: proven_after_slots.expect("it was proven"),
        paid_after_slots: arena.now().slot - opened,
    }
}

/// An honest operator answers `attackers` disputes on a true receipt, all opened in the last slot of the window and each played in the last slot of every turn. Panics
/// unless its report becomes final.
pub fn operators_cost(attackers: u64) -> OperatorsCost {
    let mut arena = Arena::open();
    let model = chain(17);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let [rival, operator] = [&arena.cast.rival, &arena.cast.operator].map(Keypair::insecure_clone);
    arena.attackers.push(rival.pubkey());
    let answer = case.asked[0].answer.clone();
    let own = arena.own(&model, &case, 0);
    let sealed = arena.now().slot;
    arena.pass_slots(terms().window_slots);
    let mut duels = open(&mut arena, &rival, attackers, &case, &model, &own);
    loop {
        for duel in &mut duels {
            if duel.phase(&arena).turn() == Some(Side::Operator) {
                duel.operator_answers(&mut arena, &operator, &answer);
            }
        }
        let games = duels.iter().map(|duel| duel.state(&arena).game);
        let due = games
            .filter(|game| game.phase.turn().is_some())
            .map(|game| game.clocks.deadline.due_slot);
        let Some(due) = due.min() else { break };
        let now = arena.now().slot;
        arena.pass_until_slot(due.max(now));
        for duel in &mut duels {
            let game = duel.state(&arena).game;
            let is_due = game.clocks.deadline.due_slot <= arena.now().slot;
            if is_due && game.phase.turn().is_some() && !walk_blindly(&mut arena, duel, &model) {
                arena.pass_deadline(&game.clocks.deadline);
                let timeout = opml_oracle::timeout(&duel.state(&arena));
                arena.send(&[timeout], &[&operator]).expect_ok();
            }
        }
    }
    arena.wind_up(&case);
    let verdict = judge(&arena);
    assert!(!verdict.won() && verdict.harmed.is_empty(), "{verdict:?}");
    let share = super::arena::operators_share(case.collected_units);
    OperatorsCost {
        transactions: duels.iter().map(|duel| duel.tally.operator_moves).sum(),
        gained_units: gain(&arena.world, &operator.pubkey()) - i128::from(share),
        final_after_slots: arena.now().slot - sealed,
    }
}
