//! Those who want an honest operator to be slashed.

use ::opml_oracle::{errors::OracleError, game::Phase};
use imo_client::{
    challenge::{Challenge, evidence},
    instructions::opml_oracle,
};
use imo_protocol::Request;
use opml::ConstantRecord;
use opml_runtime::{Claim, Execution, Model, NodeRecord, execute, malformed::Records};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{chain, honest},
    world::{Case, Duel, answer_key, sign_answer, usdc},
};

/// Registers as another operator, makes the same true claim, and posts garbage as its trace, for the honest one to be judged by.
pub fn framer_by_a_strangers_trace(arena: &mut Arena) {
    let model = chain(2);
    let asked = honest(&model, 0, usdc(20));
    let case = arena.given_true_report(&model, vec![asked.clone()]);
    let [framer, friend, operator, stranger] = [
        &arena.cast.alice,
        &arena.cast.rival,
        &arena.cast.operator,
        &arena.cast.bob,
    ]
    .map(Keypair::insecure_clone);
    arena.sides([framer.pubkey(), friend.pubkey(), stranger.pubkey()], []);
    let published = case.service.published;
    let second = arena.given_operator(&framer, &friend.pubkey());
    let session = arena.key();
    let customer = arena.given_customer(&stranger, &session, &published, second);
    let service = crate::world::Service {
        published,
        operator: second,
        customer,
    };
    let own = arena.own(&model, &case, 0);
    let framed = arena.given_sealed_by(&framer, service, vec![asked]);
    let mut own_dispute = arena.open_dispute(&friend, 0, &framed, 0, &model, &own);
    own_dispute.challenger_moves(arena);
    let mut garbage = framed.asked[0].answer.roots().to_vec();
    garbage[0] = [4; 32];
    let state = own_dispute.state(arena);
    let key = framer.pubkey();
    let post = opml_oracle::post_trace(key, key, &state, state.game.digest, garbage);
    arena.send(&[post], &[&framer]).expect_ok();
    // Now the honest one is disputed about the same claim: its trace is its own.
    let mut duel = arena.open_dispute(&friend, 1, &case, 0, &model, &own);
    duel.challenger_moves(arena);
    duel.operator_answers(arena, &operator, &case.asked[0].answer);
    let mut challenge = Challenge::new(&model, &own);
    let trace = duel.trace(arena);
    let planned = challenge.next_move(&duel.state(arena).game, trace.as_ref(), &arena.now());
    assert!(planned.is_err(), "nothing is wrong with it: {planned:?}");
    arena.wind_up(&case);
    arena.wind_up(&framed);
}

/// An honest operator's report of one answer, and a dispute about it by a framer that brings evidence.
fn given_a_framer<'a>(arena: &mut Arena, rival: &'a Keypair, model: &'a Model, own: &'a Execution) -> (Case, Duel<'a>) {
    let case = arena.given_true_report(model, vec![honest(model, 0, usdc(20))]);
    arena.attackers.push(rival.pubkey());
    let duel = arena.open_dispute(rival, 0, &case, 0, model, own);
    (case, duel)
}

/// Asks again because no answer came, asks both gateways, keeps all answers: one operator that forgets everything says the same each time.
pub fn framer_by_retries(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let own = honest_execution(&model);
    let (case, mut duel) = given_a_framer(arena, &cast.rival, &model, &own);
    let operator = case.service.operator;
    let answers = [0, 0, 1, 1].map(|seed| sign_answer(operator, honest(&model, seed, 1).claim, &answer_key()));
    for first in &answers {
        for second in &answers {
            let punish = opml_oracle::punish_equivocation(cast.rival.pubkey(), arena.usdc, &[*first, *second]);
            let error = if first.answer.claim == second.answer.claim {
                OracleError::NoEquivocation
            } else {
                OracleError::AnotherQuestion
            };
            arena.send(&punish, &[&cast.rival]).expect_error(error);
        }
    }
    let witness = duel.stage_evidence(arena, &evidence::reported(&duel.place.clone()));
    for answer in &answers {
        let state = duel.state(arena);
        let prove = opml_oracle::prove_equivocation(&state, state.game.digest, case.collection, witness, answer);
        let error = if answer.answer.claim == case.asked[0].claim {
            OracleError::NoEquivocation
        } else {
            OracleError::AnotherQuestion
        };
        arena.send(&prove, &[&cast.rival]).expect_error(error);
    }
    arena.wind_up(&case);
}

