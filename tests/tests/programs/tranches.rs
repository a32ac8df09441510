//! Proceeds that have to wait or to be earned.

use ::model_token::{
    errors::ModelTokenError,
    state::{TrancheCondition, TrancheState},
};
use ::yield_distributor::errors::YieldError;
use anchor_lang::{InstructionData, ToAccountMetas, prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    instructions::{model_token, yield_distributor},
};
use imo_protocol::ModelVault;
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, swap_at},
    models::{dense, honest},
    world::{ALICE_COMMITS, DEVELOPER_TOKENS, MAX_RAISE, Published, SUPPLY, TRANCHE_ASKS, TRANCHE_SECONDS, usdc},
};
use solana_signer::Signer;

const DEADLINE: i64 = TRANCHE_SECONDS as i64;

/// A settled offering whose proceeds are paid half at once and half when others were paid as much. The pool is there.
fn given_settled() -> (World, Cast, Published) {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let args = world.vesting_args();
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, ALICE_COMMITS);
    world.given_settled(&cast, &published);
    world.given_pool(&cast, &published);
    (world, cast, published)
}

fn supply(world: &World, published: &Published) -> u64 {
    let mint: anchor_spl::token_interface::Mint = world.read(&addresses::model_token::mint(&published.model));
    mint.supply
}

#[test]
fn given_two_tranches_when_others_are_paid_then_the_second_unlocks_with_the_last_unit_and_each_is_paid_once() {
    let (mut world, cast, published) = given_settled();
    let developer = cast.developer.pubkey();
    let [first, second, third] = [0, 1, 2].map(|index| world.withdraw_tranche_of(&cast, &published, index));
    world
        .send(std::slice::from_ref(&second), &[&cast.developer])
        .expect_error(ModelTokenError::TrancheLocked);
    world.send(std::slice::from_ref(&first), &[&cast.developer]).expect_ok();
    assert_eq!(world.usdc_of(&developer), MAX_RAISE / 2);
    world
        .send(&[first], &[&cast.developer])
        .expect_error(ModelTokenError::NothingToWithdraw);
    world
        .send(&[third], &[&cast.developer])
        .expect_error(ModelTokenError::NoSuchTranche);
    world.given_paid_to_others(&published, TRANCHE_ASKS - 1);
    world
        .send(std::slice::from_ref(&second), &[&cast.developer])
        .expect_error(ModelTokenError::TrancheLocked);
    world.given_paid_to_others(&published, TRANCHE_ASKS);
    // Another model's count is not this one's.
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    let vault = addresses::revenue_escrow::vault(&published.model);
    let foreign = swap(&second, &vault, &addresses::revenue_escrow::vault(&other.model));
    world
        .send(&[foreign], &[&cast.developer])
        .expect_error(anchor_lang::error::ErrorCode::ConstraintSeeds);
    world
        .send(std::slice::from_ref(&second), &[&cast.developer])
        .expect_ok();
    assert_eq!(world.usdc_of(&developer), MAX_RAISE);
    world
        .send(&[second], &[&cast.developer])
        .expect_error(ModelTokenError::NothingToWithdraw);
    let miss = world.miss_of(&published, 1);
    world.pass_until_settled(&published, DEADLINE + 1);
    world
        .send(&[miss], &[&cast.stranger])
        .expect_error(ModelTokenError::NothingToWithdraw);
}

#[test]
fn given_a_deadline_when_it_passes_without_revenue_then_the_tranche_is_redeemable_and_the_developers_tokens_are_gone() {
    let (mut world, cast, published) = given_settled();
    let miss = world.miss_of(&published, 1);
    for seconds in [DEADLINE - 1, DEADLINE] {
        world.pass_until_settled(&published, seconds);
        world
            .send(std::slice::from_ref(&miss), &[&cast.stranger])
            .expect_error(ModelTokenError::TrancheNotMissed);
    }
    world.given_paid_to_others(&published, TRANCHE_ASKS - 1);
    world.pass_until_settled(&published, DEADLINE + 1);
    let before = world.pool(&published);
    // The pool has to know that the developer's tokens earn no more.
    let without_vesting = swap_at(&miss, 1, &::yield_distributor::ID);
    world
        .send(&[without_vesting], &[&cast.stranger])
        .expect_error(YieldError::DeveloperVestingMissing);
    world.send(std::slice::from_ref(&miss), &[&cast.stranger]).expect_ok();
    let after = world.pool(&published);
    assert_eq!(after.redeem_units, before.redeem_units + MAX_RAISE / 2);
    assert_eq!(after.vesting_units, before.vesting_units - DEVELOPER_TOKENS);
    assert_eq!(after.active_units, before.active_units - DEVELOPER_TOKENS);
    assert_eq!(supply(&world, &published), SUPPLY - DEVELOPER_TOKENS);
    assert_eq!(world.vesting(&published, &published.model).units, 0);
    let offering = world.offering(&published);
    assert_eq!(offering.tranches[1].state, TrancheState::Missed);
    assert_eq!(
        (offering.developer_burned_units, offering.developer_units),
        (DEVELOPER_TOKENS, DEVELOPER_TOKENS)
    );

    let again = world.miss_of(&published, 1);
    world
        .send(&[again], &[&cast.stranger])
        .expect_error(ModelTokenError::TrancheMissed);
    // Too late is too late; the time tranche is the developer's all the same.
    world.given_paid_to_others(&published, TRANCHE_ASKS);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 1);
    world
        .send(&[withdraw], &[&cast.developer])
        .expect_error(ModelTokenError::TrancheMissed);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 0);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
    world.pass_until_settled(&published, 40_000);
    let release = world.release_developer_of(&published, &cast.developer.pubkey());
    world
        .send(&[release], &[&cast.stranger])
        .expect_error(ModelTokenError::NothingToRelease);
    // Who burns half of what is left has half of the tranche.
    let redeemable = world.pool(&published).redeem_units;
    world.given_claimed(&cast, &published, &[&cast.alice]);
    let release = world.release_of(&published, &cast.alice.pubkey());
    world.send(&[release], &[&cast.stranger]).expect_ok();
    let before = world.usdc_of(&cast.alice.pubkey());
    let redeem = yield_distributor::redeem(
        cast.alice.pubkey(),
        cast.alice.pubkey(),
        &world.pool(&published),
        (SUPPLY - DEVELOPER_TOKENS) / 2,
    );
    world.send(&[redeem], &[&cast.alice]).expect_ok();
    assert_eq!(world.usdc_of(&cast.alice.pubkey()) - before, redeemable / 2);
}

