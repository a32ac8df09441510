//! Answers that an operator signed: one question answered in two ways.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Equivocation, Operator, Report, ReportStatus, StakeVault},
};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    answer::SignedAnswer,
    challenge::evidence,
    instructions::opml_oracle::{self, OperatorProfile},
};
use imo_protocol::{Answer, ProtocolError, answer_key_hash};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest},
    world::{BOND, Case, Duel, STAKE, Service, answer_key, profile, sign_answer, terms, usdc},
};
use opml_runtime::{Claim, Execution, Model, execute};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

const CLAIM: Claim = Claim {
    model_root: [1; 32],
    input_root: [2; 32],
    output_root: [3; 32],
};

fn other_output(claim: Claim) -> Claim {
    Claim {
        output_root: [4; 32],
        ..claim
    }
}

fn model() -> Model {
    dense(&[8, 6, 3])
}

/// An answer with some part of its message changed, and signed like that.
fn forged(operator: Pubkey, change: impl FnOnce(&mut Answer)) -> SignedAnswer {
    let mut signed = sign_answer(operator, other_output(CLAIM), &answer_key());
    change(&mut signed.answer);
    signed.signature = *answer_key().sign_message(&signed.answer.message()).as_array();
    signed
}

fn prover_share(units: u64) -> u64 {
    units * u64::from(terms().prover_share_bps) / 10_000
}

/// A sealed honest report, and an opened dispute with the reported receipt in a witness.
struct Staged<'a> {
    case: Case,
    duel: Duel<'a>,
    witness: Pubkey,
}

fn given_a_staged_receipt<'a>(
    world: &mut World,
    cast: &'a Cast,
    model: &'a Model,
    own: &'a Execution,
    service: Service,
) -> Staged<'a> {
    let case = world.given_sealed(cast, service, vec![honest(model, 0, usdc(10))]);
    let mut duel = Duel::open(world, &cast.watcher, &case, 0, model, own);
    let bytes = evidence::reported(&duel.place);
    let witness = duel.stage_evidence(world, &bytes);
    Staged { case, duel, witness }
}

impl Staged<'_> {
    fn prove(&self, world: &World, answer: &SignedAnswer) -> [Instruction; 2] {
        let state = self.duel.state(world);
        opml_oracle::prove_equivocation(&state, state.game.digest, self.case.collection, self.witness, answer)
    }
}

#[test]
fn given_a_reported_receipt_when_another_signed_answer_to_it_is_shown_then_rejected_at_once() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let own = execute(&model, &honest(&model, 0, 1).input).expect("the input fits the model");
    let service = world.given_service(&cast, &model);
    let staged = given_a_staged_receipt(&mut world, &cast, &model, &own, service);
    let operator = staged.case.service.operator;
    let reported = staged.case.asked[0].claim;
    let signed = |claim| sign_answer(operator, claim, &answer_key());
    let with = |change: &dyn Fn(&mut Claim)| {
        let mut claim = other_output(reported);
        change(&mut claim);
        signed(claim)
    };
    let stranger = sign_answer(operator, other_output(reported), &cast.stranger);
    let other_operator = sign_answer(cast.stranger.pubkey(), other_output(reported), &answer_key());
    for (answer, error) in [
        (signed(reported), OracleError::NoEquivocation),
        (with(&|claim| claim.input_root = [9; 32]), OracleError::AnotherQuestion),
        (with(&|claim| claim.model_root = [9; 32]), OracleError::AnotherQuestion),
        (stranger, OracleError::WrongAnswerKey),
        (other_operator, OracleError::NotAnAnswer),
    ] {
        let prove = staged.prove(&world, &answer);
        world.send(&prove, &[&cast.watcher]).expect_error(error);
    }
    let good = staged.prove(&world, &signed(other_output(reported)));
    let [check, prove] = good.clone();
    // Without the check directly before, or with something else there.
    world
        .send(std::slice::from_ref(&prove), &[&cast.watcher])
        .expect_error(ProtocolError::NoPrecedingInstruction);
    let between = opml_oracle::seal_report(cast.watcher.pubkey(), &world.read(&staged.case.report));
    assert!(world.send(&[check, between, prove], &[&cast.watcher]).is_err());

    world.send(&good, &[&cast.watcher]).expect_ok();
    assert_eq!(world.read::<Report>(&staged.case.report).status, ReportStatus::Rejected);
    let Staged { case, mut duel, .. } = staged;
    assert_eq!(duel.phase(&world), Phase::Proven);
    duel.settle(&mut world, &cast.stranger);
    world.refund(&cast, &case);
    duel.pay_out(&mut world, &cast.stranger);
    let gain = terms().move_cost_units + prover_share(BOND) - terms().open_fee_units;
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), usdc(10) + gain);
}

