//! What the referee accepts as a proof.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Report, ReportStatus, Witness},
};
use anchor_lang::{error::ErrorCode, prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    challenge::{
        NextMove,
        staging::{self, Proof},
    },
    instructions::opml_oracle,
};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest, lying},
    world::{Case, Duel, usdc},
};
use opml_runtime::{ClaimedTrace, Execution, Model, execute, witness};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

/// A dispute about one lie, played until the tile is known.
fn given_a_known_tile<'a>(
    world: &mut World,
    cast: &'a Cast,
    case: &Case,
    model: &'a Model,
    own: &'a Execution,
) -> (Duel<'a>, u32, Vec<u8>) {
    let mut duel = Duel::open(world, &cast.watcher, case, 0, model, own);
    duel.play_until(world, &cast.operator, &case.asked[0].answer, Phase::TileKnown);
    let NextMove::Prove { element, witness } = duel.next_move(world) else {
        panic!("the tile is known, so that a proof is next");
    };
    (duel, element, witness)
}

fn given_a_lie(world: &mut World, cast: &Cast, model: &Model, node: u32) -> (Case, Execution) {
    let service = world.given_service(cast, model);
    let case = world.given_sealed(cast, service, vec![lying(model, 0, usdc(10), node)]);
    let own = execute(model, &case.asked[0].input).expect("the input fits the model");
    (case, own)
}

#[test]
fn given_an_honest_answer_when_any_element_is_proven_then_it_is_correct_and_nobody_is_slashed() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(10))]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let claimed = ClaimedTrace::whole(own.roots());
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    duel.operator_answers(&mut world, &cast.operator, &case.asked[0].answer);
    let state = duel.state(&world);
    let node = 1;
    let path = model.graph().path(0, node);
    let record = &model.nodes()[node as usize];
    let demand = opml_oracle::demand_node(&state, state.game.digest, node as u8, model.header(), record, path);
    world.send(&[demand], &[&cast.watcher]).expect_ok();
    duel.operator_answers(&mut world, &cast.operator, &case.asked[0].answer);
    for element in 0..3 {
        let witness = witness::build(&model, &own, &claimed, node, 0, element).expect("the element exists");
        let account = duel.stage(&mut world, element, &witness);
        let prove = duel.prove_of(&world, element, &account);
        world
            .send(&[prove], &[&cast.watcher])
            .expect_error(OracleError::ElementIsCorrect);
        let beyond = duel.prove_of(&world, 3, &account);
        world
            .send(&[beyond], &[&cast.watcher])
            .expect_error(OracleError::ElementOutOfRange);
    }
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Sealed);
    assert_eq!(duel.phase(&world), Phase::TileKnown, "nothing has changed");
}

#[test]
fn given_a_lie_when_another_element_is_proven_then_it_is_correct_and_the_wrong_one_still_wins() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model, 0);
    let (mut duel, element, witness) = given_a_known_tile(&mut world, &cast, &case, &model, &own);
    let claimed = ClaimedTrace::whole(case.asked[0].answer.roots());
    let other = (element + 1) % 6;
    let other_witness = witness::build(&model, &own, &claimed, 0, 0, other).expect("the element exists");
    let account = duel.stage(&mut world, other, &other_witness);
    let prove = duel.prove_of(&world, other, &account);
    world
        .send(&[prove], &[&cast.watcher])
        .expect_error(OracleError::ElementIsCorrect);
    let account = duel.stage(&mut world, element, &witness);
    let prove = duel.prove_of(&world, element, &account);
    world.send(&[prove], &[&cast.watcher]).expect_ok();
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Rejected);
}

