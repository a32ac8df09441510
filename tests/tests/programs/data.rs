//! Demanding data of a report: who may, what is shown, and what is refused.

use ::model_token::{instructions::PublishVersionArgs, state::Checkable};
use ::opml_oracle::{
    data_game::RECEIPT_ANSWER_BYTES,
    errors::OracleError,
    state::{Inquiry, Report, ReportStatus},
};
use anchor_lang::{error::ErrorCode, prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    data::{Demand, Source},
    instructions::{
        data::{self, Permission},
        model_token,
        opml_oracle::{self, ReportTerms},
        revenue_escrow,
    },
};
use imo_protocol::{Collection, Now};
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, unsigned},
    models::{dense, honest},
    world::{Asked, BOND, Case, Search, Service, terms, usdc, version_args},
};
use opml_runtime::{Model, TensorTree};
use solana_keypair::Keypair;
use solana_signer::Signer;

fn model() -> Model {
    dense(&[200, 100, 3])
}

fn given_a_case(world: &mut World, cast: &Cast, receipts: u64) -> (Case, Model) {
    let model = model();
    let service = world.given_service(cast, &model);
    let asked = (0..receipts).map(|seed| honest(&model, seed, usdc(1))).collect();
    (world.given_sealed(cast, service, asked), model)
}

/// The constant with the deepest tree.
fn deepest_constant(model: &Model) -> u32 {
    let constants = model.constants().iter().enumerate();
    let deepest = constants.max_by_key(|(_, constant)| constant.spec().depth());
    deepest.expect("a layer has weights").0 as u32
}

#[track_caller]
fn refused(world: &mut World, instruction: Instruction, signers: &[&Keypair], code: impl Into<u32>) {
    world.send(&[instruction], signers).expect_error(code);
}

#[test]
fn given_only_the_root_when_a_stranger_demands_its_way_down_then_receipt_input_and_weights_are_shown() {
    let (mut world, cast) = World::with_protocol();
    let (case, model) = given_a_case(&mut world, &cast, 9);
    let receipts = case.all_receipts();
    let search = Search::receipts(&mut world, &cast.stranger, &case, 0);
    let run = search.walk(
        &mut world,
        &cast.operator,
        5,
        Source::Receipts(&case.receipts, &receipts),
    );
    // Receipts 4 to 7; with what was shown, the stranger opens the input of the fifth.
    let shown = &run[RECEIPT_ANSWER_BYTES..2 * RECEIPT_ANSWER_BYTES];
    let claim = case.asked[5].claim;
    assert_eq!(shown[..64], [claim.input_root, claim.output_root].concat());

    let input = Search::input(&mut world, &cast.stranger, &case, 5, 1);
    let tile = input.walk(&mut world, &cast.operator, 0, Source::Tensor(&case.asked[5].input));
    assert_eq!(tile, case.asked[5].input.bytes());

    let index = deepest_constant(&model);
    let constant = Search::constant(&mut world, &cast.stranger, &case, &model, index, 2);
    let weights = &model.constants()[index as usize];
    let tile = constant.walk(&mut world, &cast.backup, 33, Source::Tensor(weights));
    assert_eq!(Some(tile.as_slice()), weights.tile(33));
    let report: Report = world.read(&case.report);
    assert_eq!((report.demands_pending, report.open_inquiries), (0, 3));
    assert_eq!(report.demands_made, 2 + 1 + 3);
}

#[test]
fn given_a_pending_demand_when_the_window_is_past_then_not_final_before_it_is_answered() {
    let (mut world, cast) = World::with_protocol();
    let (case, _) = given_a_case(&mut world, &cast, 1);
    let search = Search::input(&mut world, &cast.watcher, &case, 0, 0);
    // In the last slot of the window.
    let report: Report = world.read(&case.report);
    let now = world.now();
    world.set_now(Now {
        slot: report.window.due_slot,
        unix: report.window.due_unix,
        ..now
    });
    search.demand(&mut world, 0);
    world.pass_slots(terms().response_slots);
    let finalise = opml_oracle::finalise_report(&report);
    refused(
        &mut world,
        finalise.clone(),
        &[&cast.stranger],
        OracleError::DemandsPending,
    );
    search.serve(&mut world, &cast.operator, Source::Tensor(&case.asked[0].input));
    world.send(&[finalise], &[&cast.stranger]).expect_ok();
    let again = data::demand_data(&search.state(&world), &search.next(&world, 0));
    refused(&mut world, again, &[&cast.watcher], OracleError::ReportEnded);
}

