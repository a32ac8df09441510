//! Revenue for those who hold the token.

use ::yield_distributor::{errors::YieldError, state::Pool};
use anchor_lang::{
    InstructionData, ToAccountMetas, error::ErrorCode, prelude::Pubkey, solana_program::instruction::Instruction,
};
use imo_client::{
    addresses,
    instructions::{revenue_escrow, yield_distributor},
};
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, swap_at, unsigned},
    models::{dense, honest},
    world::{Case, Published, SUPPLY, Service, usdc},
};
use opml_runtime::Model;
use solana_keypair::Keypair;
use solana_signer::Signer;

/// What reaches the pool of a report of 20 USDC: 30 percent for the holders, 15 percent to redeem.
const HOLDERS: u64 = usdc(6);
const REDEEM: u64 = usdc(3);

/// A model whose supply Alice and Bob hold two to one.
fn given_holders() -> (World, Cast, Model, Service) {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    world.given_token(&cast, &service.published);
    (world, cast, model, service)
}

/// A report of 20 USDC that is final and not yet split.
fn given_final(world: &mut World, cast: &Cast, model: &Model, service: Service) -> Case {
    let case = world.given_sealed(cast, service, vec![honest(model, 0, usdc(20))]);
    world.finalise(cast, &case.report);
    case
}

fn claim(world: &mut World, cast: &Cast, published: &Published, owner: &Pubkey) -> u64 {
    let before = world.usdc_of(owner);
    let claim = world.claim_of(published, &cast.stranger.pubkey(), owner);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    world.usdc_of(owner) - before
}

#[test]
fn given_a_stake_after_the_report_was_seen_when_it_is_split_then_it_earns_nothing() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    let bob = cast.bob.pubkey();
    // At the very end of an epoch, so that the wait is the shortest there is.
    world.pass_epochs(&published, 1);
    let epoch_slots = world.pool(&published).epoch_slots;
    world.pass_slots(epoch_slots - 2);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.given_stake(&published, &cast.bob, 333_333_333_333);
    // A dispute in the last slot of the window makes it as long as it can be.
    let own = opml_runtime::execute(&model, &case.asked[0].input).expect("the input fits the model");
    world.pass_slots(imo_tests::world::terms().window_slots);
    let mut duel = imo_tests::world::Duel::open(&mut world, &cast.rival, &case, 0, &model, &own);
    duel.time_out(&mut world, &cast.stranger);
    duel.settle(&mut world, &cast.stranger);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    let pool = world.pool(&published);
    assert_eq!(
        (pool.active_units, pool.owed_units, pool.redeem_units),
        (0, 0, HOLDERS + REDEEM)
    );
    world.pass_epochs(&published, 3);
    assert_eq!(claim(&mut world, &cast, &published, &bob), 0);
}

#[test]
fn given_a_lone_staker_of_one_unit_when_split_then_it_earns_its_part_and_no_more() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    world.given_stake(&published, &cast.alice, 1);
    world.pass_epochs(&published, 2);
    let case = given_final(&mut world, &cast, &model, service);
    world.split(&cast, &case.report);
    let pool = world.pool(&published);
    assert_eq!(
        (pool.active_units, pool.owed_units, pool.redeem_units),
        (1, 1, HOLDERS + REDEEM - 1),
        "a part of a unit is promised as a whole one, and not paid"
    );
    assert_eq!(claim(&mut world, &cast, &published, &cast.alice.pubkey()), 0);
}

#[test]
fn given_two_stakers_when_one_claims_often_and_late_then_both_have_their_part_once() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    let [alice, bob] = [&cast.alice, &cast.bob].map(Signer::pubkey);
    world.given_stake(&published, &cast.alice, SUPPLY / 2);
    world.given_stake(&published, &cast.bob, SUPPLY / 4);
    world.pass_epochs(&published, 2);
    let case = given_final(&mut world, &cast, &model, service);
    world.split(&cast, &case.report);
    // Each is rounded down to whole units; the two that this leaves stay in the pool.
    assert_eq!(claim(&mut world, &cast, &published, &alice), HOLDERS / 2 - 1);
    assert_eq!(
        claim(&mut world, &cast, &published, &alice),
        0,
        "a second claim has nothing to pay"
    );
    world.pass_epochs(&published, 5);
    assert_eq!(claim(&mut world, &cast, &published, &bob), HOLDERS / 4 - 1);
    assert_eq!(claim(&mut world, &cast, &published, &bob), 0);
    let pool = world.pool(&published);
    assert_eq!((pool.owed_units, pool.redeem_units), (2, HOLDERS / 4 + REDEEM));
}

