//! Every move of a dispute: by whom, when, in answer to what, with which accounts.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Dispute, Report},
};
use anchor_lang::{error::ErrorCode, prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    instructions::opml_oracle::{self, Place},
};
use imo_protocol::Now;
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, unsigned},
    models::{dense, lying},
    world::{Case, Duel, terms, usdc},
};
use opml_runtime::{Execution, Model, execute};
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

/// A sealed report with one lie in the first of three nodes, and the challenger's own execution.
fn given_a_lie(world: &mut World, cast: &Cast, model: &Model) -> (Case, Execution) {
    let service = world.given_service(cast, model);
    let case = world.given_sealed(cast, service, vec![lying(model, 0, usdc(10), 0)]);
    let own = execute(model, &case.asked[0].input).expect("the input fits the model");
    (case, own)
}

fn three_layers() -> Model {
    dense(&[8, 6, 5, 3])
}

#[test]
fn given_a_window_when_a_dispute_is_opened_around_its_end_then_in_time_only() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, _) = given_a_lie(&mut world, &cast, &model);
    let watcher = cast.watcher.pubkey();
    world.given_usdc(&watcher, usdc(100));
    let report: Report = world.read(&case.report);
    let due = report.window;
    let open = |nonce| opml_oracle::open_dispute(watcher, watcher, &report, nonce, [7; 32]);
    let at = |slot, unix| Now {
        slot,
        unix,
        last_restart_slot: 0,
    };
    let in_time = [
        at(due.due_slot - 1, due.due_unix - 1),
        at(due.due_slot, due.due_unix),
        at(due.due_slot + 1, due.due_unix),
        at(due.due_slot, due.due_unix + 1),
    ];
    for (nonce, now) in (0..).zip(in_time) {
        world.set_now(now);
        world.send(&[open(nonce)], &[&cast.watcher]).expect_ok();
        world
            .send(&[open(nonce)], &[&cast.watcher])
            .expect_error(ALREADY_IN_USE);
    }
    world.set_now(at(due.due_slot + 1, due.due_unix + 1));
    world
        .send(&[open(9)], &[&cast.watcher])
        .expect_error(OracleError::WindowClosed);
    let finalise = opml_oracle::finalise_report(&report);
    world
        .send(&[finalise], &[&cast.stranger])
        .expect_error(OracleError::DisputesUnsettled);
}

#[test]
fn given_each_turn_when_it_is_played_around_its_deadline_then_exactly_one_of_move_and_timeout_is_possible() {
    for phase in [
        Phase::Opened,
        Phase::Pointed,
        Phase::Traced,
        Phase::Demanded,
        Phase::TileKnown,
    ] {
        let (mut world, cast) = World::with_protocol();
        let model = three_layers();
        let (case, own) = given_a_lie(&mut world, &cast, &model);
        let answer = case.asked[0].answer.clone();
        let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
        duel.play_until(&mut world, &cast.operator, &answer, phase);
        let challengers_turn = phase.turn() == Some(::opml_oracle::game::Side::Challenger);
        let planned = if challengers_turn {
            duel.ready(&mut world)
        } else {
            vec![duel.planned_answer(&world, &cast.operator.pubkey(), &answer)]
        };
        let mover = if challengers_turn {
            &cast.watcher
        } else {
            &cast.operator
        };
        let timeout = opml_oracle::timeout(&duel.state(&world));
        let due = duel.state(&world).game.clocks.deadline;
        let at = |slot, unix| Now {
            slot,
            unix,
            last_restart_slot: 0,
        };
        for now in [
            at(due.due_slot - 1, due.due_unix - 1),
            at(due.due_slot, due.due_unix),
            at(due.due_slot + 1, due.due_unix),
            at(due.due_slot, due.due_unix + 1),
        ] {
            world.set_now(now);
            world
                .try_out(&planned, &[mover])
                .unwrap_or_else(|refused| panic!("{phase:?} {now:?}: {refused:?}"));
            world
                .send(std::slice::from_ref(&timeout), &[&cast.stranger])
                .expect_error(OracleError::TimeoutTooEarly);
        }
        let late = at(due.due_slot + 1, due.due_unix + 1);
        world.set_now(late);
        world.send(&planned, &[mover]).expect_error(OracleError::MoveTooLate);
        // The cluster was down while the deadline ran: both have their hour.
        world.set_now(Now {
            last_restart_slot: due.due_slot,
            ..late
        });
        world
            .try_out(&planned, &[mover])
            .unwrap_or_else(|refused| panic!("{phase:?}: {refused:?}"));
        world
            .send(std::slice::from_ref(&timeout), &[&cast.stranger])
            .expect_error(OracleError::TimeoutTooEarly);
        world.set_now(late);
        world
            .send(std::slice::from_ref(&timeout), &[&cast.stranger])
            .expect_ok();
        let expected = if challengers_turn { Phase::Lost } else { Phase::Proven };
        assert_eq!(duel.phase(&world), expected);
        world
            .send(&[timeout], &[&cast.stranger])
            .expect_error(OracleError::WrongPhase);
    }
}