#[test]
fn given_the_deadline_of_a_demand_when_just_before_on_and_after_it_then_either_an_answer_or_a_timeout() {
    let (mut world, cast) = World::with_protocol();
    let (case, _) = given_a_case(&mut world, &cast, 1);
    let search = Search::input(&mut world, &cast.watcher, &case, 0, 0);
    search.demand(&mut world, 0);
    let state = search.state(&world);
    let source = Source::Tensor(&case.asked[0].input);
    let serve = data::serve_data(&state, search.answer_of(&world, source));
    let time_out = data::time_out_demand(&state);
    let deadline = state.game.pending.expect("something is demanded").deadline;
    let now = world.now();
    for (slots, seconds, in_time) in [(-1, -1, true), (0, 0, true), (1, 0, true), (0, 1, true), (1, 1, false)] {
        world.set_now(Now {
            slot: deadline.due_slot.saturating_add_signed(slots),
            unix: deadline.due_unix + seconds,
            ..now
        });
        let served = world.try_out(std::slice::from_ref(&serve), &[&cast.operator]);
        let timed_out = world.try_out(std::slice::from_ref(&time_out), &[&cast.stranger]);
        assert_eq!(
            (served.is_ok(), timed_out.is_ok()),
            (in_time, !in_time),
            "{slots} {seconds}"
        );
        let code = |refused: imo_tests::Refused| refused.code().expect("the program refuses");
        if in_time {
            let early = timed_out.expect_err("too early");
            assert_eq!(code(early), u32::from(OracleError::TimeoutTooEarly));
        } else {
            assert_eq!(code(served.expect_err("too late")), u32::from(OracleError::MoveTooLate));
        }
    }
}

#[test]
fn given_a_restart_while_a_demand_waits_when_the_deadline_comes_then_an_hour_more() {
    let (mut world, cast) = World::with_protocol();
    let (case, _) = given_a_case(&mut world, &cast, 1);
    let search = Search::input(&mut world, &cast.watcher, &case, 0, 0);
    search.demand(&mut world, 0);
    let restart = world.now().slot + 1;
    let now = world.now();
    world.set_now(Now {
        last_restart_slot: restart,
        ..now
    });
    search.wait(&mut world);
    let time_out = data::time_out_demand(&search.state(&world));
    refused(&mut world, time_out, &[&cast.stranger], OracleError::TimeoutTooEarly);
    search.serve(&mut world, &cast.operator, Source::Tensor(&case.asked[0].input));
}

#[test]
fn given_a_demand_when_anything_else_is_shown_then_refused_and_it_stays() {
    let (mut world, cast) = World::with_protocol();
    let (case, _) = given_a_case(&mut world, &cast, 9);
    let receipts = case.all_receipts();
    let source = Source::Receipts(&case.receipts, &receipts);
    let search = Search::receipts(&mut world, &cast.watcher, &case, 0);
    search.demand(&mut world, 8);
    let answer = search.answer_of(&world, source);
    // Four levels over nine receipts: two down to the runs, of which the last is padding.
    assert_eq!(answer.len(), 4 * 32);
    let with = |place: usize, byte: u8| {
        let mut changed = answer.clone();
        changed[place] = byte;
        changed
    };
    for (bytes, code) in [
        (answer[..96].to_vec(), OracleError::WrongAnswerLength),
        ([answer.clone(), vec![0; 32]].concat(), OracleError::WrongAnswerLength),
        (vec![], OracleError::WrongAnswerLength),
        (with(0, answer[0] ^ 1), OracleError::WrongPreimage),
        (with(127, 1), OracleError::NotCanonical),
    ] {
        let serve = data::serve_data(&search.state(&world), bytes);
        refused(&mut world, serve, &[&cast.operator], code);
    }
    search.serve(&mut world, &cast.stranger, source);
    search.demand(&mut world, 8);
    let run = search.answer_of(&world, source);
    assert_eq!(run.len(), RECEIPT_ANSWER_BYTES);
    let mut other = run.clone();
    other[95] ^= 1;
    let serve = data::serve_data(&search.state(&world), other);
    refused(&mut world, serve, &[&cast.operator], OracleError::WrongPreimage);
    let state = search.state(&world);
    let serve = data::serve_data(&state, run);
    world.send(std::slice::from_ref(&serve), &[&cast.operator]).expect_ok();
    refused(&mut world, serve, &[&cast.operator], OracleError::NothingDemanded);
    let time_out = data::time_out_demand(&state);
    refused(&mut world, time_out, &[&cast.stranger], OracleError::NothingDemanded);
}