#[test]
fn given_a_witness_that_is_not_the_proof_when_judged_then_refused_by_the_part() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    // The second node, whose first operand is another node.
    let (case, own) = given_a_lie(&mut world, &cast, &model, 1);
    let (mut duel, element, good) = given_a_known_tile(&mut world, &cast, &case, &model, &own);
    const HEADER: usize = 92;
    const NODE: usize = 128 + 32;
    let flip = |at: usize| {
        let mut bad = good.clone();
        bad[at] ^= 1;
        bad
    };
    let operand_root = HEADER + NODE + NODE;
    for (witness, error) in [
        (flip(0), OracleError::WitnessHeader),
        // The node's record, its path, the operand's record, its output's root.
        (flip(HEADER + 127), OracleError::WitnessNode),
        (flip(HEADER + 128), OracleError::WitnessNode),
        (flip(HEADER + NODE), OracleError::WitnessOperand),
        (flip(operand_root), OracleError::WitnessOperand),
        (flip(good.len() - 1), OracleError::WitnessRegion),
        (good[..good.len() - 1].to_vec(), OracleError::WitnessTruncated),
        (good[..HEADER].to_vec(), OracleError::WitnessTruncated),
        ([good.clone(), vec![0]].concat(), OracleError::WitnessTrailingBytes),
        (vec![0; good.len()], OracleError::WitnessHeader),
    ] {
        let account = duel.stage(&mut world, element, &witness);
        let prove = duel.prove_of(&world, element, &account);
        world.send(&[prove], &[&cast.watcher]).expect_error(error);
    }
    let account = duel.stage(&mut world, element, &good);
    let prove = duel.prove_of(&world, element, &account);
    world.send(&[prove], &[&cast.watcher]).expect_ok();
}

#[test]
fn given_a_witness_of_another_dispute_when_used_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model, 0);
    let (mut duel, element, witness) = given_a_known_tile(&mut world, &cast, &case, &model, &own);
    let mut rival = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    let mut second = Duel::open_with_nonce(&mut world, &cast.watcher, 1, &case, 0, &model, &own);
    rival.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::TileKnown);
    let ours = duel.stage(&mut world, element, &witness);
    let rivals = rival.stage(&mut world, element, &witness);
    let other_nonce = second.stage(&mut world, element, &witness);
    for account in [rivals, other_nonce] {
        let prove = swap(&duel.prove_of(&world, element, &ours), &ours, &account);
        world
            .send(&[prove], &[&cast.watcher])
            .expect_error(OracleError::WrongWitness);
    }
    // An account that is none.
    let prove = swap(&duel.prove_of(&world, element, &ours), &ours, &case.report);
    world
        .send(&[prove], &[&cast.watcher])
        .expect_error(ErrorCode::AccountDiscriminatorMismatch);
}

#[test]
fn given_a_witness_when_others_write_or_close_it_then_refused_and_the_rent_comes_back_to_the_challenger() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model, 0);
    let (mut duel, element, witness) = given_a_known_tile(&mut world, &cast, &case, &model, &own);
    let [watcher, rival] = [&cast.watcher, &cast.rival].map(Signer::pubkey);
    let account = duel.stage(&mut world, element, &witness);
    let overwrite = opml_oracle::write_witness(watcher, account, 0, vec![0; 8]);
    let close = opml_oracle::close_witness(watcher, account);
    for instruction in [&overwrite, &close] {
        let by_rival = swap(instruction, &watcher, &rival);
        world
            .send(&[by_rival], &[&cast.rival])
            .expect_error(OracleError::NotTheChallenger);
    }
    let len = witness.len() as u32;
    for (offset, bytes) in [(len, 1), (len - 1, 2), (u32::MAX, 1)] {
        let beyond = opml_oracle::write_witness(watcher, account, offset, vec![0; bytes]);
        world
            .send(&[beyond], &[&cast.watcher])
            .expect_error(OracleError::WitnessOutOfRange);
    }
    // Pieces may be lost, repeated and come in any order.
    world.send(&[overwrite], &[&cast.watcher]).expect_ok();
    let again = opml_oracle::write_witness(watcher, account, 0, witness[..8].to_vec());
    world.send(&[again], &[&cast.watcher]).expect_ok();
    let prove = duel.prove_of(&world, element, &account);
    world.send(&[prove], &[&cast.watcher]).expect_ok();

    let (rent, before) = (world.lamports(&account), world.lamports(&watcher));
    world.send(std::slice::from_ref(&close), &[&cast.watcher]).expect_ok();
    assert_eq!(
        world.lamports(&watcher) + imo_tests::cluster::LAMPORTS_PER_SIGNATURE - before,
        rent
    );
    world
        .send(&[close], &[&cast.watcher])
        .expect_error(ErrorCode::AccountNotInitialized);
}