#[test]
fn given_a_side_that_always_moves_in_the_last_slot_when_its_clock_is_used_up_then_no_time_is_left() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &answer, Phase::Pointed);
    let opened = world.now().slot;
    let mut operator_slots = 0;
    while duel.phase(&world) != Phase::TileKnown {
        let state = duel.state(&world);
        let due = state.game.clocks.deadline;
        let operators = state.game.phase.turn() == Some(::opml_oracle::game::Side::Operator);
        world.set_now(Now {
            slot: due.due_slot,
            unix: due.due_unix,
            last_restart_slot: 0,
        });
        if operators {
            operator_slots += due.length_slots();
            duel.operator_answers(&mut world, &cast.operator, &answer);
        } else {
            duel.challenger_moves(&mut world);
        }
    }
    let clocks = duel.state(&world).game.clocks;
    assert_eq!(clocks.operator_slots, terms().clock_slots - operator_slots);
    assert!(world.now().slot - opened <= terms().longest_dispute_slots());
}

#[test]
fn given_a_move_that_answers_another_state_when_it_lands_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let stale = [9; 32];
    let point = opml_oracle::point(&duel.state(&world), stale, &duel.place);
    world
        .send(&[point], &[&cast.watcher])
        .expect_error(OracleError::StaleDigest);
    duel.challenger_moves(&mut world);
    let state = duel.state(&world);
    let operator = cast.operator.pubkey();
    let trace = opml_oracle::post_trace(operator, operator, &state, stale, answer.roots().to_vec());
    world
        .send(&[trace], &[&cast.operator])
        .expect_error(OracleError::StaleDigest);
    duel.operator_answers(&mut world, &cast.operator, &answer);
    let state = duel.state(&world);
    let header = model.header();
    let record = &model.nodes()[0];
    let path = model.graph().path(0, 0);
    let demand = opml_oracle::demand_node(&state, stale, 0, header, record, path);
    world
        .send(&[demand], &[&cast.watcher])
        .expect_error(OracleError::StaleDigest);
    duel.challenger_moves(&mut world);
    let state = duel.state(&world);
    let tile = opml_oracle::reveal_tile(&state, stale, answer.outputs()[0].bytes().to_vec());
    world
        .send(&[tile], &[&cast.operator])
        .expect_error(OracleError::StaleDigest);
}

#[test]
fn given_each_phase_when_a_move_of_another_one_is_made_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let operator = cast.operator.pubkey();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    for phase in [
        Phase::Opened,
        Phase::Pointed,
        Phase::Traced,
        Phase::Demanded,
        Phase::TileKnown,
        Phase::Proven,
    ] {
        duel.play_until(&mut world, &cast.operator, &answer, phase);
        let state = duel.state(&world);
        let digest = state.game.digest;
        let mut wrong: Vec<(Instruction, bool)> = Vec::new();
        if phase != Phase::Opened {
            wrong.push((opml_oracle::point(&state, digest, &duel.place), true));
        }
        if phase != Phase::Traced {
            wrong.push((opml_oracle::demand(&state, digest, 0), true));
            let path = model.graph().path(0, 0);
            wrong.push((
                opml_oracle::demand_node(&state, digest, 0, model.header(), &model.nodes()[0], path),
                true,
            ));
        }
        if phase != Phase::Demanded {
            wrong.push((opml_oracle::reveal(&state, digest, vec![[1; 32]]), false));
            wrong.push((opml_oracle::reveal_tile(&state, digest, vec![1; 6]), false));
        }
        if !matches!(phase, Phase::Opened | Phase::Pointed) {
            // The trace is there: it is attached, not posted again.
            let post = opml_oracle::post_trace(operator, operator, &state, digest, answer.roots().to_vec());
            world.send(&[post], &[&cast.operator]).expect_error(ALREADY_IN_USE);
            wrong.push((opml_oracle::attach_trace(&state, digest), false));
        }
        for (instruction, by_challenger) in wrong {
            let mover = if by_challenger { &cast.watcher } else { &cast.operator };
            world
                .send(&[instruction], &[mover])
                .expect_error(OracleError::WrongPhase);
        }
        if phase != Phase::Proven {
            let settle = opml_oracle::settle_dispute(&state);
            world
                .send(&[settle], &[&cast.stranger])
                .expect_error(OracleError::DisputeNotFinished);
            world.given_payment_account(&cast, &cast.watcher.pubkey());
            let pay = opml_oracle::withdraw_payout(cast.stranger.pubkey(), &state);
            world
                .send(&[pay], &[&cast.stranger])
                .expect_error(OracleError::NotSettled);
        }
    }
}