#[test]
fn given_two_answers_to_one_question_when_shown_then_jailed_and_slashed_once() {
    let (mut world, cast) = World::with_protocol();
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let [watcher, stranger] = [&cast.watcher, &cast.stranger].map(Signer::pubkey);
    let answers = [CLAIM, other_output(CLAIM)].map(|claim| sign_answer(operator, claim, &answer_key()));
    let punish = opml_oracle::punish_equivocation(watcher, world.usdc, &answers);
    world.send(&punish, &[&cast.watcher]).expect_ok();

    let due = terms().min_bond_units;
    let state: Operator = world.read(&operator);
    assert_eq!(state.stake_units, STAKE - due);
    assert_eq!(state.jail.length_slots(), terms().unbonding_slots);
    let address = addresses::opml_oracle::equivocation(&operator, &imo_protocol::question_hash(&CLAIM));
    let equivocation: Equivocation = world.read(&address);
    assert_eq!(
        (equivocation.slashed_units, equivocation.payout_units),
        (due, prover_share(due))
    );
    let vault: StakeVault = world.read(&addresses::opml_oracle::stake_vault(&world.usdc));
    assert_eq!(vault.insurance_units, due - prover_share(due));

    // Not twice, in no order and by nobody.
    let reversed = [answers[1], answers[0]];
    for (prover, answers) in [(&cast.watcher, answers), (&cast.stranger, reversed)] {
        let again = opml_oracle::punish_equivocation(prover.pubkey(), world.usdc, &answers);
        world.send(&again, &[prover]).expect_error(ALREADY_IN_USE);
    }
    let settle = opml_oracle::settle_equivocation(&equivocation);
    world
        .send(&[settle], &[&cast.stranger])
        .expect_error(OracleError::NothingToSlash);

    // Paid to the prover, whoever calls.
    world.given_payment_account(&cast, &watcher);
    world.given_payment_account(&cast, &stranger);
    let pay = opml_oracle::withdraw_reward(stranger, &equivocation);
    let close = opml_oracle::close_equivocation(&equivocation);
    let [own, elsewhere] = [watcher, stranger].map(|owner| addresses::payment_account(&owner, &world.usdc));
    world
        .send(&[swap(&pay, &own, &elsewhere)], &[&cast.stranger])
        .expect_error(OracleError::RecipientNotAllowed);
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(OracleError::PayoutWaits);
    world.send(std::slice::from_ref(&pay), &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&watcher), prover_share(due));
    world
        .send(&[pay], &[&cast.stranger])
        .expect_error(OracleError::NothingOwed);

    // The account stays as long as the same evidence could be shown again.
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(OracleError::EvidenceCounts);
    let update = opml_oracle::update_operator(cast.operator.pubkey(), world.usdc, with_key(&cast.bob));
    world.send(&[update], &[&cast.operator]).expect_ok();
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(OracleError::EvidenceCounts);
    let due = world.read::<Operator>(&operator).key_change;
    world.pass_until_slot(due.due_slot + 1);
    let (rent, before) = (world.lamports(&address), world.lamports(&watcher));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    assert_eq!(world.lamports(&watcher) - before, rent);
    world
        .send(&punish, &[&cast.watcher])
        .expect_error(OracleError::WrongAnswerKey);
}