#[test]
fn given_a_witness_account_when_it_is_bound_twice_or_by_others_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model, 0);
    let duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let key = Keypair::new();
    let state = duel.state(&world);
    let create = |world: &World, owner: &Pubkey| {
        solana_system_interface::instruction::create_account(
            &cast.watcher.pubkey(),
            &key.pubkey(),
            world.rent_of(1_000),
            1_000,
            owner,
        )
    };
    let init = opml_oracle::init_witness(&state, key.pubkey());
    let foreign = [create(&world, &::revenue_escrow::ID), init.clone()];
    world
        .send(&foreign, &[&cast.watcher, &key])
        .expect_error(ErrorCode::AccountOwnedByWrongProgram);
    let by_rival = swap(&init, &cast.watcher.pubkey(), &cast.rival.pubkey());
    let taken = [create(&world, &::opml_oracle::ID), by_rival];
    world
        .send(&taken, &[&cast.watcher, &cast.rival, &key])
        .expect_error(OracleError::NotTheChallenger);
    let bound = [create(&world, &::opml_oracle::ID), init.clone()];
    world.send(&bound, &[&cast.watcher, &key]).expect_ok();
    world.send(&bound, &[&cast.watcher, &key]).expect_error(ALREADY_IN_USE);
    world
        .send(std::slice::from_ref(&init), &[&cast.watcher, &key])
        .expect_error(ErrorCode::ConstraintZero);
    // The dispute itself is no witness account, although it is this program's.
    let dispute_as_witness = swap(&init, &key.pubkey(), &case.report);
    let mut unsigned = dispute_as_witness;
    unsigned
        .accounts
        .iter_mut()
        .filter(|meta| meta.pubkey == case.report)
        .for_each(|meta| meta.is_signer = false);
    world
        .send(&[unsigned], &[&cast.watcher])
        .expect_error(ErrorCode::ConstraintZero);
    let _: usize = Witness::BYTES_OFFSET;
}

#[test]
fn given_the_longest_reduction_when_one_element_is_wrong_then_provable_in_one_transaction() {
    const COMPUTE_UNITS: u32 = 1_400_000;
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[opml::ops::MAX_REDUCTION, 2]);
    let (case, own) = given_a_lie(&mut world, &cast, &model, 0);
    let (duel, element, witness) = given_a_known_tile(&mut world, &cast, &case, &model, &own);
    assert!(witness.len() > 64 * 1_024);
    let key = Keypair::new();
    let state = duel.state(&world);
    let proof = Proof {
        dispute: &state,
        element,
        witness: &witness,
        witness_account: key.pubkey(),
        lamports: world.rent_of(staging::account_bytes(&witness)),
    };
    let limit: Instruction = ComputeBudgetInstruction::set_compute_unit_limit(COMPUTE_UNITS);
    let transactions = staging::stage_and_prove(&proof, &[limit]);
    let mut used = 0;
    for (number, instructions) in transactions.iter().enumerate() {
        let signers: &[&Keypair] = if number == 0 {
            &[&cast.watcher, &key]
        } else {
            &[&cast.watcher]
        };
        used = world.send(instructions, signers).expect_ok().compute_units;
    }
    assert!(used < u64::from(COMPUTE_UNITS));
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Rejected);
    println!(
        "the longest reduction: {} transactions, {used} compute units to prove",
        transactions.len()
    );
}