#[test]
fn given_a_place_when_anything_else_is_named_than_what_was_committed_to_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let service = world.given_service(&cast, &model);
    let asked = vec![lying(&model, 0, usdc(10), 0), lying(&model, 1, usdc(10), 1)];
    let case = world.given_sealed(&cast, service, asked);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let state = duel.state(&world);
    let digest = state.game.digest;
    let place = duel.place.clone();
    let mut claim = place.claim;
    claim.output_root = [8; 32];
    let wrong: [(Place, OracleError); 7] = [
        (
            Place {
                salt: [1; 32],
                ..place.clone()
            },
            OracleError::WrongPlace,
        ),
        (
            Place {
                receipt_index: 1,
                path: case.place(1).path,
                claim: case.place(1).claim,
                ..place.clone()
            },
            OracleError::WrongPlace,
        ),
        (Place { claim, ..place.clone() }, OracleError::WrongReceiptPath),
        (
            Place {
                receipt_salt: [1; 32],
                ..place.clone()
            },
            OracleError::WrongReceiptPath,
        ),
        (
            Place {
                path: Vec::new(),
                ..place.clone()
            },
            OracleError::WrongReceiptPath,
        ),
        (
            Place {
                path: [place.path.clone(), vec![[0; 32]]].concat(),
                ..place.clone()
            },
            OracleError::WrongReceiptPath,
        ),
        (
            Place {
                claim: case.place(1).claim,
                ..place.clone()
            },
            OracleError::WrongReceiptPath,
        ),
    ];
    for (place, error) in wrong {
        world
            .send(&[opml_oracle::point(&state, digest, &place)], &[&cast.watcher])
            .expect_error(error);
    }
    // A trace account that hides the one of the claim.
    let honest = opml_oracle::point(&state, digest, &place);
    let trace = addresses::opml_oracle::trace(&case.report, &place.claim.claim_hash());
    let hidden = swap(&honest, &trace, &cast.stranger.pubkey());
    world
        .send(&[hidden], &[&cast.watcher])
        .expect_error(OracleError::WrongTrace);
    world.send(&[honest], &[&cast.watcher]).expect_ok();
}

#[test]
fn given_a_receipt_beyond_the_collection_when_pointed_to_then_out_of_range() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, _) = given_a_lie(&mut world, &cast, &model);
    let watcher = cast.watcher.pubkey();
    world.given_usdc(&watcher, usdc(10));
    let dispute = addresses::opml_oracle::dispute(&case.report, &watcher, 0);
    let place = Place {
        receipt_index: 1,
        ..case.place(0)
    };
    let open = opml_oracle::open_dispute(
        watcher,
        watcher,
        &world.read(&case.report),
        0,
        place.commitment(&dispute),
    );
    world.send(&[open], &[&cast.watcher]).expect_ok();
    let state: Dispute = world.read(&dispute);
    let point = opml_oracle::point(&state, state.game.digest, &place);
    world
        .send(&[point], &[&cast.watcher])
        .expect_error(OracleError::ReceiptOutOfRange);
}

