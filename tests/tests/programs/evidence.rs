//! Fraud that one transaction shows, from the opening of a dispute on: the wrong question, and a model that nobody can run.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Operator, Report, ReportStatus},
};
use anchor_lang::{error::ErrorCode, prelude::Pubkey};
use imo_client::{
    challenge::{audit, evidence},
    instructions::opml_oracle::{self, Place},
};
use imo_protocol::{Receipt, Request};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{claimed, dense, honest, malformed},
    world::{BOND, Case, Duel, Question, Service, terms, usdc},
};
use opml_runtime::{Execution, Model, execute};
use solana_signer::Signer;

const CHALLENGER: u64 = usdc(10);
const OTHER: [u8; 32] = [0x0A; 32];

fn model() -> Model {
    dense(&[8, 6, 3])
}

/// Five honest answers of which the fourth is to another question than the payer's, and the challenger's own execution of it.
fn given_a_wrong_question(
    world: &mut World,
    cast: &Cast,
    change: impl FnOnce(&mut Question),
) -> (Case, Execution, Request) {
    let model = model();
    let service = world.given_service(cast, &model);
    let asked: Vec<_> = (0..5).map(|seed| honest(&model, seed, usdc(2))).collect();
    let mut questions: Vec<_> = asked.iter().map(|asked| asked.question()).collect();
    change(&mut questions[3]);
    // Requests that were collected before, so that the two trees differ in size and the receipt's index from its sequence.
    let earlier = world.given_sealed(cast, service, vec![honest(&model, 9, usdc(1)); 6]);
    let case = world.given_sealed_to(&cast.operator, earlier.service, &questions, asked);
    let own = execute(&model, &case.asked[3].input).expect("the input fits the model");
    let request = request(&case, 3, questions[3]);
    (case, own, request)
}

/// The request at a receipt's sequence.
fn request(case: &Case, index: u32, question: Question) -> Request {
    Request {
        lane: case.service.customer.lane,
        sequence: case.receipts.first_sequence() + u64::from(index),
        model_root: question.model_root,
        input_root: question.input_root,
        price_units: case.asked[index as usize].price_units,
        salt: question.salt,
    }
}

/// What shows that the receipt at a place does not answer its request.
fn show(case: &Case, place: &Place, request: &Request) -> Vec<u8> {
    let path = case.service.customer.requests.path(request.sequence);
    evidence::wrong_question(place, request, &path.expect("the lane has that request"))
}

fn assert_rejected(world: &World, case: &Case) {
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Rejected);
}

#[test]
fn given_a_receipt_that_answers_another_question_when_shown_against_the_request_then_rejected_at_once() {
    let changes: [fn(&mut Question); 3] = [
        |question| question.model_root = OTHER,
        |question| question.input_root = OTHER,
        |question| question.salt = OTHER,
    ];
    for change in changes {
        let (mut world, cast) = World::with_protocol();
        let model = model();
        let (case, own, request) = given_a_wrong_question(&mut world, &cast, change);
        let receipt = Receipt {
            lane: request.lane,
            sequence: request.sequence,
            claim: case.asked[3].claim,
            salt: case.asked[3].salt,
        };
        assert!(!audit::answers(&request, &receipt));
        let mut duel = Duel::open(&mut world, &cast.watcher, &case, 3, &model, &own);
        let place = duel.place.clone();
        let witness = duel.stage_evidence(&mut world, &show(&case, &place, &request));
        let state = duel.state(&world);
        let prove = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, witness);
        world.send(&[prove], &[&cast.watcher]).expect_ok();
        assert_rejected(&world, &case);
        let state = duel.state(&world);
        assert_eq!(state.game.phase, Phase::Proven);
        assert_eq!((state.collection, state.receipt_index), (case.collection, 3));
        assert_eq!(state.claim_hash, place.claim.claim_hash());

        // It is settled like a dispute that was played: one move.
        duel.settle(&mut world, &cast.stranger);
        world.refund(&cast, &case);
        duel.pay_out(&mut world, &cast.stranger);
        let terms = terms();
        let share = BOND * u64::from(terms.prover_share_bps) / 10_000;
        assert_eq!(
            world.usdc_of(&cast.watcher.pubkey()),
            CHALLENGER - terms.open_fee_units + terms.move_cost_units + share
        );
    }
}

