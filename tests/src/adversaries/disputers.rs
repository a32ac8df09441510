//! Challengers that are none: they want the bond, the reward, or only trouble.

use ::opml_oracle::{errors::OracleError, game::Phase};
use imo_client::{addresses, instructions::opml_oracle};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Arena, crowd};
use crate::{
    attack::swap,
    landed::Outcome,
    models::{chain, dense, honest, lying},
    world::{Case, Duel, terms, usdc},
};

/// Opens on a true receipt and says nothing more.
pub fn silent_challenger(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let rival = arena.cast.rival.insecure_clone();
    arena.attackers.push(rival.pubkey());
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&rival, 0, &case, 0, &model, &own);
    duel.challenger_moves(arena);
    let operator = arena.cast.operator.insecure_clone();
    duel.operator_answers(arena, &operator, &case.asked[0].answer);
    arena.wind_up(&case);
}

/// Opens in the last slot of the window, and picks something in the last slot of each turn, so that the operator's money comes late. It has nothing to prove in the end.
pub fn challenger_in_the_last_slot(arena: &mut Arena) {
    let model = chain(17);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let (rival, operator) = (arena.cast.rival.insecure_clone(), arena.cast.operator.insecure_clone());
    arena.attackers.push(rival.pubkey());
    arena.pass_slots(terms().window_slots);
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&rival, 0, &case, 0, &model, &own);
    loop {
        let due = duel.state(arena).game.clocks.deadline.due_slot;
        arena.pass_until_slot(due);
        if !crowd::walk_blindly(arena, &mut duel, &model) {
            break;
        }
        duel.operator_answers(arena, &operator, &case.asked[0].answer);
    }
    assert_eq!(duel.phase(arena), Phase::TileKnown);
    arena.wind_up(&case);
    // It has paid for each answer.
    let answers = i128::from(terms().move_cost_units * duel.tally.operator_moves);
    *arena.honest.get_mut(&operator.pubkey()).expect("it is honest") -= answers;
}

/// Opens twenty disputes on a true receipt in the last slot of the window, so that the operator misses one. The operator answers all of them with one trace.
pub fn spammer_of_disputes(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let (rival, operator) = (arena.cast.rival.insecure_clone(), arena.cast.operator.insecure_clone());
    arena.attackers.push(rival.pubkey());
    arena.pass_slots(terms().window_slots);
    let own = arena.own(&model, &case, 0);
    let mut duels: Vec<Duel> = (0..20)
        .map(|nonce| arena.open_dispute(&rival, nonce, &case, 0, &model, &own))
        .collect();
    for duel in &mut duels {
        duel.challenger_moves(arena);
    }
    for duel in &mut duels {
        if duel.phase(arena) == Phase::Pointed {
            duel.operator_answers(arena, &operator, &case.asked[0].answer);
        }
    }
    arena.wind_up(&case);
}

/// Sees the watcher's proof before it lands and sends it as its own: for the watcher's dispute, and for one of its own.
pub fn copier_of_a_proof(arena: &mut Arena) {
    let model = dense(&[8, 6, 3]);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 0)]);
    let [watcher, rival, operator] =
        [&arena.cast.watcher, &arena.cast.rival, &arena.cast.operator].map(Keypair::insecure_clone);
    arena.attackers.push(rival.pubkey());
    let own = arena.own(&model, &case, 0);
    let answer = case.asked[0].answer.clone();
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    let mut copy = arena.open_dispute(&rival, 0, &case, 0, &model, &own);
    duel.play_until(arena, &operator, &answer, Phase::TileKnown);
    copy.challenger_moves(arena);
    let proof = duel.ready(arena);
    let prove = proof.last().expect("the last one proves");
    let stolen = swap(prove, &watcher.pubkey(), &rival.pubkey());
    arena
        .send(&[stolen], &[&rival])
        .expect_error(OracleError::NotTheChallenger);
    let elsewhere = swap(
        &swap(prove, &watcher.pubkey(), &rival.pubkey()),
        &duel.dispute,
        &copy.dispute,
    );
    let refused = arena.send(&[elsewhere], &[&rival]);
    assert!(refused.is_err(), "a proof of another dispute's");
    arena.send(&proof, &[&watcher]).expect_ok();
    // Its own dispute is won by nobody's silence but the operator's, after the watcher's.
    arena.wind_up(&case);
}