#[test]
fn given_a_tranche_that_waits_for_time_when_anybody_calls_it_missed_then_never() {
    let (mut world, cast, published) = given_settled();
    world.pass_until_settled(&published, 1_000_000);
    let miss = world.miss_of(&published, 0);
    world
        .send(&[miss], &[&cast.stranger])
        .expect_error(ModelTokenError::TrancheNotMissed);
}

#[test]
fn given_revenue_in_time_when_the_developer_is_slow_then_nothing_is_missed() {
    let (mut world, cast, published) = given_settled();
    world.given_paid_to_others(&published, TRANCHE_ASKS);
    world.pass_until_settled(&published, 100 * DEADLINE);
    let miss = world.miss_of(&published, 1);
    world
        .send(&[miss], &[&cast.stranger])
        .expect_error(ModelTokenError::TrancheNotMissed);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 1);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
}

#[test]
fn given_an_undecided_tranche_when_the_developers_tokens_have_vested_then_they_wait_for_it() {
    let (mut world, cast, published) = given_settled();
    let developer = cast.developer.pubkey();
    world.pass_until_settled(&published, 40_000);
    let release = world.release_developer_of(&published, &developer);
    world
        .send(std::slice::from_ref(&release), &[&cast.stranger])
        .expect_error(ModelTokenError::TranchesUndecided);
    world.given_paid_to_others(&published, TRANCHE_ASKS);
    world
        .send(std::slice::from_ref(&release), &[&cast.stranger])
        .expect_error(ModelTokenError::TranchesUndecided);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 1);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
    world
        .send(std::slice::from_ref(&release), &[&cast.stranger])
        .expect_ok();
    assert_eq!(world.model_tokens_of(&published, &developer), DEVELOPER_TOKENS);
    world
        .send(&[release], &[&cast.stranger])
        .expect_error(ModelTokenError::NothingToRelease);
}

#[test]
fn given_a_schedule_of_the_developer_when_time_passes_then_nothing_before_the_cliff_and_every_unit_once() {
    let (mut world, cast, published) = given_settled();
    let developer = cast.developer.pubkey();
    world.given_paid_to_others(&published, TRANCHE_ASKS);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 1);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
    let release = world.release_developer_of(&published, &developer);
    for seconds in [19_999, 20_000] {
        world.pass_until_settled(&published, seconds);
        world
            .send(std::slice::from_ref(&release), &[&cast.stranger])
            .expect_error(ModelTokenError::NothingToRelease);
    }
    for (seconds, tokens) in [
        (20_001, DEVELOPER_TOKENS / 20_000),
        (30_000, DEVELOPER_TOKENS / 2),
        (40_000, DEVELOPER_TOKENS),
    ] {
        world.pass_until_settled(&published, seconds);
        world
            .send(std::slice::from_ref(&release), &[&cast.stranger])
            .expect_ok();
        assert_eq!(world.model_tokens_of(&published, &developer), tokens);
        assert_eq!(
            world.vesting(&published, &published.model).units,
            DEVELOPER_TOKENS - tokens
        );
    }
}