#[test]
fn given_an_inquiry_when_somebody_else_or_something_else_is_demanded_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let (case, model) = given_a_case(&mut world, &cast, 1);
    let index = deepest_constant(&model);
    let weights = &model.constants()[index as usize];
    let tree = TensorTree::new(weights);
    let search = Search::constant(&mut world, &cast.watcher, &case, &model, index, 0);
    let state = search.state(&world);
    let depth = tree.tree().depth();
    let node = |level, index| Demand {
        level,
        index,
        hash: tree.tree().node(level, index),
        path: tree.tree().path(level, index),
    };
    let right = node(0, 17);
    for (demand, code) in [
        (
            Demand {
                hash: [1; 32],
                ..right.clone()
            },
            OracleError::UnknownNode,
        ),
        (
            Demand {
                index: 18,
                ..right.clone()
            },
            OracleError::UnknownNode,
        ),
        (
            Demand {
                path: vec![],
                ..right.clone()
            },
            OracleError::UnknownNode,
        ),
        (
            Demand {
                level: 0,
                index: 63,
                hash: [1; 32],
                path: vec![],
            },
            OracleError::NoSuchNode,
        ),
        (node(depth + 1, 0), OracleError::NoSuchNode),
    ] {
        let demand = data::demand_data(&state, &demand);
        refused(&mut world, demand, &[&cast.watcher], code);
    }

    let demand = data::demand_data(&state, &right);
    let (watcher, rival) = (cast.watcher.pubkey(), cast.rival.pubkey());
    world.given_usdc(&rival, usdc(1));
    let [watchers, rivals] = [watcher, rival].map(|owner| addresses::payment_account(&owner, &world.usdc));
    let theirs = swap(&swap(&demand, &watcher, &rival), &watchers, &rivals);
    refused(&mut world, theirs, &[&cast.rival], OracleError::NotTheDemander);
    let foreign_money = swap(&demand, &watchers, &rivals);
    refused(
        &mut world,
        foreign_money,
        &[&cast.watcher],
        OracleError::NotTheTokenAuthority,
    );
    let silent = unsigned(&demand, &watcher);
    refused(&mut world, silent, &[&cast.stranger], ErrorCode::AccountNotSigner);
    world.send(&[demand], &[&cast.watcher]).expect_ok();
    let second = data::demand_data(&state, &node(0, 18));
    refused(&mut world, second, &[&cast.watcher], OracleError::DemandPending);
}

#[test]
fn given_a_report_that_is_open_or_past_its_window_when_asked_about_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let service = world.given_service(&cast, &model);
    let case = world.given_collected(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let watcher = cast.watcher.pubkey();
    let opens = |world: &World| {
        [
            Search::receipts_of(world, &watcher, &case, None, 0),
            Search::input_of(world, &watcher, &case, 0, None, 0),
            Search::constant_of(world, &watcher, &case, &model, 0, 0),
        ]
    };
    for open in opens(&world) {
        refused(&mut world, open, &[&cast.watcher], OracleError::ReportNotSealed);
    }
    world.seal(&cast, &case.report);
    let search = Search::input(&mut world, &cast.watcher, &case, 0, 7);
    world.pass_slots(terms().window_slots + 1);
    for open in opens(&world) {
        refused(&mut world, open, &[&cast.watcher], OracleError::WindowClosed);
    }
    let demand = data::demand_data(&search.state(&world), &search.next(&world, 0));
    refused(&mut world, demand, &[&cast.watcher], OracleError::WindowClosed);
    world.finalise(&cast, &case.report);
    for open in opens(&world) {
        refused(&mut world, open, &[&cast.watcher], OracleError::ReportEnded);
    }
}

