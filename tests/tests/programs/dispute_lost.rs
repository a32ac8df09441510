//! Disputes that end by silence, and what a lost one costs and changes.

use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Operator, Report, ReportStatus, StakeVault},
};
use ::revenue_escrow::state::Credit;
use imo_client::addresses;
use imo_client::instructions::opml_oracle;
use imo_tests::{
    Cast, Outcome, World,
    models::{dense, honest, lying},
    world::{BOND, Case, Duel, STAKE, terms, usdc},
};
use opml_runtime::{Execution, Model, execute};
use solana_signer::Signer;

/// What every challenger of these tests starts with; the bond and the fee come out of it.
const CHALLENGER: u64 = usdc(10);

fn insurance(world: &World) -> u64 {
    world
        .read::<StakeVault>(&addresses::opml_oracle::stake_vault(&world.usdc))
        .insurance_units
}

fn given_an_honest_case(world: &mut World, cast: &Cast, model: &Model) -> (Case, Execution) {
    let service = world.given_service(cast, model);
    let case = world.given_sealed(cast, service, vec![honest(model, 0, usdc(10))]);
    let own = execute(model, &case.asked[0].input).expect("the input fits the model");
    (case, own)
}

#[test]
fn given_an_honest_operator_when_the_challenger_falls_silent_then_it_pays_for_the_answers_and_nothing_else_changes() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_an_honest_case(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    duel.operator_answers(&mut world, &cast.operator, &answer);
    let state = duel.state(&world);
    let path = model.graph().path(0, 0);
    let demand = opml_oracle::demand_node(&state, state.game.digest, 0, model.header(), &model.nodes()[0], path);
    world.send(&[demand], &[&cast.watcher]).expect_ok();
    duel.operator_answers(&mut world, &cast.operator, &answer);
    duel.time_out(&mut world, &cast.stranger);
    assert_eq!(duel.phase(&world), Phase::Lost);
    duel.settle(&mut world, &cast.stranger);
    let settle = opml_oracle::settle_dispute(&duel.state(&world));
    world
        .send(&[settle], &[&cast.stranger])
        .expect_error(OracleError::AlreadySettled);

    // Two answers; the rest of the bond and the fee insure.
    let terms = terms();
    let answers = 2 * terms.move_cost_units;
    let operator: Operator = world.read(&case.service.operator);
    assert_eq!((operator.stake_units, operator.open_disputes), (STAKE + answers, 0));
    assert_eq!(
        insurance(&world),
        terms.challenger_bond_units + terms.open_fee_units - answers
    );
    let paid = terms.challenger_bond_units + terms.open_fee_units;
    let rent = world.lamports(&duel.dispute);
    let before = world.lamports(&cast.watcher.pubkey());
    duel.pay_out(&mut world, &cast.stranger);
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), CHALLENGER - paid);
    assert_eq!(world.lamports(&cast.watcher.pubkey()) - before, rent);

    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Final);
}

#[test]
fn given_a_dispute_that_names_no_place_when_its_time_is_over_then_the_whole_bond_insures() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_an_honest_case(&mut world, &cast, &model);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.time_out(&mut world, &cast.stranger);
    duel.settle(&mut world, &cast.stranger);
    assert_eq!(
        insurance(&world),
        terms().challenger_bond_units + terms().open_fee_units
    );
    assert_eq!(world.read::<Operator>(&case.service.operator).stake_units, STAKE);
    duel.pay_out(&mut world, &cast.stranger);
    assert!(!world.exists(&duel.dispute));
}

#[test]
fn given_a_silent_operator_when_its_time_is_over_then_it_loses_at_each_of_its_turns() {
    for (phase, moves) in [(Phase::Pointed, 1), (Phase::Demanded, 2)] {
        let (mut world, cast) = World::with_protocol();
        let model = dense(&[8, 6, 3]);
        let service = world.given_service(&cast, &model);
        let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(10), 0)]);
        let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
        let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
        duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, phase);
        duel.time_out(&mut world, &cast.stranger);
        assert_eq!(duel.phase(&world), Phase::Proven);
        let report: Report = world.read(&case.report);
        assert_eq!((report.status, report.slashed_units), (ReportStatus::Rejected, BOND));
        duel.settle(&mut world, &cast.stranger);
        duel.pay_out(&mut world, &cast.stranger);
        let terms = terms();
        let share = BOND * u64::from(terms.prover_share_bps) / 10_000;
        let costs = moves * terms.move_cost_units;
        assert_eq!(
            world.usdc_of(&cast.watcher.pubkey()),
            CHALLENGER - terms.open_fee_units + share + costs
        );
        let before = world.read::<Credit>(&case.service.customer.credit).available_units;
        world.refund(&cast, &case);
        assert_eq!(
            world.read::<Credit>(&case.service.customer.credit).available_units - before,
            usdc(10)
        );
    }
}

#[test]
fn given_an_operators_friend_that_loses_on_purpose_when_a_watcher_opens_later_then_the_watcher_wins() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(10), 0)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let answer = case.asked[0].answer.clone();
    let mut friend = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    friend.play_until(&mut world, &cast.operator, &answer, Phase::TileKnown);
    friend.time_out(&mut world, &cast.stranger);
    friend.settle(&mut world, &cast.stranger);
    friend.pay_out(&mut world, &cast.stranger);

    // The same nonce of the same challenger again: another dispute with another digest.
    let mut again = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    assert_eq!(again.state(&world).order, 1);
    again.time_out(&mut world, &cast.stranger);
    again.settle(&mut world, &cast.stranger);

    let mut watcher = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    watcher.play_until(&mut world, &cast.operator, &answer, Phase::Proven);
    watcher.settle(&mut world, &cast.stranger);
    watcher.pay_out(&mut world, &cast.stranger);
    let terms = terms();
    let share = BOND * u64::from(terms.prover_share_bps) / 10_000;
    let expected = CHALLENGER - terms.open_fee_units + share + 3 * terms.move_cost_units;
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), expected);
}

#[test]
fn given_a_live_dispute_when_the_window_is_long_past_then_not_final() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_an_honest_case(&mut world, &cast, &model);
    let due = world.read::<Report>(&case.report).window;
    world.pass_slots(due.length_slots());
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
    world.pass_slots(100);
    let finalise = opml_oracle::finalise_report(&world.read(&case.report));
    world
        .send(std::slice::from_ref(&finalise), &[&cast.stranger])
        .expect_error(OracleError::DisputesUnsettled);
    duel.operator_answers(&mut world, &cast.operator, &case.asked[0].answer);
    duel.time_out(&mut world, &cast.stranger);
    world
        .send(std::slice::from_ref(&finalise), &[&cast.stranger])
        .expect_error(OracleError::DisputesUnsettled);
    duel.settle(&mut world, &cast.stranger);
    world.send(&[finalise], &[&cast.stranger]).expect_ok();
}
