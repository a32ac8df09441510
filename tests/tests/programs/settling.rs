//! Who gets what of a slashed bond, and in which order.

use ::model_token::state::DisputeTerms;
use ::opml_oracle::{
    errors::OracleError,
    game::Phase,
    state::{Operator, Report, StakeVault, Trace},
};
use ::revenue_escrow::errors::RevenueEscrowError;
use anchor_lang::error::ErrorCode;
use imo_client::{
    addresses,
    instructions::{opml_oracle, revenue_escrow},
};
use imo_protocol::{Bucket, Collection};
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, swap_at},
    models::{dense, lying},
    world::{BOND, Case, Duel, terms, usdc},
};
use opml_runtime::{Execution, Model, execute};
use solana_signer::Signer;

const CHALLENGER: u64 = usdc(10);

fn given_a_lie(world: &mut World, cast: &Cast, model: &Model) -> (Case, Execution) {
    let service = world.given_service(cast, model);
    let case = world.given_sealed(cast, service, vec![lying(model, 0, usdc(10), 0)]);
    let own = execute(model, &case.asked[0].input).expect("the input fits the model");
    (case, own)
}

fn share() -> u64 {
    BOND * u64::from(terms().prover_share_bps) / 10_000
}

#[test]
fn given_two_disputes_when_the_later_one_proves_first_then_the_earlier_one_still_gets_the_share() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let mut watcher = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let mut friend = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    // The operator answers its friend at once and the watcher not at all.
    friend.play_until(&mut world, &cast.operator, &answer, Phase::Proven);
    let settle = opml_oracle::settle_dispute(&friend.state(&world));
    world
        .send(std::slice::from_ref(&settle), &[&cast.rival])
        .expect_error(OracleError::SettleInOrder);
    let open = opml_oracle::open_dispute(
        cast.bob.pubkey(),
        cast.bob.pubkey(),
        &world.read(&case.report),
        0,
        [0; 32],
    );
    world.given_usdc(&cast.bob.pubkey(), CHALLENGER);
    world.send(&[open], &[&cast.bob]).expect_error(OracleError::ReportEnded);

    // The payers need not wait for the end of it; and the collection stays as long as the watcher has to point into it.
    world.refund(&cast, &case);
    let refund = revenue_escrow::refund(&world.read(&case.collection));
    world
        .send(&[refund], &[&cast.stranger])
        .expect_error(RevenueEscrowError::AlreadyRefunded);
    let close = revenue_escrow::close_collection(&world.read::<Collection>(&case.collection));
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(RevenueEscrowError::CollectionNeeded);
    let trace = addresses::opml_oracle::trace(&case.report, &case.asked[0].claim.claim_hash());
    let close_trace = opml_oracle::close_trace(&world.read::<Trace>(&trace));
    world
        .send(std::slice::from_ref(&close_trace), &[&cast.stranger])
        .expect_error(OracleError::DisputesUnsettled);
    watcher.challenger_moves(&mut world);
    assert_eq!(watcher.phase(&world), Phase::Traced, "the trace is there already");
    watcher.play_until(&mut world, &cast.operator, &answer, Phase::Proven);

    watcher.settle(&mut world, &cast.stranger);
    world.send(&[settle], &[&cast.stranger]).expect_ok();
    watcher.pay_out(&mut world, &cast.stranger);
    friend.pay_out(&mut world, &cast.stranger);
    let terms = terms();
    let costs = 3 * terms.move_cost_units;
    let rest = CHALLENGER - terms.open_fee_units;
    assert_eq!(world.usdc_of(&cast.watcher.pubkey()), rest + costs + share());
    assert_eq!(world.usdc_of(&cast.rival.pubkey()), rest + costs);
    let vault: StakeVault = world.read(&addresses::opml_oracle::stake_vault(&world.usdc));
    assert_eq!(
        vault.insurance_units,
        2 * terms.open_fee_units + BOND - 2 * costs - share()
    );
    assert_eq!(world.read::<Operator>(&case.service.operator).open_disputes, 0);

    // Everything is closed, and the operator, who paid the rent of all of it, has it back.
    let bucket = addresses::revenue_escrow::bucket(&case.report);
    let rent = [case.collection, bucket, case.report, trace].map(|address| world.lamports(&address));
    let before = world.lamports(&cast.operator.pubkey());
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let close_report = opml_oracle::close_report(&world.read(&case.report));
    world
        .send(std::slice::from_ref(&close_report), &[&cast.stranger])
        .expect_error(OracleError::TracesOpen);
    let to_stranger = swap(&close_trace, &cast.operator.pubkey(), &cast.stranger.pubkey());
    world
        .send(&[to_stranger], &[&cast.stranger])
        .expect_error(OracleError::WrongRentPayer);
    world.send(&[close_trace], &[&cast.stranger]).expect_ok();
    let close_bucket = revenue_escrow::close_bucket(&world.read::<Bucket>(&bucket));
    world.send(&[close_bucket], &[&cast.stranger]).expect_ok();
    world.send(&[close_report], &[&cast.stranger]).expect_ok();
    assert_eq!(
        world.lamports(&cast.operator.pubkey()) - before,
        rent.iter().sum::<u64>()
    );
}