#[test]
fn given_a_collection_of_another_report_when_pointed_to_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, _) = given_a_lie(&mut world, &cast, &model);
    let (report, collection) = (case.report, case.collection);
    let second = world.given_sealed(&cast, case.service, vec![lying(&model, 5, usdc(10), 0)]);
    let watcher = cast.watcher.pubkey();
    world.given_usdc(&watcher, usdc(10));
    // A dispute on the second report about a place in the first.
    let place = Place {
        collection,
        ..second.place(0)
    };
    let dispute = addresses::opml_oracle::dispute(&second.report, &watcher, 0);
    let open = opml_oracle::open_dispute(
        watcher,
        watcher,
        &world.read(&second.report),
        0,
        place.commitment(&dispute),
    );
    world.send(&[open], &[&cast.watcher]).expect_ok();
    let state: Dispute = world.read(&dispute);
    let point = opml_oracle::point(&state, state.game.digest, &place);
    world
        .send(std::slice::from_ref(&point), &[&cast.watcher])
        .expect_error(OracleError::WrongCollection);
    let with_its_report = swap(&point, &second.report, &report);
    world
        .send(&[with_its_report], &[&cast.watcher])
        .expect_error(OracleError::WrongReport);
}

#[test]
fn given_a_dispute_when_somebody_else_than_its_challenger_moves_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let [watcher, stranger] = [&cast.watcher, &cast.stranger].map(Signer::pubkey);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    for phase in [Phase::Opened, Phase::Traced, Phase::TileKnown] {
        duel.play_until(&mut world, &cast.operator, &answer, phase);
        let last = duel.ready(&mut world);
        let by_stranger: Vec<_> = last
            .iter()
            .map(|instruction| swap(instruction, &watcher, &stranger))
            .collect();
        world
            .send(&by_stranger, &[&cast.stranger])
            .expect_error(OracleError::NotTheChallenger);
        let unsigned: Vec<_> = last.iter().map(|instruction| unsigned(instruction, &watcher)).collect();
        world
            .send(&unsigned, &[&cast.stranger])
            .expect_error(ErrorCode::AccountNotSigner);
        if phase == Phase::TileKnown {
            world.send(&last, &[&cast.watcher]).expect_ok();
        }
    }
}

#[test]
fn given_a_trace_when_others_than_the_reports_operator_post_it_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let rival = world.given_operator(&cast.rival, &cast.stranger.pubkey());
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    for signer in [&cast.rival, &cast.stranger, &cast.watcher] {
        let post = duel.planned_answer(&world, &signer.pubkey(), &answer);
        world
            .send(std::slice::from_ref(&post), &[signer])
            .expect_error(OracleError::NotTheOperator);
        // With the operator account that this signer does answer for.
        let as_rival = swap(&post, &case.service.operator, &rival);
        let expected = if signer.pubkey() == cast.watcher.pubkey() {
            OracleError::NotTheOperator
        } else {
            OracleError::WrongOperator
        };
        world.send(&[as_rival], &[signer]).expect_error(expected);
    }
    // The backup may, for when the authority's machine is down.
    duel.operator_answers(&mut world, &cast.backup, &answer);
    assert_eq!(duel.phase(&world), Phase::Traced);
}

#[test]
fn given_a_trace_that_is_not_the_claims_when_posted_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let operator = cast.operator.pubkey();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    let state = duel.state(&world);
    let digest = state.game.digest;
    let roots = answer.roots().to_vec();
    let mut other_last = roots.clone();
    other_last[2] = [3; 32];
    let mut padding = roots.clone();
    padding[0] = [0; 32];
    for (roots, error) in [
        (other_last, OracleError::WrongLastRoot),
        (roots[..2].to_vec(), OracleError::WrongRootCount),
        ([roots.clone(), vec![roots[2]]].concat(), OracleError::WrongRootCount),
        (Vec::new(), OracleError::WrongRootCount),
        (padding, OracleError::NotCanonical),
    ] {
        let post = opml_oracle::post_trace(operator, operator, &state, digest, roots);
        world.send(&[post], &[&cast.operator]).expect_error(error);
    }
    let tree = opml_runtime::execute::trace_tree(&roots);
    let post = opml_oracle::post_trace_root(operator, operator, &state, digest, tree.root(), tree.path(0, 2));
    world
        .send(&[post], &[&cast.operator])
        .expect_error(OracleError::TraceMustBeWhole);
}