#[test]
fn given_an_earlier_dispute_when_a_later_one_shows_the_wrong_question_then_the_share_still_follows_the_order() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let (case, own, request) = given_a_wrong_question(&mut world, &cast, |question| question.input_root = OTHER);
    let mut first = Duel::open(&mut world, &cast.rival, &case, 3, &model, &own);
    let mut second = Duel::open(&mut world, &cast.watcher, &case, 3, &model, &own);
    for duel in [&mut second, &mut first] {
        let place = duel.place.clone();
        let witness = duel.stage_evidence(&mut world, &show(&case, &place, &request));
        let state = duel.state(&world);
        let prove = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, witness);
        world.send(&[prove], &[duel.challenger]).expect_ok();
    }
    first.settle(&mut world, &cast.stranger);
    second.settle(&mut world, &cast.stranger);
    let share = BOND * u64::from(terms().prover_share_bps) / 10_000;
    let [first, second] = [&first, &second].map(|duel| duel.state(&world).payout_units);
    assert_eq!(first, second + share);
    world.refund(&cast, &case);
}

#[test]
fn given_a_receipt_that_answers_its_request_when_shown_then_the_question_is_right_and_nothing_changes() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let (case, own, request) = given_a_wrong_question(&mut world, &cast, |_| {});
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 3, &model, &own);
    let place = duel.place.clone();
    let witness = duel.stage_evidence(&mut world, &show(&case, &place, &request));
    let state = duel.state(&world);
    let prove = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, witness);
    world
        .send(&[prove], &[&cast.watcher])
        .expect_error(OracleError::QuestionIsRight);
    assert_eq!(duel.state(&world), state);
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Sealed);
}

#[test]
fn given_records_that_were_not_reported_or_asked_when_shown_then_refused_by_the_part() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let (case, own, right) = given_a_wrong_question(&mut world, &cast, |_| {});
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 3, &model, &own);
    let place = duel.place.clone();
    let good = show(&case, &place, &right);
    let forged = |change: &dyn Fn(&mut Request)| {
        let mut request = right;
        change(&mut request);
        show(&case, &place, &request)
    };
    let elsewhere = |place: Place| show(&case, &place, &right);
    let other_sequence = {
        let path = case.service.customer.requests.path(right.sequence - 1);
        evidence::wrong_question(&place, &right, &path.expect("there is an earlier request"))
    };
    let mut second = case.place(2);
    second.salt = place.salt;
    let wrong = [
        // What would be fraud if the payer had asked it.
        (
            forged(&|request| request.model_root = OTHER),
            OracleError::WrongRequestPath,
        ),
        (
            forged(&|request| request.input_root = OTHER),
            OracleError::WrongRequestPath,
        ),
        (forged(&|request| request.salt = OTHER), OracleError::WrongRequestPath),
        (
            forged(&|request| request.price_units += 1),
            OracleError::WrongRequestPath,
        ),
        (other_sequence, OracleError::WrongRequestPath),
        // What would be fraud if the operator had reported it.
        (
            elsewhere(Place {
                receipt_salt: OTHER,
                ..place.clone()
            }),
            OracleError::WrongReceiptPath,
        ),
        (
            elsewhere(Place {
                claim: case.asked[2].claim,
                ..place.clone()
            }),
            OracleError::WrongReceiptPath,
        ),
        (
            elsewhere(Place {
                receipt_index: 5,
                ..place.clone()
            }),
            OracleError::ReceiptOutOfRange,
        ),
        // A place that was not committed to.
        (
            elsewhere(Place {
                salt: OTHER,
                ..place.clone()
            }),
            OracleError::WrongPlace,
        ),
        (evidence::wrong_question(&second, &right, &[]), OracleError::WrongPlace),
        (good[..good.len() - 1].to_vec(), OracleError::WitnessTruncated),
        (good[..100].to_vec(), OracleError::WitnessTruncated),
        ([good.clone(), vec![0]].concat(), OracleError::WitnessTrailingBytes),
    ];
    for (bytes, error) in wrong {
        let witness = duel.stage_evidence(&mut world, &bytes);
        let state = duel.state(&world);
        let prove = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, witness);
        world.send(&[prove], &[&cast.watcher]).expect_error(error);
    }
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Sealed);
}