#[test]
fn given_messages_that_prove_nothing_when_shown_then_refused_and_the_operator_keeps_everything() {
    let (mut world, cast) = World::with_protocol();
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let other = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let watcher = cast.watcher.pubkey();
    let good = sign_answer(operator, CLAIM, &answer_key());
    for (second, error) in [
        (good, OracleError::NoEquivocation),
        (
            forged(operator, |answer| answer.claim.input_root = [9; 32]),
            OracleError::AnotherQuestion,
        ),
        (
            forged(operator, |answer| answer.claim.model_root = [9; 32]),
            OracleError::AnotherQuestion,
        ),
        (
            forged(operator, |answer| answer.cluster = [9; 32]),
            OracleError::NotAnAnswer,
        ),
        (
            forged(operator, |answer| answer.oracle = watcher),
            OracleError::NotAnAnswer,
        ),
        // A clone under the same key: two operators may be two machines, an answer is one operator's.
        (
            sign_answer(other, other_output(CLAIM), &answer_key()),
            OracleError::NotAnAnswer,
        ),
        (
            sign_answer(operator, other_output(CLAIM), &cast.operator),
            OracleError::WrongAnswerKey,
        ),
    ] {
        let punish = opml_oracle::punish_equivocation(watcher, world.usdc, &[good, second]);
        world.send(&punish, &[&cast.watcher]).expect_error(error);
    }
    // A signature of something that is no answer at all, and one that is of nothing.
    let answers = [good, sign_answer(operator, other_output(CLAIM), &answer_key())];
    let [first, second, punish] = opml_oracle::punish_equivocation(watcher, world.usdc, &answers);
    let voucher_like = imo_client::voucher::verify_signature(
        &answer_key().pubkey(),
        answer_key().sign_message(b"imo:voucher:v1").as_array(),
        b"imo:voucher:v1",
    );
    for (instructions, error) in [
        (
            vec![first.clone(), voucher_like, punish.clone()],
            OracleError::NotAnAnswer.into(),
        ),
        (
            vec![second.clone(), punish.clone()],
            u32::from(ProtocolError::NoPrecedingInstruction),
        ),
        (vec![punish.clone()], ProtocolError::NoPrecedingInstruction.into()),
    ] {
        world.send(&instructions, &[&cast.watcher]).expect_error(error);
    }
    let mut numbered = first.clone();
    numbered.data[14..16].copy_from_slice(&0u16.to_le_bytes());
    world
        .send(&[numbered, second.clone(), punish.clone()], &[&cast.watcher])
        .expect_error(ProtocolError::WrongMessageInstruction);
    // The other operator's account with this one's evidence.
    let framed = swap(&punish, &operator, &other);
    assert!(world.send(&[first, second, framed], &[&cast.watcher]).is_err());
    for operator in [operator, other] {
        let state: Operator = world.read(&operator);
        assert_eq!((state.stake_units, state.jail.is_set()), (STAKE, false));
    }
}

#[test]
fn given_an_equivocator_whose_stake_is_locked_when_its_friend_shows_it_first_then_the_slash_waits_for_the_stake() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let service = world.given_service(&cast, &model);
    let operator = service.operator;
    // All but half of what it will cost is locked, and that half is leaving.
    let due = terms().min_bond_units;
    let report = world.given_report_with_bond(&cast.operator, &service.published, STAKE - due / 2);
    let key = cast.operator.pubkey();
    let unbond = opml_oracle::request_unbond(key, world.usdc, due / 2);
    world.send(&[unbond], &[&cast.operator]).expect_ok();
    let answers = [CLAIM, other_output(CLAIM)].map(|claim| sign_answer(operator, claim, &answer_key()));
    let punish = opml_oracle::punish_equivocation(cast.rival.pubkey(), world.usdc, &answers);
    world.send(&punish, &[&cast.rival]).expect_ok();
    let state: Operator = world.read(&operator);
    assert_eq!((state.stake_units, state.unbonding_units), (STAKE - due / 2, 0));
    let address = addresses::opml_oracle::equivocation(&operator, &imo_protocol::question_hash(&CLAIM));
    let settle = opml_oracle::settle_equivocation(&world.read(&address));
    world
        .send(std::slice::from_ref(&settle), &[&cast.stranger])
        .expect_error(OracleError::NothingToSlash);
    let close = opml_oracle::close_equivocation(&world.read(&address));
    world.given_payment_account(&cast, &cast.rival.pubkey());
    let pay = opml_oracle::withdraw_reward(cast.stranger.pubkey(), &world.read(&address));
    world.send(&[pay], &[&cast.stranger]).expect_ok();
    world
        .send(&[close], &[&cast.stranger])
        .expect_error(OracleError::SlashWaits);

    world.seal(&cast, &report);
    world.finalise(&cast, &report);
    world.send(&[settle], &[&cast.stranger]).expect_ok();
    assert_eq!(world.read::<Operator>(&operator).stake_units, STAKE - due);
    let equivocation: Equivocation = world.read(&address);
    let second_half = prover_share(due) - prover_share(due / 2);
    assert_eq!(
        (equivocation.slashed_units, equivocation.payout_units),
        (due, second_half)
    );
}