#[test]
fn given_a_trace_of_another_claim_when_attached_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let service = world.given_service(&cast, &model);
    let asked = vec![lying(&model, 0, usdc(10), 0), lying(&model, 1, usdc(10), 1)];
    let case = world.given_sealed(&cast, service, asked);
    let owns: Vec<_> = case
        .asked
        .iter()
        .map(|asked| execute(&model, &asked.input).expect("fits"))
        .collect();
    let mut first = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &owns[0]);
    let mut second = Duel::open(&mut world, &cast.rival, &case, 1, &model, &owns[1]);
    first.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Traced);
    second.play_until(&mut world, &cast.operator, &case.asked[1].answer, Phase::Pointed);
    let state = second.state(&world);
    let attach = opml_oracle::attach_trace(&state, state.game.digest);
    let [ours, theirs] = [&state, &first.state(&world)]
        .map(|dispute| addresses::opml_oracle::trace(&dispute.report, &dispute.claim_hash));
    world
        .send(&[swap(&attach, &ours, &theirs)], &[&cast.stranger])
        .expect_error(OracleError::WrongTrace);
}

#[test]
fn given_two_disputes_on_one_claim_when_the_trace_is_there_then_the_second_uses_it() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let mut first = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let mut second = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    let mut third = Duel::open(&mut world, &cast.bob, &case, 0, &model, &own);
    second.challenger_moves(&mut world);
    first.play_until(&mut world, &cast.operator, &answer, Phase::Traced);
    // The second pointed before there was a trace, the third after.
    let pointed = second.state(&world);
    second.operator_answers(&mut world, &cast.stranger, &answer);
    // Once more, word for word: refused as every other move is, by the phase and not by the digest.
    let again = opml_oracle::attach_trace(&pointed, pointed.game.digest);
    world
        .send(&[again], &[&cast.stranger])
        .expect_error(OracleError::WrongPhase);
    third.challenger_moves(&mut world);
    for duel in [&second, &third] {
        let game = duel.state(&world).game;
        assert_eq!(
            (game.phase, game.operator_moves),
            (Phase::Traced, 0),
            "attaching is no move of the operator's"
        );
    }
    third.play_until(&mut world, &cast.operator, &answer, Phase::Proven);
}

#[test]
fn given_a_pick_that_is_not_there_when_demanded_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &answer, Phase::Traced);
    let state = duel.state(&world);
    let digest = state.game.digest;
    let demand = |child, node: usize, path_of: u32| {
        let path = model.graph().path(0, path_of);
        opml_oracle::demand_node(&state, digest, child, model.header(), &model.nodes()[node], path)
    };
    for (instruction, error) in [
        (opml_oracle::demand(&state, digest, 0), OracleError::ShowTheNode),
        (demand(3, 0, 0), OracleError::NotAPosition),
        (demand(255, 0, 0), OracleError::NotAPosition),
        // Another node's record, a path of another node, another model.
        (demand(0, 1, 0), OracleError::WitnessNode),
        (demand(0, 0, 1), OracleError::WitnessNode),
        (
            opml_oracle::demand_node(
                &state,
                digest,
                0,
                dense(&[8, 3]).header(),
                &model.nodes()[0],
                model.graph().path(0, 0),
            ),
            OracleError::WitnessHeader,
        ),
    ] {
        world.send(&[instruction], &[&cast.watcher]).expect_error(error);
    }
}

#[test]
fn given_accounts_of_another_case_when_a_dispute_is_judged_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = three_layers();
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let rival = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let published = case.service.published;
    let other_report = world.given_report(&cast.rival, &published);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &answer, Phase::Pointed);
    let due = duel.state(&world).game.clocks.deadline;
    world.set_now(Now {
        slot: due.due_slot + 1,
        unix: due.due_unix + 1,
        last_restart_slot: 0,
    });
    let timeout = opml_oracle::timeout(&duel.state(&world));
    // Somebody else's bond must not be slashed in place of the culprit's.
    let elsewhere: [(Pubkey, Pubkey, OracleError); 2] = [
        (case.report, other_report, OracleError::WrongReport),
        (case.service.operator, rival, OracleError::WrongOperator),
    ];
    for (account, other, error) in elsewhere {
        world
            .send(&[swap(&timeout, &account, &other)], &[&cast.stranger])
            .expect_error(error);
    }
    world.send(&[timeout], &[&cast.stranger]).expect_ok();
    let settle = opml_oracle::settle_dispute(&duel.state(&world));
    for (account, other, error) in elsewhere {
        world
            .send(&[swap(&settle, &account, &other)], &[&cast.stranger])
            .expect_error(error);
    }
    world.send(&[settle], &[&cast.stranger]).expect_ok();
}