/// Its payer signs two requests at one sequence, shows another one to each gateway, and wants the answer to the first judged by the second. The operator collects with the
/// voucher under which it answered.
pub fn framer_by_two_gateways(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let own = honest_execution(&model);
    let (case, mut duel) = given_a_framer(arena, &cast.rival, &model, &own);
    let payer = cast.payer.pubkey();
    arena.attackers.push(payer);
    arena.honest.remove(&payer);
    arena.begin();
    let second = Request {
        lane: case.service.customer.lane,
        sequence: 0,
        model_root: case.asked[0].claim.model_root,
        input_root: honest(&model, 1, 1).claim.input_root,
        price_units: usdc(20),
        salt: case.asked[0].salt,
    };
    let witness = duel.stage_evidence(arena, &evidence::wrong_question(&duel.place.clone(), &second, &[]));
    let state = duel.state(arena);
    let prove = opml_oracle::prove_wrong_question(&state, state.game.digest, case.collection, witness);
    arena
        .send(&[prove], &[&cast.rival])
        .expect_error(OracleError::WrongRequestPath);
    arena.wind_up(&case);
}

/// Brings evidence that is none: its own signature, the right question, a node that keeps every rule, and another receipt than the one that was reported.
pub fn framer_by_forged_evidence(arena: &mut Arena) {
    let cast = arena.cast.copy();
    let model = chain(2);
    let own = honest_execution(&model);
    let (case, mut duel) = given_a_framer(arena, &cast.rival, &model, &own);
    let reported = case.asked[0].claim;
    let other = Claim {
        output_root: [4; 32],
        ..reported
    };
    let place = duel.place.clone();
    let witness = duel.stage_evidence(arena, &evidence::reported(&place));
    let state = duel.state(arena);
    let digest = state.game.digest;
    let forged = sign_answer(case.service.operator, other, &cast.rival);
    let prove = opml_oracle::prove_equivocation(&state, digest, case.collection, witness, &forged);
    arena
        .send(&prove, &[&cast.rival])
        .expect_error(OracleError::WrongAnswerKey);

    let request = Request {
        lane: case.service.customer.lane,
        sequence: 0,
        model_root: reported.model_root,
        input_root: reported.input_root,
        price_units: usdc(20),
        salt: case.asked[0].salt,
    };
    let witness = duel.stage_evidence(arena, &evidence::wrong_question(&place, &request, &[]));
    let prove = opml_oracle::prove_wrong_question(&state, digest, case.collection, witness);
    arena
        .send(&[prove], &[&cast.rival])
        .expect_error(OracleError::QuestionIsRight);

    let nodes = model.nodes().iter().map(NodeRecord::encode).collect();
    let constants = model.constant_records().iter().map(ConstantRecord::encode).collect();
    let records = Records::new(*model.input_spec(), nodes, constants);
    let witness = duel.stage_evidence(arena, &records.witness(0).expect("the model has that node"));
    let prove = opml_oracle::prove_malformed(&state, digest, witness, 0);
    arena
        .send(&[prove], &[&cast.rival])
        .expect_error(OracleError::NodeIsWellFormed);

    let mut another = place.clone();
    another.claim = other;
    let witness = duel.stage_evidence(arena, &evidence::reported(&another));
    let genuine = sign_answer(case.service.operator, reported, &answer_key());
    let prove = opml_oracle::prove_equivocation(&state, digest, case.collection, witness, &genuine);
    arena
        .send(&prove, &[&cast.rival])
        .expect_error(OracleError::WrongReceiptPath);
    assert_eq!(duel.phase(arena), Phase::Opened);
    arena.wind_up(&case);
}

fn honest_execution(model: &Model) -> Execution {
    execute(model, &honest(model, 0, 1).input).expect("the input fits the model")
}