#[test]
fn given_an_idle_dispute_opened_first_when_another_one_proves_then_the_idle_one_loses_its_bond_and_the_other_gets_the_share()
 {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let mut idle = Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    let mut watcher = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    watcher.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    let settle = opml_oracle::settle_dispute(&watcher.state(&world));
    world
        .send(std::slice::from_ref(&settle), &[&cast.stranger])
        .expect_error(OracleError::SettleInOrder);
    idle.time_out(&mut world, &cast.stranger);
    idle.settle(&mut world, &cast.stranger);
    world.send(&[settle], &[&cast.stranger]).expect_ok();
    watcher.pay_out(&mut world, &cast.stranger);
    idle.pay_out(&mut world, &cast.stranger);
    let terms = terms();
    let paid = terms.challenger_bond_units + terms.open_fee_units;
    assert_eq!(world.usdc_of(&cast.rival.pubkey()), CHALLENGER - paid);
    let costs = 3 * terms.move_cost_units;
    assert_eq!(
        world.usdc_of(&cast.watcher.pubkey()),
        CHALLENGER - terms.open_fee_units + costs + share()
    );
    let vault: StakeVault = world.read(&addresses::opml_oracle::stake_vault(&world.usdc));
    assert_eq!(
        vault.insurance_units,
        paid + terms.open_fee_units + BOND - costs - share()
    );
}

#[test]
fn given_many_disputes_when_their_costs_exceed_the_cap_then_paid_in_opening_order() {
    let (mut world, cast) = World::with_protocol();
    // Five moves' worth in all.
    let limited = DisputeTerms {
        cost_cap_bps: 100,
        ..terms()
    };
    world.given_terms(&cast, limited);
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let answer = case.asked[0].answer.clone();
    let challengers = [&cast.watcher, &cast.rival, &cast.alice];
    let mut duels = challengers.map(|challenger| Duel::open(&mut world, challenger, &case, 0, &model, &own));
    for duel in &mut duels {
        duel.play_until(&mut world, &cast.operator, &answer, Phase::Proven);
    }
    let mut total = 0;
    for (duel, moves, share) in duels
        .iter_mut()
        .zip([3, 2, 0])
        .zip([share(), 0, 0])
        .map(|((a, b), c)| (a, b, c))
    {
        duel.settle(&mut world, &cast.stranger);
        duel.pay_out(&mut world, &cast.stranger);
        let costs = moves * limited.move_cost_units;
        total += costs;
        let expected = CHALLENGER - limited.open_fee_units + costs + share;
        assert_eq!(world.usdc_of(&duel.challenger.pubkey()), expected);
    }
    assert_eq!(total, BOND / 100);
}

#[test]
fn given_a_payout_when_it_is_taken_elsewhere_or_twice_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    duel.settle(&mut world, &cast.stranger);
    let [watcher, stranger] = [&cast.watcher, &cast.stranger].map(Signer::pubkey);
    world.given_payment_account(&cast, &stranger);
    let pay = opml_oracle::withdraw_payout(stranger, &duel.state(&world));
    let [to_watcher, to_stranger] = [watcher, stranger].map(|owner| addresses::payment_account(&owner, &world.usdc));
    let stake_tokens = addresses::opml_oracle::stake_tokens(&world.usdc);
    let mut refused = |changed, code: u32| world.send(&[changed], &[&cast.stranger]).expect_error(code);
    refused(
        swap(&pay, &to_watcher, &to_stranger),
        OracleError::RecipientNotAllowed.into(),
    );
    refused(
        swap(&pay, &to_watcher, &stake_tokens),
        ErrorCode::ConstraintDuplicateMutableAccount.into(),
    );
    let recipient = pay
        .accounts
        .iter()
        .position(|meta| meta.pubkey == to_watcher)
        .expect("it is there");
    refused(
        swap_at(&pay, recipient, &::opml_oracle::ID),
        OracleError::RecipientMissing.into(),
    );
    let rent_payer = pay
        .accounts
        .iter()
        .position(|meta| meta.pubkey == watcher)
        .expect("it is there");
    refused(swap_at(&pay, rent_payer, &stranger), OracleError::WrongRentPayer.into());

    // Frozen: nothing is lost, and the challenger may name another account.
    world.set_frozen(&to_watcher, true);
    let frozen = anchor_spl::token::spl_token::error::TokenError::AccountFrozen as u32;
    world
        .send(std::slice::from_ref(&pay), &[&cast.stranger])
        .expect_error(frozen);
    let own_choice = opml_oracle::withdraw_payout(watcher, &duel.state(&world));
    let elsewhere = swap(&own_choice, &to_watcher, &to_stranger);
    world.send(&[elsewhere], &[&cast.watcher]).expect_ok();
    let payout = terms().challenger_bond_units + 3 * terms().move_cost_units + share();
    assert_eq!(world.usdc_of(&stranger), payout);
    world.set_frozen(&to_watcher, false);
    world
        .send(&[pay], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
    assert_eq!(world.read::<Report>(&case.report).disputes_settled, 1);
}

#[test]
fn given_a_payout_that_nobody_took_when_the_report_is_closed_then_it_can_still_be_taken() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let (case, own) = given_a_lie(&mut world, &cast, &model);
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::Proven);
    duel.settle(&mut world, &cast.stranger);
    world.refund(&cast, &case);
    assert!(
        !world.exists(&case.collection),
        "with all disputes settled, a refund closes the collection"
    );
    let trace = addresses::opml_oracle::trace(&case.report, &case.asked[0].claim.claim_hash());
    let bucket: Bucket = world.read(&addresses::revenue_escrow::bucket(&case.report));
    for close in [
        opml_oracle::close_trace(&world.read::<Trace>(&trace)),
        revenue_escrow::close_bucket(&bucket),
        opml_oracle::close_report(&world.read(&case.report)),
    ] {
        world.send(&[close], &[&cast.stranger]).expect_ok();
    }
    duel.pay_out(&mut world, &cast.stranger);
    let payout = 3 * terms().move_cost_units + share();
    assert_eq!(
        world.usdc_of(&cast.watcher.pubkey()),
        CHALLENGER - terms().open_fee_units + payout
    );
}
