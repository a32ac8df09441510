//! A pause stops what comes in, never what is in.

use ::model_token::{
    constants::MAX_PAUSE_SECONDS, errors::ModelTokenError, instructions::RegisterModelArgs, state::Metadata,
};
use ::opml_oracle::game::Phase;
use ::revenue_escrow::errors::RevenueEscrowError;
use imo_client::{
    addresses,
    instructions::{model_token, opml_oracle, revenue_escrow, yield_distributor},
};
use imo_tests::{
    Outcome, World,
    models::{dense, honest, lying},
    world::{ALICE_COMMITS, BOB_COMMITS, Duel, SUPPLY, profile, terms, usdc},
};
use opml_runtime::execute;
use solana_signer::Signer;

#[test]
fn given_a_pause_when_anything_new_comes_in_then_refused_until_it_expires() {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &runtime);
    let published = service.published;
    world.given_token(&cast, &published);
    let selling = world.given_model_number(&cast, 1, &runtime);
    world.given_offering(&cast, &selling);
    let opening = world.given_model_number(&cast, 2, &runtime);
    let second = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let [alice, bob, developer, guardian, payer] =
        [&cast.alice, &cast.bob, &cast.developer, &cast.guardian, &cast.payer].map(Signer::pubkey);
    let (mint, model) = (world.usdc, published.model);
    let until = world.now().unix + MAX_PAUSE_SECONDS;
    world
        .send(&[model_token::set_pause(guardian, until)], &[&cast.guardian])
        .expect_ok();

    let register = RegisterModelArgs {
        index: 3,
        metadata: Metadata {
            name: "Digits".to_owned(),
            symbol: "DIGITS".to_owned(),
            licence: "MIT".to_owned(),
            uri: String::new(),
            uri_hash: [0; 32],
        },
    };
    let in_model_token = [
        (
            model_token::register_model(developer, developer, mint, register),
            &cast.developer,
        ),
        (
            model_token::open_offering(developer, developer, opening.model, mint, world.offering_args()),
            &cast.developer,
        ),
        (model_token::commit(alice, alice, selling.model, mint, 1), &cast.alice),
        (opml_oracle::register_operator(bob, bob, mint, profile(&bob)), &cast.bob),
        (world.stake_of(&published, &alice, 1), &cast.alice),
    ];
    for (instruction, signer) in in_model_token {
        world
            .send(&[instruction], &[signer])
            .expect_error(ModelTokenError::Paused);
    }
    let credit = service.customer.credit;
    let open_lane = revenue_escrow::open_lane(payer, payer, model, second, 1, false);
    let in_escrow = [
        (revenue_escrow::open_credit(alice, alice, model), &cast.alice),
        (open_lane.clone(), &cast.payer),
        (
            revenue_escrow::deposit_credit(alice, credit, model, mint, 1),
            &cast.alice,
        ),
    ];
    for (instruction, signer) in in_escrow {
        world
            .send(&[instruction], &[signer])
            .expect_error(RevenueEscrowError::Paused);
    }
    world.pass_until_unix(until);
    // It expires by itself: from then on, entries are open.
    let register = opml_oracle::register_operator(bob, bob, mint, profile(&bob));
    world.send(&[register], &[&cast.bob]).expect_ok();
    world.send(&[open_lane], &[&cast.payer]).expect_ok();
    let stake = world.stake_of(&published, &alice, 1);
    world.send(&[stake], &[&cast.alice]).expect_ok();
}

#[test]
fn given_a_pause_when_what_is_in_goes_on_and_leaves_then_nothing_is_held() {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &runtime);
    let published = service.published;
    let [guardian, payer, operator_key, stranger] =
        [&cast.guardian, &cast.payer, &cast.operator, &cast.stranger].map(Signer::pubkey);
    let (mint, model, operator) = (world.usdc, published.model, service.operator);
    world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, ALICE_COMMITS);
    world.given_commitment(&published, &cast.bob, BOB_COMMITS);
    let other = world.given_model_number(&cast, 1, &runtime);
    world.given_token(&cast, &other);
    world.given_stake(&other, &cast.alice, SUPPLY / 4);
    let until = world.now().unix + MAX_PAUSE_SECONDS;
    world
        .send(&[model_token::set_pause(guardian, until)], &[&cast.guardian])
        .expect_ok();

    // The sale is settled and claimed, proceeds are paid.
    world.given_settled(&cast, &published);
    for investor in [&cast.alice, &cast.bob] {
        let claim = model_token::claim_commitment(world.claimed(&published, &investor.pubkey()));
        world.send(&[claim], &[&cast.stranger]).expect_ok();
    }
    let withdraw = world.withdraw_tranche_of(&cast, &published, 0);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
    world.given_pool(&cast, &published);

    // What was served is reported, collected, disputed, split and paid.
    world.given_usdc(&operator_key, usdc(1));
    let stake = opml_oracle::stake_bond(operator_key, operator, mint, usdc(1));
    world.send(&[stake], &[&cast.operator]).expect_ok();
    let honest_case = world.given_sealed(&cast, service, vec![honest(&runtime, 0, usdc(10))]);
    world.finalise(&cast, &honest_case.report);
    world.split(&cast, &honest_case.report);
    let lying_case = world.given_sealed(&cast, honest_case.service, vec![lying(&runtime, 0, usdc(10), 0)]);
    let own = execute(&runtime, &lying_case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &lying_case, 0, &runtime, &own);
    duel.play_until(&mut world, &cast.operator, &lying_case.asked[0].answer, Phase::Proven);
    duel.settle(&mut world, &cast.stranger);
    world.refund(&cast, &lying_case);
    duel.pay_out(&mut world, &cast.stranger);
    let withdraw = revenue_escrow::withdraw_earnings(stranger, model, operator_key, mint);
    world.send(&[withdraw], &[&cast.stranger]).expect_ok();
    let redeem = yield_distributor::redeem(
        cast.bob.pubkey(),
        cast.bob.pubkey(),
        &world.pool(&published),
        333_333_333_333,
    );
    world.send(&[redeem], &[&cast.bob]).expect_ok();

    // Everybody leaves.
    let position = world.position(&other, &cast.alice.pubkey()).expect("Alice has staked");
    let unstake = yield_distributor::unstake(&world.pool(&other), &position, SUPPLY / 4);
    world.send(&[unstake], &[&cast.alice]).expect_ok();
    let notice = terms().notice_slots;
    world
        .send(
            &[revenue_escrow::request_release(payer, model, operator, usdc(1))],
            &[&cast.payer],
        )
        .expect_ok();
    world
        .send(
            &[revenue_escrow::request_withdraw(payer, model, usdc(1))],
            &[&cast.payer],
        )
        .expect_ok();
    world.pass_slots(notice + 1);
    world
        .send(&[revenue_escrow::release_lane(payer, model, operator)], &[&cast.payer])
        .expect_ok();
    let destination = addresses::payment_account(&payer, &mint);
    let withdraw = revenue_escrow::withdraw_credit(payer, model, mint, destination);
    world.send(&[withdraw], &[&cast.payer]).expect_ok();
    world
        .send(
            &[opml_oracle::request_unbond(operator_key, mint, usdc(100))],
            &[&cast.operator],
        )
        .expect_ok();
    world.pass_slots(terms().unbonding_slots + 1);
    let recipient = addresses::payment_account(&operator_key, &mint);
    world
        .send(
            &[opml_oracle::withdraw_bond(operator_key, mint, recipient)],
            &[&cast.operator],
        )
        .expect_ok();
    assert!(world.now().unix < until, "all this happened during the pause");
}