/// An operator's friend plays a dispute on its lie to the end, before or behind an honest watcher.
fn self_dispute(arena: &mut Arena, friend_first: bool) -> Case {
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 0)]);
    let [watcher, friend, operator] =
        [&arena.cast.watcher, &arena.cast.rival, &arena.cast.operator].map(Keypair::insecure_clone);
    arena.attackers.push(friend.pubkey());
    let own = arena.own(&model, &case, 0);
    let answer = case.asked[0].answer.clone();
    let order = if friend_first {
        [&friend, &watcher]
    } else {
        [&watcher, &friend]
    };
    let mut duels = order.map(|challenger| arena.open_dispute(challenger, 0, &case, 0, &model, &own));
    let place = usize::from(!friend_first);
    duels[place].play_until(arena, &operator, &answer, Phase::Proven);
    let other = 1 - place;
    // The watcher goes on: the trace is there, and the operator has no reason to answer.
    while !matches!(
        duels[other].phase(arena),
        Phase::Demanded | Phase::Pointed | Phase::Proven
    ) {
        duels[other].challenger_moves(arena);
    }
    arena.wind_up(&case);
    case
}

/// Disputes itself at once, so that the share stays in the family. The watcher has its bond and its costs all the same.
pub fn self_disputer_in_advance(arena: &mut Arena) {
    self_dispute(arena, true);
}

/// Proves first, though it opened second: the share is the watcher's, who opened first.
pub fn overtaking_friend(arena: &mut Arena) {
    self_dispute(arena, false);
    let watcher = arena.cast.watcher.pubkey();
    let share = crate::world::BOND * u64::from(terms().prover_share_bps) / 10_000;
    let gained = super::verdict::gain(&arena.world, &watcher);
    assert!(
        gained >= i128::from(share - terms().open_fee_units),
        "the watcher has the share: {gained}"
    );
}

/// Opens ten disputes behind the watcher that never move, for a part of the costs.
pub fn farmer_of_refunds(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_false_report(&model, vec![lying(&model, 0, usdc(20), 0)]);
    let [watcher, friend, operator] =
        [&arena.cast.watcher, &arena.cast.rival, &arena.cast.operator].map(Keypair::insecure_clone);
    arena.attackers.push(friend.pubkey());
    let own = arena.own(&model, &case, 0);
    let mut duel = arena.open_dispute(&watcher, 0, &case, 0, &model, &own);
    crowd::open(arena, &friend, 10, &case, &model, &own);
    duel.play_until(arena, &operator, &case.asked[0].answer, Phase::Proven);
    arena.wind_up(&case);
}

/// Opens, loses, has it closed, and opens at the same address again, where moves of before must be worth nothing.
pub fn reopener_of_a_closed_dispute(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let rival = arena.cast.rival.insecure_clone();
    let stranger = arena.cast.stranger.insecure_clone();
    arena.attackers.push(rival.pubkey());
    let own = arena.own(&model, &case, 0);
    let mut first = arena.open_dispute(&rival, 0, &case, 0, &model, &own);
    let old_point = first.ready(arena);
    first.time_out(arena, &stranger);
    first.settle(arena, &stranger);
    first.pay_out(arena, &stranger);
    let second = arena.open_dispute(&rival, 0, &case, 0, &model, &own);
    assert_eq!(first.dispute, second.dispute);
    arena.send(&old_point, &[&rival]).expect_error(OracleError::StaleDigest);
    arena.wind_up(&case);
}

/// Comes when the window is past, to hold up the money.
pub fn disputer_after_the_window(arena: &mut Arena) {
    let model = chain(2);
    let case = arena.given_true_report(&model, vec![honest(&model, 0, usdc(20))]);
    let rival = arena.cast.rival.insecure_clone();
    let key = rival.pubkey();
    arena.attackers.push(key);
    arena.given_usdc(&key, usdc(10));
    arena.pass_slots(terms().window_slots + 4);
    let open = opml_oracle::open_dispute(key, key, &arena.read(&case.report), 0, [1; 32]);
    arena.send(&[open], &[&rival]).expect_error(OracleError::WindowClosed);
    let dispute = addresses::opml_oracle::dispute(&case.report, &key, 0);
    assert!(!arena.is_made(&dispute));
    arena.wind_up(&case);
}