#[test]
fn given_another_receipt_collection_or_constant_when_asked_about_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let (case, model) = given_a_case(&mut world, &cast, 5);
    let watcher = cast.watcher.pubkey();
    let (report, collection): (Report, Collection) = (world.read(&case.report), world.read(&case.collection));
    let shown = case.shown(2);
    let mut variants = vec![(shown.clone(), OracleError::WrongReceiptPath); 5];
    variants[0].0.index = 3;
    variants[1].0.input_root[0] ^= 1;
    variants[2].0.output_root[0] ^= 1;
    variants[3].0.salt[0] ^= 1;
    variants[4].0.path.pop();
    let mut beyond = shown;
    beyond.index = 5;
    variants.push((beyond, OracleError::ReceiptOutOfRange));
    for (receipt, code) in variants {
        let open = data::open_input_inquiry(watcher, &report, &collection, receipt, None, 0);
        refused(&mut world, open, &[&cast.watcher], code);
    }

    let records = model.constant_records();
    for (index, record, path) in [
        (1, &records[0], model.weights().path(0, 0)),
        (0, &records[1], model.weights().path(0, 0)),
        (0, &records[0], vec![]),
        (records.len() as u32, &records[0], model.weights().path(0, 0)),
    ] {
        let open = data::open_constant_inquiry(watcher, &report, index, record, path, 0);
        refused(&mut world, open, &[&cast.watcher], OracleError::WrongConstant);
    }

    // The Collection of another report.
    let Case {
        collection: address,
        service,
        ..
    } = case;
    let other = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let open = Search::receipts_of(&world, &watcher, &other, None, 0);
    let foreign = swap(&open, &other.collection, &address);
    refused(&mut world, foreign, &[&cast.watcher], OracleError::WrongCollection);
    world.send(std::slice::from_ref(&open), &[&cast.watcher]).expect_ok();
    refused(&mut world, open, &[&cast.watcher], super::ALREADY_IN_USE);
}

#[test]
fn given_a_version_that_not_anyone_may_check_when_its_weights_are_demanded_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let service = world.given_service(&cast, &model);
    let (developer, address) = (cast.developer.pubkey(), service.published.model);
    let args = PublishVersionArgs {
        checkable: Checkable::WithAccess,
        ..version_args(&model)
    };
    let publish = model_token::publish_version(developer, developer, address, 2, args);
    world.send(&[publish], &[&cast.developer]).expect_ok();
    world.pass_slots(terms().notice_slots + 1);
    let activate = model_token::activate_version(developer, address, 2);
    world.send(&[activate], &[&cast.developer]).expect_ok();
    let operator = world.read::<::opml_oracle::state::Operator>(&service.operator);
    let report_terms = ReportTerms {
        version: 2,
        ..world.report_terms(&service.published, BOND)
    };
    let post = opml_oracle::post_report(cast.operator.pubkey(), &operator, report_terms);
    world.send(&[post], &[&cast.operator]).expect_ok();
    let report = addresses::opml_oracle::report(&service.operator, 0);
    world.seal(&cast, &report);
    let state: Report = world.read(&report);
    let record = &model.constant_records()[0];
    let path = model.weights().path(0, 0);
    let open = data::open_constant_inquiry(cast.watcher.pubkey(), &state, 0, record, path, 0);
    refused(&mut world, open.clone(), &[&cast.watcher], OracleError::NotCheckable);
    let public = swap(&open, &state.model_version, &service.published.version);
    refused(&mut world, public, &[&cast.watcher], OracleError::WrongModelVersion);
}

/// A private question, answered honestly and reported.
fn given_a_private_case(world: &mut World, cast: &Cast) -> Case {
    let model = model();
    let published = world.given_model(cast, &model);
    world.given_vault(cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = world.given_private_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    let asked = Asked {
        salt: [0x77; 32],
        ..honest(&model, 0, usdc(1))
    };
    world.given_sealed(cast, service, vec![asked])
}

#[test]
fn given_a_private_collection_when_nobody_with_the_right_permits_it_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let case = given_a_private_case(&mut world, &cast);
    // Another payer of the same model, with a session of its own.
    let operator = case.service.operator;
    let published = case.service.published;
    let other = world.given_customer(&cast.alice, &cast.bob, &published, operator);
    let [watcher, payer, session] = [&cast.watcher, &cast.payer, &cast.session].map(Signer::pubkey);
    type Open<'a> = Box<dyn Fn(&World, Option<Permission>) -> Instruction + 'a>;
    let opens: [Open; 2] = [
        Box::new(|world, permission| Search::receipts_of(world, &watcher, &case, permission, 0)),
        Box::new(|world, permission| Search::input_of(world, &watcher, &case, 0, permission, 1)),
    ];
    for open in opens {
        let missing = OracleError::PermissionMissing;
        let alone = open(&world, None);
        refused(&mut world, alone, &[&cast.watcher], missing);
        let theirs = open(&world, Some(Permission::Payer(cast.alice.pubkey())));
        refused(&mut world, theirs, &[&cast.watcher, &cast.alice], missing);
        let own = open(&world, Some(Permission::Payer(watcher)));
        refused(&mut world, own, &[&cast.watcher], missing);
        // The key of a session without its account, and with another credit's.
        let bare = open(&world, Some(Permission::Payer(session)));
        refused(&mut world, bare, &[&cast.watcher, &cast.session], missing);
        let permitted = open(&world, Some(Permission::Session(session)));
        let session_account = addresses::revenue_escrow::session(&case.service.customer.credit, &session);
        let foreign = addresses::revenue_escrow::session(&other.credit, &cast.bob.pubkey());
        let mixed = swap(&permitted, &session_account, &foreign);
        refused(&mut world, mixed.clone(), &[&cast.watcher, &cast.session], missing);
        let bobs = swap(&mixed, &session, &cast.bob.pubkey());
        refused(&mut world, bobs, &[&cast.watcher, &cast.bob], missing);
        let stranger = swap(&permitted, &session, &cast.stranger.pubkey());
        refused(&mut world, stranger, &[&cast.watcher, &cast.stranger], missing);
        let silent = unsigned(&permitted, &session);
        refused(&mut world, silent, &[&cast.watcher], ErrorCode::AccountNotSigner);
        let by_payer = open(&world, Some(Permission::Payer(payer)));
        world
            .try_out(&[by_payer], &[&cast.watcher, &cast.payer])
            .expect("the payer may");
        world.send(&[permitted], &[&cast.watcher, &cast.session]).expect_ok();
    }
}