#[test]
fn given_yield_of_the_developers_tokens_when_they_are_burned_then_what_they_earned_before_is_still_owed() {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[4, 3]);
    let service = world.given_service(&cast, &runtime);
    let published = service.published;
    let args = world.vesting_args();
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, ALICE_COMMITS);
    world.given_settled(&cast, &published);
    world.given_pool(&cast, &published);
    let case = world.given_sealed(&cast, service, vec![honest(&runtime, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    world.pass_until_settled(&published, DEADLINE + 1);
    // The escrow's vault is there and has not counted enough.
    world.given_paid_to_others(&published, 1);
    let miss = world.miss_of(&published, 1);
    world.send(&[miss], &[&cast.stranger]).expect_ok();
    let developer = cast.developer.pubkey();
    let claim = world.claim_developer_of(&cast, &published, &developer);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&developer), usdc(6) / 5 - 1);
    let close = yield_distributor::close_vesting(&world.vesting(&published, &published.model));
    world.send(&[close], &[&cast.stranger]).expect_ok();
}

#[test]
fn given_a_missed_tranche_when_somebody_calls_the_token_program_directly_then_refused() {
    let (mut world, cast, published) = given_settled();
    world.pass_until_settled(&published, DEADLINE + 1);
    let stranger = cast.stranger.pubkey();
    world.given_payment_account(&cast, &stranger);
    let offering = addresses::model_token::offering(&published.model);
    let [payment_vault, token_vault] = [
        addresses::model_token::payment_vault(&offering),
        addresses::model_token::token_vault(&offering),
    ];
    let recipient = addresses::payment_account(&stranger, &world.usdc);
    let miss = ::model_token::accounts::MissTranche {
        releaser: stranger,
        offering,
        payment_mint: world.usdc,
        payment_vault,
        recipient,
        model_vault: addresses::revenue_escrow::vault(&published.model),
        mint: addresses::model_token::mint(&published.model),
        token_vault,
        payment_token_program: anchor_spl::token::ID,
        token_program: anchor_spl::token_2022::ID,
    };
    let sweep = ::model_token::accounts::SweepDust {
        releaser: stranger,
        offering,
        payment_mint: world.usdc,
        payment_vault,
        recipient,
        mint: addresses::model_token::mint(&published.model),
        token_vault,
        payment_token_program: anchor_spl::token::ID,
        token_program: anchor_spl::token_2022::ID,
    };
    let developer_tokens = addresses::token_account(&stranger, &addresses::model_token::mint(&published.model));
    world.given_token_account(&stranger, &addresses::model_token::mint(&published.model));
    let release = ::model_token::accounts::ReleaseDeveloper {
        releaser: stranger,
        model: published.model,
        developer: stranger,
        offering,
        mint: addresses::model_token::mint(&published.model),
        token_vault,
        developer_tokens,
        token_program: anchor_spl::token_2022::ID,
    };
    let calls = [
        (
            miss.to_account_metas(None),
            ::model_token::instruction::MissTranche { index: 1 }.data(),
        ),
        (
            sweep.to_account_metas(None),
            ::model_token::instruction::SweepDust {}.data(),
        ),
        (
            release.to_account_metas(None),
            ::model_token::instruction::ReleaseDeveloper { amount_units: 1 }.data(),
        ),
    ];
    for (accounts, data) in calls {
        let directly = Instruction {
            program_id: ::model_token::ID,
            accounts,
            data,
        };
        world
            .send(&[directly], &[&cast.stranger])
            .expect_error(ModelTokenError::NotReleaser);
    }
}

#[test]
fn given_a_failed_offering_when_a_tranche_is_wanted_then_there_is_none() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let args = world.vesting_args();
    world.given_offering_of(&cast, &published, args);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 0);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.developer])
        .expect_error(ModelTokenError::OfferingNotSettled);
    world.given_settled(&cast, &published);
    world
        .send(&[withdraw], &[&cast.developer])
        .expect_error(ModelTokenError::OfferingFailed);
    let stranger: Pubkey = cast.stranger.pubkey();
    world.given_payment_account(&cast, &stranger);
    let by_stranger = model_token::withdraw_tranche(stranger, published.model, world.usdc, 0);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
}

#[test]
fn given_a_developer_who_pays_for_its_own_model_when_the_tranche_unlocks_then_others_have_as_much_as_it_pays() {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[4, 3]);
    let service = world.given_service(&cast, &runtime);
    let published = service.published;
    // Of 20 USDC the pool has 9, of which four fifths of the supply are others', and the protocol 1.
    let counted = usdc(9) / 5 * 4 + usdc(1);
    let mut args = world.vesting_args();
    args.min_raise_units = counted * 2;
    args.max_raise_units = counted * 2;
    args.tranches[1].condition = TrancheCondition::Revenue {
        others_units: counted,
        deadline_seconds: TRANCHE_SECONDS,
    };
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, counted * 2);
    world.given_settled(&cast, &published);
    world.given_pool(&cast, &published);
    let case = world.given_sealed(&cast, service, vec![honest(&runtime, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 1);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.developer])
        .expect_error(ModelTokenError::TrancheLocked);
    world.split(&cast, &case.report);
    let vault: ModelVault = world.read(&addresses::revenue_escrow::vault(&published.model));
    assert_eq!(vault.paid_to_others_units, counted);
    world.send(&[withdraw], &[&cast.developer]).expect_ok();
    assert_eq!(world.usdc_of(&cast.developer.pubkey()), counted);
}