#[test]
fn given_due_stake_when_a_split_leaves_out_its_mark_then_refused() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    world.given_stake(&published, &cast.alice, SUPPLY / 2);
    world.pass_epochs(&published, 2);
    let case = given_final(&mut world, &cast, &model, service);
    let whole = world.split_of(&cast, &case.report);
    let [Some(mark), None] = whole.due_marks else {
        panic!("one epoch is due")
    };
    let without = revenue_escrow::split(revenue_escrow::SplitReport {
        due_marks: [None; 2],
        ..whole
    });
    world
        .send(&[without], &[&cast.stranger])
        .expect_error(YieldError::EpochMarkMissing);
    // Given twice, the second writing would undo the first.
    let twice = revenue_escrow::split(revenue_escrow::SplitReport {
        due_marks: [Some(mark); 2],
        ..whole
    });
    world
        .send(&[twice], &[&cast.stranger])
        .expect_error(ErrorCode::ConstraintDuplicateMutableAccount);
    world.split(&cast, &case.report);
    assert_eq!(world.pool(&published).active_units, SUPPLY / 2);
}

#[test]
fn given_marks_when_a_stake_names_one_of_them_twice_then_refused() {
    let (mut world, cast, _, service) = given_holders();
    let published = service.published;
    world.given_stake(&published, &cast.alice, 10);
    world.pass_epochs(&published, 1);
    world.given_stake(&published, &cast.bob, 10);
    world.pass_epochs(&published, 1);
    // The mark of Alice's epoch is due, that of Bob's is not, and a stake now waits for a third.
    let stake = world.stake_of(&published, &cast.alice.pubkey(), 10);
    let pool = addresses::yield_distributor::pool(&published.model);
    let epoch = world.epoch(&published);
    let [due, not_due, new] = [0, 1, 2].map(|ahead| addresses::yield_distributor::epoch_mark(&pool, epoch + ahead));
    const MARK_A: usize = 6;
    const MARK_B: usize = 7;
    const POSITION_MARK: usize = 8;
    assert_eq!(stake.accounts[MARK_A].pubkey, due);
    assert_eq!(stake.accounts[5].pubkey, new);
    let writable = |mut instruction: Instruction| {
        instruction.accounts[MARK_A..=POSITION_MARK]
            .iter_mut()
            .for_each(|meta| meta.is_writable = true);
        instruction
    };
    for position in [MARK_B, POSITION_MARK] {
        let twice = writable(swap_at(&stake, position, &due));
        world
            .send(&[twice], &[&cast.alice])
            .expect_error(ErrorCode::ConstraintDuplicateMutableAccount);
    }
    // The mark that is being made, once more in another place. It is there from the first stake on.
    world.send(&[stake], &[&cast.alice]).expect_ok();
    let again = world.stake_of(&published, &cast.alice.pubkey(), 10);
    for position in [MARK_A, MARK_B, POSITION_MARK] {
        let twice = writable(swap_at(&again, position, &new));
        world
            .send(&[twice], &[&cast.alice])
            .expect_error(ErrorCode::ConstraintDuplicateMutableAccount);
    }
    // A mark that is not due does no harm.
    let early = writable(swap_at(&again, MARK_B, &not_due));
    world.send(&[early], &[&cast.alice]).expect_ok();
    assert_eq!(
        world.pool(&published).active_units,
        10,
        "only what was due has become active"
    );
}