#[test]
fn given_evidence_when_it_is_out_of_place_or_time_or_anothers_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let (case, own, request) = given_a_wrong_question(&mut world, &cast, |question| question.input_root = OTHER);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 3, &model, &own);
    let mut rival = Duel::open(&mut world, &cast.rival, &case, 3, &model, &own);
    let bytes = show(&case, &duel.place.clone(), &request);
    let ours = duel.stage_evidence(&mut world, &bytes);
    let rivals = rival.stage_evidence(&mut world, &bytes);
    let state = duel.state(&world);
    let prove = |digest, witness| opml_oracle::prove_wrong_question(&state, digest, case.collection, witness);
    let good = prove(state.game.digest, ours);
    let refused = |world: &mut World, instruction, error: u32| {
        world.send(&[instruction], &[&cast.watcher]).expect_error(error);
    };
    refused(&mut world, prove([0; 32], ours), OracleError::StaleDigest.into());
    refused(
        &mut world,
        prove(state.game.digest, rivals),
        OracleError::WrongWitness.into(),
    );
    let by_rival = swap(&good, &cast.watcher.pubkey(), &cast.rival.pubkey());
    world
        .send(&[by_rival], &[&cast.rival])
        .expect_error(OracleError::NotTheChallenger);
    refused(
        &mut world,
        swap(&good, &case.collection, &case.report),
        ErrorCode::AccountOwnedByWrongProgram.into(),
    );

    // Once a place is named, the walk goes on; and late is late.
    duel.challenger_moves(&mut world);
    let named = duel.state(&world);
    let after = opml_oracle::prove_wrong_question(&named, named.game.digest, case.collection, ours);
    refused(&mut world, after, OracleError::WrongPhase.into());
    let due = rival.state(&world).game.clocks.deadline;
    let state = rival.state(&world);
    let late = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, rivals);
    world.pass_until_slot(due.due_slot + 1);
    world
        .send(&[late], &[&cast.rival])
        .expect_error(OracleError::MoveTooLate);
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Sealed);
}

/// A sealed report on a model of which node 1 breaks a rule.
fn given_a_malformed_model(world: &mut World, cast: &Cast) -> Case {
    let records = malformed();
    let published = world.given_header(cast, 0, records.header());
    world.given_vault(cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = world.given_customer(&cast.payer, &cast.session, &published, operator);
    let service = Service {
        published,
        operator,
        customer,
    };
    world.given_sealed(cast, service, vec![claimed(&records, usdc(10))])
}

#[test]
fn given_a_malformed_node_when_it_is_shown_then_every_claim_on_the_model_is_fraud() {
    let (mut world, cast) = World::with_protocol();
    let records = malformed();
    let case = given_a_malformed_model(&mut world, &cast);
    let (model, own) = stand_in();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let (node, _) = records.first_fault().expect("a node breaks a rule");
    let witness = duel.stage_evidence(&mut world, &records.witness(node).expect("the model has that node"));
    let state = duel.state(&world);
    let prove = opml_oracle::prove_malformed(&state, state.game.digest, witness, node);
    world.send(&[prove], &[&cast.watcher]).expect_ok();
    assert_rejected(&world, &case);
    assert_eq!(duel.phase(&world), Phase::Proven);
    assert_eq!(duel.state(&world).collection, Pubkey::default(), "no place was needed");
    duel.settle(&mut world, &cast.stranger);
    world.refund(&cast, &case);
    duel.pay_out(&mut world, &cast.stranger);
    assert!(world.read::<Operator>(&case.service.operator).jail.is_set());
}

#[test]
fn given_a_node_that_keeps_every_rule_when_it_is_shown_as_malformed_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let records = malformed();
    let case = given_a_malformed_model(&mut world, &cast);
    let (model, own) = stand_in();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let [sound, broken] = [0, 1].map(|node| records.witness(node).expect("the model has that node"));
    let mut other_model = broken.clone();
    other_model[2] ^= 1;
    let mut other_record = broken.clone();
    other_record[92 + 127] ^= 1;
    for (node, bytes, error) in [
        (0, sound.clone(), OracleError::NodeIsWellFormed),
        (1, sound, OracleError::WitnessNode),
        (2, broken.clone(), OracleError::WitnessNode),
        (3, broken.clone(), OracleError::WitnessNodeOutOfRange),
        (1, other_model, OracleError::WitnessHeader),
        (1, other_record, OracleError::WitnessNode),
        (1, broken[..broken.len() - 1].to_vec(), OracleError::WitnessTruncated),
        (1, [broken, vec![0]].concat(), OracleError::WitnessTrailingBytes),
    ] {
        let witness = duel.stage_evidence(&mut world, &bytes);
        let state = duel.state(&world);
        let prove = opml_oracle::prove_malformed(&state, state.game.digest, witness, node);
        world.send(&[prove], &[&cast.watcher]).expect_error(error);
    }
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Sealed);
}

/// What a challenger needs to open a dispute that it will not play.
fn stand_in() -> (Model, Execution) {
    let model = dense(&[4, 4]);
    let own = execute(&model, &honest(&model, 0, 1).input).expect("the input fits the model");
    (model, own)
}