fn with_key(key: &Keypair) -> OperatorProfile {
    OperatorProfile {
        endpoint_key_hash: answer_key_hash(&key.pubkey()),
        ..profile(&Pubkey::default())
    }
}

#[test]
fn given_a_changed_key_when_answers_under_the_old_one_are_shown_then_they_count_until_its_time_is_past() {
    let (mut world, cast) = World::with_protocol();
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let key = cast.operator.pubkey();
    let change = |world: &World, to: &Keypair| opml_oracle::update_operator(key, world.usdc, with_key(to));
    let to_bob = change(&world, &cast.bob);
    world.send(&[to_bob], &[&cast.operator]).expect_ok();
    // No second change, with which the old key would be forgotten; the rest of the profile is free.
    let to_alice = change(&world, &cast.alice);
    world
        .send(std::slice::from_ref(&to_alice), &[&cast.operator])
        .expect_error(OracleError::KeyChangesTooSoon);
    let back = change(&world, &answer_key());
    world
        .send(&[back], &[&cast.operator])
        .expect_error(OracleError::KeyChangesTooSoon);
    let mut moved = with_key(&cast.bob);
    moved.endpoint = "https://elsewhere.example".to_owned();
    let update = opml_oracle::update_operator(key, world.usdc, moved);
    world.send(&[update], &[&cast.operator]).expect_ok();

    let due = world.read::<Operator>(&operator).key_change;
    assert_eq!(due.length_slots(), terms().unbonding_slots);
    // One answer under each key, on the last slot of the old one.
    world.pass_until_slot(due.due_slot);
    let old_and_new = [
        sign_answer(operator, CLAIM, &answer_key()),
        sign_answer(operator, other_output(CLAIM), &cast.bob),
    ];
    let punish = opml_oracle::punish_equivocation(cast.watcher.pubkey(), world.usdc, &old_and_new);
    world.send(&punish, &[&cast.watcher]).expect_ok();
    world.pass_slots(1);
    let another = Claim {
        input_root: [7; 32],
        ..CLAIM
    };
    let old = [another, other_output(another)].map(|claim| sign_answer(operator, claim, &answer_key()));
    let punish = opml_oracle::punish_equivocation(cast.watcher.pubkey(), world.usdc, &old);
    world
        .send(&punish, &[&cast.watcher])
        .expect_error(OracleError::WrongAnswerKey);
    world.send(&[to_alice], &[&cast.operator]).expect_ok();
    assert_eq!(
        world.read::<Operator>(&operator).previous_key_hash,
        answer_key_hash(&cast.bob.pubkey())
    );
}

/// Finding 13: two gateways with one key and no memory, a payer that asks again, a crash between signing and storing.
#[test]
fn given_an_operator_that_answers_everything_it_is_asked_twice_when_its_answers_are_shown_then_no_pair_is_fraud() {
    let (mut world, cast) = World::with_protocol();
    let model = model();
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let watcher = cast.watcher.pubkey();
    let answers: Vec<_> = [0, 1, 0, 1]
        .map(|seed| sign_answer(operator, honest(&model, seed, 1).claim, &answer_key()))
        .to_vec();
    for first in &answers {
        for second in &answers {
            let punish = opml_oracle::punish_equivocation(watcher, world.usdc, &[*first, *second]);
            assert!(world.send(&punish, &[&cast.watcher]).is_err());
        }
    }
    assert_eq!(world.read::<Operator>(&operator).stake_units, STAKE);
}
