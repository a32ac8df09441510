//! A model from its registration to the last claim, with every amount.

use ::opml_oracle::state::{Operator, Report, ReportStatus};
use ::revenue_escrow::state::{Credit, Lane};
use imo_client::{
    addresses,
    instructions::{opml_oracle, revenue_escrow, yield_distributor},
};
use imo_protocol::{Bucket, Collection};
use imo_tests::{
    Outcome, World,
    models::{digits, honest},
    world::{ALICE_COMMITS, BOB_COMMITS, CREDIT, LANE, STAKE, SUPPLY, usdc},
};
use solana_signer::Signer;

/// Three answers at this price are collected.
const PRICE: u64 = usdc(10) + 1;
const COLLECTED: u64 = 30_000_003;
/// Floors of 15, 10, 40 and 5 percent; the holders take the rest.
const TO_REDEEM: u64 = 4_500_000;
const TO_DEVELOPER: u64 = 3_000_000;
const TO_OPERATOR: u64 = 12_000_001;
const TO_PROTOCOL: u64 = 1_500_000;
const TO_HOLDERS: u64 = 9_000_002;
/// Of the holders' part, what a third of all tokens earns: promised rounded up, paid rounded down.
const TO_STAKERS: u64 = 3_000_001;
const TO_ALICE: u64 = 3_000_000;
/// A third of all tokens burned takes a third of the redeem pool, rounded down.
const TO_BOB: u64 = 3_500_000;

#[test]
fn given_honest_answers_when_nobody_disputes_then_everybody_is_paid_to_the_unit() {
    assert_eq!(
        COLLECTED,
        TO_REDEEM + TO_DEVELOPER + TO_OPERATOR + TO_PROTOCOL + TO_HOLDERS
    );
    let (mut world, cast) = World::with_protocol();
    let [alice, bob, operator] = [&cast.alice, &cast.bob, &cast.operator].map(Signer::pubkey);
    let model = digits();

    // Register and sell: two thirds of what was put in is accepted.
    let service = world.given_service(&cast, &model);
    let published = service.published;
    world.given_token(&cast, &published);
    assert_eq!(world.usdc_of(&alice), ALICE_COMMITS / 3);
    assert_eq!(world.usdc_of(&bob), BOB_COMMITS / 3);
    assert_eq!(world.model_tokens_of(&published, &alice), 666_666_666_666);
    assert_eq!(world.model_tokens_of(&published, &bob), 333_333_333_333);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 0);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
    assert_eq!(world.usdc_of(&cast.developer.pubkey()), usdc(2_000));

    // Stake.
    world.given_stake(&published, &cast.alice, SUPPLY / 3);
    let activation_epoch = world
        .position(&published, &alice)
        .expect("Alice has staked")
        .pending_epoch;
    world.pass_epochs(&published, 2);
    assert_eq!(world.epoch(&published), activation_epoch);

    // Pay: the money moves in the books only.
    let asked = (0..3).map(|seed| honest(&model, seed, PRICE)).collect();
    let case = world.given_sealed(&cast, service, asked);
    let customer = &case.service.customer;
    assert_eq!(case.collected_units, COLLECTED);
    let lane: Lane = world.read(&customer.lane);
    assert_eq!(
        (lane.reserved_units, lane.collected_units, lane.collected_count),
        (LANE - COLLECTED, COLLECTED, 3)
    );
    let credit: Credit = world.read(&customer.credit);
    assert_eq!(
        (credit.available_units, credit.reserved_units),
        (CREDIT - LANE, LANE - COLLECTED)
    );
    assert_eq!(
        world.tokens(&addresses::revenue_escrow::vault_tokens(&published.model)),
        CREDIT
    );

    // Report, final, split.
    world.finalise(&cast, &case.report);
    assert_eq!(world.read::<Report>(&case.report).status, ReportStatus::Final);
    let free = world.read::<Operator>(&case.service.operator).free_units();
    assert_eq!(free.expect("the counters fit"), STAKE);
    world.split(&cast, &case.report);
    let pool = world.pool(&published);
    assert_eq!(pool.owed_units, TO_STAKERS);
    assert_eq!(pool.redeem_units, TO_REDEEM + TO_HOLDERS - TO_STAKERS);

    // Claim: anyone runs it, everybody gets exactly their part.
    let claim = world.claim_of(&published, &cast.stranger.pubkey(), &alice);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&alice), ALICE_COMMITS / 3 + TO_ALICE);
    let redeem = yield_distributor::redeem(bob, bob, &world.pool(&published), 333_333_333_333);
    world.send(&[redeem], &[&cast.bob]).expect_ok();
    assert_eq!(world.usdc_of(&bob), BOB_COMMITS / 3 + TO_BOB);
    assert_eq!(world.model_tokens_of(&published, &bob), 0);
    for (recipient, units) in [
        (operator, TO_OPERATOR),
        (cast.developer.pubkey(), TO_DEVELOPER),
        (cast.treasury.pubkey(), TO_PROTOCOL),
    ] {
        world.given_payment_account(&cast, &recipient);
        let before = world.usdc_of(&recipient);
        let caller = cast.stranger.pubkey();
        let withdraw = revenue_escrow::withdraw_earnings(caller, published.model, recipient, world.usdc);
        world.send(&[withdraw], &[&cast.stranger]).expect_ok();
        assert_eq!(world.usdc_of(&recipient) - before, units);
    }
    let vault = addresses::revenue_escrow::vault_tokens(&published.model);
    assert_eq!(world.tokens(&vault), CREDIT - COLLECTED);

    // Nothing of the report stays, and its rent goes back to the operator, who paid all of it.
    let bucket = addresses::revenue_escrow::bucket(&case.report);
    let rent = [case.collection, bucket, case.report].map(|address| world.lamports(&address));
    let before = world.lamports(&operator);
    let close = revenue_escrow::close_collection(&world.read::<Collection>(&case.collection));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let close = revenue_escrow::close_bucket(&world.read::<Bucket>(&bucket));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    let close = opml_oracle::close_report(&world.read::<Report>(&case.report));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    assert_eq!(world.lamports(&operator) - before, rent.iter().sum::<u64>());

    // Alice leaves; her position and its epoch's mark are closed, and their rent goes back to her.
    let position = world.position(&published, &alice).expect("Alice has staked");
    let unstake = yield_distributor::unstake(&world.pool(&published), &position, SUPPLY / 3);
    world.send(&[unstake], &[&cast.alice]).expect_ok();
    assert_eq!(world.model_tokens_of(&published, &alice), 666_666_666_666);
    let pool = addresses::yield_distributor::pool(&published.model);
    let mark = addresses::yield_distributor::epoch_mark(&pool, activation_epoch);
    let position_address = addresses::yield_distributor::position(&pool, &alice);
    let rent = [mark, position_address].map(|address| world.lamports(&address));
    let before = world.lamports(&alice);
    let position = world
        .position(&published, &alice)
        .expect("an empty position stays until it is closed");
    let close = [
        yield_distributor::close_epoch_mark(&world.read(&mark)),
        yield_distributor::close_position(&position),
    ];
    world.send(&close, &[&cast.stranger]).expect_ok();
    assert_eq!(world.lamports(&alice) - before, rent.iter().sum::<u64>());
}