#[test]
fn given_the_pool_when_somebody_else_than_the_escrow_deposits_then_refused() {
    let (mut world, cast, _, service) = given_holders();
    let published = service.published;
    let stranger = cast.stranger.pubkey();
    world.given_usdc(&stranger, usdc(1));
    let pool = addresses::yield_distributor::pool(&published.model);
    let accounts = ::yield_distributor::accounts::Deposit {
        depositor: stranger,
        source_authority: stranger,
        source: addresses::payment_account(&stranger, &world.usdc),
        pool,
        token_mint: addresses::model_token::mint(&published.model),
        revenue_mint: world.usdc,
        revenue_vault: addresses::yield_distributor::revenue_vault(&pool),
        mark_a: None,
        mark_b: None,
        token_program: anchor_spl::token::ID,
    };
    let data = ::yield_distributor::instruction::Deposit {
        holders_units: 1,
        redeem_units: 1,
    };
    let deposit = Instruction {
        program_id: ::yield_distributor::ID,
        accounts: accounts.to_account_metas(None),
        data: data.data(),
    };
    world
        .send(std::slice::from_ref(&deposit), &[&cast.stranger])
        .expect_error(YieldError::NotDepositor);
    let depositor = addresses::revenue_escrow::depositor();
    let pretended = unsigned(&swap_at(&deposit, 0, &depositor), &depositor);
    world
        .send(&[pretended], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotSigner);
}

#[test]
fn given_a_donation_to_every_vault_when_money_moves_then_nobody_is_owed_more() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    let pool = addresses::yield_distributor::pool(&published.model);
    let mint = world.usdc;
    for vault in [
        addresses::yield_distributor::revenue_vault(&pool),
        addresses::revenue_escrow::vault_tokens(&published.model),
        addresses::opml_oracle::stake_tokens(&mint),
    ] {
        world.given_usdc_at(&vault, usdc(7));
    }
    let case = given_final(&mut world, &cast, &model, service);
    world.split(&cast, &case.report);
    assert_eq!(world.pool(&published).redeem_units, HOLDERS + REDEEM);
    let bob = cast.bob.pubkey();
    let before = world.usdc_of(&bob);
    let redeem = yield_distributor::redeem(bob, bob, &world.pool(&published), 333_333_333_333);
    world.send(&[redeem], &[&cast.bob]).expect_ok();
    // A third of nine, rounded down.
    assert_eq!(world.usdc_of(&bob) - before, usdc(3) - 1);
}

#[test]
fn given_the_redeem_pool_when_tokens_are_burned_in_any_order_then_the_same_for_each() {
    let orders: [[usize; 3]; 2] = [[0, 1, 2], [2, 1, 0]];
    let paid = orders.map(|order| {
        let (mut world, cast, model, service) = given_holders();
        let published = service.published;
        let case = given_final(&mut world, &cast, &model, service);
        world.split(&cast, &case.report);
        let burns: [(&Keypair, u64); 3] = [
            (&cast.alice, 100_000_000_000),
            (&cast.bob, 333_333_333_333),
            (&cast.alice, 500_000_000_000),
        ];
        let mut paid = [0; 3];
        for index in order {
            let (owner, units) = burns[index];
            let before = world.usdc_of(&owner.pubkey());
            let redeem = yield_distributor::redeem(owner.pubkey(), owner.pubkey(), &world.pool(&published), units);
            world.send(&[redeem], &[owner]).expect_ok();
            paid[index] = world.usdc_of(&owner.pubkey()) - before;
        }
        paid
    });
    for (first, second) in paid[0].iter().zip(paid[1]) {
        assert!(first.abs_diff(second) <= 1, "{paid:?}");
    }
    assert_eq!(paid[0], [900_000, 2_999_999, 4_500_000]);
}