#[test]
fn given_a_session_that_is_revoked_or_expired_when_it_permits_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let case = given_a_private_case(&mut world, &cast);
    let [watcher, payer, session] = [&cast.watcher, &cast.payer, &cast.session].map(Signer::pubkey);
    let open = Search::input_of(&world, &watcher, &case, 0, Some(Permission::Session(session)), 0);
    let signers = [&cast.watcher, &cast.session];
    let now = world.now();
    world.set_now(Now {
        unix: now.unix + 30 * 24 * 60 * 60 + 1,
        ..now
    });
    refused(&mut world, open.clone(), &signers, OracleError::PermissionMissing);
    world.set_now(now);
    world.try_out(std::slice::from_ref(&open), &signers).expect("it lives");
    // Its vouchers still count for the notice; its permission does not.
    let revoke = revenue_escrow::revoke_session(payer, case.service.published.model, session);
    world.send(&[revoke], &[&cast.payer]).expect_ok();
    refused(&mut world, open, &signers, OracleError::PermissionMissing);
}

#[test]
fn given_a_private_collection_when_its_payer_permits_then_the_inquiry_goes_on_without_another_signature() {
    let (mut world, cast) = World::with_protocol();
    let case = given_a_private_case(&mut world, &cast);
    let [watcher, payer] = [&cast.watcher, &cast.payer].map(Signer::pubkey);
    world.given_usdc(&watcher, usdc(1));
    let open = Search::input_of(&world, &watcher, &case, 0, Some(Permission::Payer(payer)), 0);
    world.send(&[open], &[&cast.watcher, &cast.payer]).expect_ok();
    let search = Search {
        demander: &cast.watcher,
        inquiry: addresses::opml_oracle::inquiry(&case.report, &watcher, 0),
    };
    let source = Source::Tensor(&case.asked[0].input);
    let shown = search.walk(&mut world, &cast.operator, 0, source);
    assert_eq!(shown, case.asked[0].input.bytes());
}

#[test]
fn given_two_inquiries_when_one_is_answered_then_the_others_demand_still_counts() {
    let (mut world, cast) = World::with_protocol();
    let (case, _) = given_a_case(&mut world, &cast, 1);
    let source = Source::Tensor(&case.asked[0].input);
    let answered = Search::input(&mut world, &cast.watcher, &case, 0, 0);
    let withheld = Search::input(&mut world, &cast.watcher, &case, 0, 1);
    answered.demand(&mut world, 0);
    withheld.demand(&mut world, 0);
    answered.serve(&mut world, &cast.operator, source);
    let mixed = swap(
        &data::time_out_demand(&withheld.state(&world)),
        &withheld.inquiry,
        &answered.inquiry,
    );
    withheld.wait(&mut world);
    refused(&mut world, mixed, &[&cast.stranger], OracleError::NothingDemanded);
    withheld.time_out(&mut world, &cast.stranger);
    let state: Inquiry = withheld.state(&world);
    assert_eq!(state.order, Some(0));
    let report: Report = world.read(&case.report);
    assert_eq!((report.status, report.demands_pending), (ReportStatus::Rejected, 0));
    assert_ne!(withheld.inquiry, Pubkey::default());
}