#[test]
fn given_tokens_that_were_burned_when_revenue_follows_then_the_others_share_all_of_it() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    let [alice, bob] = [&cast.alice, &cast.bob].map(Signer::pubkey);
    let case = given_final(&mut world, &cast, &model, service);
    world.split(&cast, &case.report);
    let redeem = yield_distributor::redeem(bob, bob, &world.pool(&published), 333_333_333_333);
    world.send(&[redeem], &[&cast.bob]).expect_ok();
    world.given_stake(&published, &cast.alice, SUPPLY / 2);
    world.pass_epochs(&published, 2);
    let case = given_final(&mut world, &cast, &model, case.service);
    world.split(&cast, &case.report);
    // Half of the tokens are three quarters of those that are left.
    assert_eq!(
        claim(&mut world, &cast, &published, &alice),
        HOLDERS / 4 * 3 - 1,
        "rounded down"
    );
}

#[test]
fn given_redeem_and_stake_when_the_tokens_are_not_there_then_refused() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    let [alice, bob] = [&cast.alice, &cast.bob].map(Signer::pubkey);
    let pool: Pool = world.pool(&published);
    let nothing = yield_distributor::redeem(bob, bob, &pool, 1_000);
    world
        .send(&[nothing], &[&cast.bob])
        .expect_error(YieldError::RedeemsNothing);
    let zero = yield_distributor::redeem(bob, bob, &pool, 0);
    world.send(&[zero], &[&cast.bob]).expect_error(YieldError::AmountIsZero);
    let too_much = yield_distributor::redeem(bob, bob, &pool, 333_333_333_334);
    world
        .send(&[too_much], &[&cast.bob])
        .expect_error(YieldError::NotEnoughTokens);
    let too_much = world.stake_of(&published, &bob, 333_333_333_334);
    world
        .send(&[too_much], &[&cast.bob])
        .expect_error(YieldError::NotEnoughTokens);

    // Staked tokens are not in the wallet.
    world.given_stake(&published, &cast.bob, 333_333_333_333);
    let case = given_final(&mut world, &cast, &model, service);
    world.split(&cast, &case.report);
    let staked = yield_distributor::redeem(bob, bob, &world.pool(&published), 1);
    world
        .send(&[staked], &[&cast.bob])
        .expect_error(YieldError::NotEnoughTokens);
    let position = world.position(&published, &bob).expect("Bob has staked");
    let more = yield_distributor::unstake(&world.pool(&published), &position, 333_333_333_334);
    world
        .send(&[more], &[&cast.bob])
        .expect_error(YieldError::StakeTooSmall);
    let close = yield_distributor::close_position(&position);
    world
        .send(&[close], &[&cast.stranger])
        .expect_error(YieldError::PositionNotEmpty);

    // Somebody else's position, tokens and yield.
    let unstake = yield_distributor::unstake(&world.pool(&published), &position, 1);
    let mint = addresses::model_token::mint(&published.model);
    let [of_alice, of_bob] = [alice, bob].map(|owner| addresses::token_account(&owner, &mint));
    let by_alice = swap(&swap(&unstake, &bob, &alice), &of_bob, &of_alice);
    world
        .send(&[by_alice], &[&cast.alice])
        .expect_error(ErrorCode::ConstraintSeeds);
    let claim = world.claim_of(&published, &alice, &bob);
    let [to_alice, to_bob] = [alice, bob].map(|owner| addresses::payment_account(&owner, &world.usdc));
    world
        .send(&[swap(&claim, &to_bob, &to_alice)], &[&cast.alice])
        .expect_error(ErrorCode::ConstraintTokenOwner);
}

#[test]
fn given_a_frozen_holder_when_claimed_then_settled_and_still_owed() {
    let (mut world, cast, model, service) = given_holders();
    let published = service.published;
    let alice = cast.alice.pubkey();
    world.given_stake(&published, &cast.alice, SUPPLY / 2);
    world.pass_epochs(&published, 2);
    let case = given_final(&mut world, &cast, &model, service);
    world.split(&cast, &case.report);
    let account = addresses::payment_account(&alice, &world.usdc);
    world.set_frozen(&account, true);
    assert_eq!(claim(&mut world, &cast, &published, &alice), 0);
    assert_eq!(world.pool(&published).owed_units, HOLDERS / 2);
    world.set_frozen(&account, false);
    assert_eq!(claim(&mut world, &cast, &published, &alice), HOLDERS / 2 - 1);
}
