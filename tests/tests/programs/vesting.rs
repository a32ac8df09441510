//! Tokens that are bought and not free yet: when they come, what they earn meanwhile, and what floors leave.

use ::model_token::{
    errors::ModelTokenError,
    state::{Offering, VestingTerms},
};
use ::yield_distributor::errors::YieldError;
use anchor_lang::{
    InstructionData, ToAccountMetas,
    error::ErrorCode,
    prelude::Pubkey,
    solana_program::instruction::{AccountMeta, Instruction},
};
use imo_client::{
    addresses,
    instructions::{model_token, yield_distributor},
};
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, swap_at},
    models::{dense, honest},
    world::{ALICE_COMMITS, AT_ONCE, BOB_COMMITS, DEVELOPER_TOKENS, Published, SUPPLY, Service, usdc},
};
use opml_runtime::Model;
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

/// What a report of 20 USDC brings the vesting tokens, of which there are 800,000 in a supply of a million: that part of 30 percent.
const VESTING_YIELD: u64 = usdc(6) / 10 * 8;
/// What is free at once and what vests of the 533,333.333333 and 266,666.666666 tokens that Alice and Bob bought, each rounded down.
const ALICE_FREE: u64 = 133_333_333_333;
const ALICE_VESTS: u64 = 399_999_999_999;
const BOB_FREE: u64 = 66_666_666_666;
const BOB_VESTS: u64 = 199_999_999_999;

/// A settled offering in which three quarters of what Alice and Bob bought vest, and a fifth of the supply is the developer's. Nothing is claimed.
fn given_settled() -> (World, Cast, Model, Service) {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let published = service.published;
    let args = world.vesting_args();
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, ALICE_COMMITS);
    world.given_commitment(&published, &cast.bob, BOB_COMMITS);
    world.given_settled(&cast, &published);
    world.given_pool(&cast, &published);
    (world, cast, model, service)
}

/// A report of 20 USDC is split.
fn given_revenue(world: &mut World, cast: &Cast, model: &Model, service: Service, seed: u64) -> Service {
    let case = world.given_sealed(cast, service, vec![honest(model, seed, usdc(20))]);
    world.finalise(cast, &case.report);
    world.split(cast, &case.report);
    case.service
}

fn release(world: &mut World, cast: &Cast, published: &Published, investor: &Pubkey) -> u64 {
    let before = world.model_tokens_of(published, investor);
    let release = world.release_of(published, investor);
    world.send(&[release], &[&cast.stranger]).expect_ok();
    world.model_tokens_of(published, investor) - before
}

fn claim(world: &mut World, cast: &Cast, published: &Published, investor: &Pubkey) -> u64 {
    let claim = world.claim_vesting_of(cast, published, investor);
    let before = world.usdc_of(investor);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    world.usdc_of(investor) - before
}

#[test]
fn given_a_schedule_when_time_passes_then_every_unit_comes_when_it_is_free_and_once() {
    let (mut world, cast, _, service) = given_settled();
    let published = service.published;
    let [alice, bob] = [&cast.alice, &cast.bob].map(Signer::pubkey);
    world.given_claimed(&cast, &published, &[&cast.alice, &cast.bob]);
    assert_eq!(world.model_tokens_of(&published, &alice), ALICE_FREE);
    assert_eq!(world.model_tokens_of(&published, &bob), BOB_FREE);
    let again = model_token::claim_commitment(world.claimed(&published, &alice));
    world
        .send(&[again], &[&cast.stranger])
        .expect_error(ModelTokenError::AlreadyClaimed);

    // The cliff is at 1,000 seconds, the end at 11,000.
    for seconds in [999, 1_000] {
        world.pass_until_settled(&published, seconds);
        let early = world.release_of(&published, &alice);
        world
            .send(&[early], &[&cast.stranger])
            .expect_error(ModelTokenError::NothingToRelease);
    }
    world.pass_until_settled(&published, 1_001);
    assert_eq!(release(&mut world, &cast, &published, &alice), ALICE_VESTS / 10_000);
    let again = world.release_of(&published, &alice);
    world
        .send(&[again], &[&cast.stranger])
        .expect_error(ModelTokenError::NothingToRelease);
    world.pass_until_settled(&published, 6_000);
    assert_eq!(
        release(&mut world, &cast, &published, &alice),
        ALICE_VESTS / 2 - ALICE_VESTS / 10_000
    );
    world.pass_until_settled(&published, 10_999);
    release(&mut world, &cast, &published, &alice);
    world.pass_until_settled(&published, 11_000);
    let pool = world.pool(&published);
    let left = world.vesting(&published, &alice).units;
    // The last unit closes the commitment, whose rent goes back to who paid it.
    let commitment = addresses::model_token::commitment(&addresses::model_token::offering(&published.model), &alice);
    let (rent, lamports) = (world.lamports(&commitment), world.lamports(&alice));
    assert_eq!(release(&mut world, &cast, &published, &alice), left);
    assert!(!world.exists(&commitment));
    assert_eq!(world.lamports(&alice), lamports + rent);
    assert_eq!(world.model_tokens_of(&published, &alice), ALICE_FREE + ALICE_VESTS);
    assert_eq!(world.pool(&published).active_units, pool.active_units - left);
    assert_eq!(world.pool(&published).vesting_units, pool.vesting_units - left);

    // Who never called is not worse off.
    assert_eq!(release(&mut world, &cast, &published, &bob), BOB_VESTS);
    let left = DEVELOPER_TOKENS + 2;
    assert_eq!(
        world.pool(&published).vesting_units,
        left,
        "the developer's, and what floors left"
    );
}

#[test]
fn given_vesting_tokens_when_revenue_comes_then_they_earn_from_the_settlement_however_late_anybody_is() {
    let (mut world, cast, model, service) = given_settled();
    let published = service.published;
    let [alice, bob, developer] = [&cast.alice, &cast.bob, &cast.developer].map(Signer::pubkey);
    // Nothing is claimed yet, and everything earns.
    let service = given_revenue(&mut world, &cast, &model, service, 0);
    let pool = world.pool(&published);
    assert_eq!(
        (pool.active_units, pool.vesting_units),
        (800_000_000_000, 800_000_000_000)
    );
    assert_eq!(
        (pool.owed_units, pool.redeem_units),
        (VESTING_YIELD, usdc(9) - VESTING_YIELD)
    );
    world.given_claimed(&cast, &published, &[&cast.alice]);
    assert_eq!(claim(&mut world, &cast, &published, &alice), VESTING_YIELD / 2 - 1);
    assert_eq!(claim(&mut world, &cast, &published, &alice), 0);

    // What was released before the second report earns no more; what was not does.
    world.pass_until_settled(&published, 6_000);
    let freed = release(&mut world, &cast, &published, &alice);
    assert_eq!(freed, ALICE_VESTS / 2);
    given_revenue(&mut world, &cast, &model, service, 1);
    assert_eq!(claim(&mut world, &cast, &published, &alice), VESTING_YIELD / 4 - 1);
    world.given_claimed(&cast, &published, &[&cast.bob]);
    assert_eq!(claim(&mut world, &cast, &published, &bob), VESTING_YIELD / 2 - 1);
    let yield_of_developer = world.claim_developer_of(&cast, &published, &developer);
    world.send(&[yield_of_developer], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&developer), VESTING_YIELD / 2 - 1);
}

#[test]
fn given_a_vesting_account_when_it_is_opened_again_then_never_while_it_earns_and_never_after() {
    let (mut world, cast, model, service) = given_settled();
    let published = service.published;
    let (alice, stranger) = (cast.alice.pubkey(), cast.stranger.pubkey());
    let open = yield_distributor::open_vesting(stranger, &world.pool(&published), alice);
    world
        .send(std::slice::from_ref(&open), &[&cast.stranger])
        .expect_error(YieldError::CommitmentUnclaimed);
    world.given_claimed(&cast, &published, &[&cast.alice]);
    world
        .send(std::slice::from_ref(&open), &[&cast.stranger])
        .expect_error(ALREADY_IN_USE);
    given_revenue(&mut world, &cast, &model, service, 0);
    let close = yield_distributor::close_vesting(&world.vesting(&published, &alice));
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(YieldError::VestingNotEmpty);
    world.pass_until_settled(&published, 11_000);
    release(&mut world, &cast, &published, &alice);
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(YieldError::VestingNotEmpty);
    assert_eq!(claim(&mut world, &cast, &published, &alice), VESTING_YIELD / 2 - 1);
    let vesting = world.vesting(&published, &alice);
    let to_somebody_else = swap_at(&close, 1, &alice);
    world
        .send(&[to_somebody_else], &[&cast.stranger])
        .expect_error(YieldError::WrongRentPayer);
    world.send(&[close], &[&cast.stranger]).expect_ok();
    assert_eq!(vesting.rent_payer, stranger);
    world
        .send(&[open], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
}

#[test]
fn given_nothing_that_vests_when_a_vesting_account_is_wanted_then_there_is_none() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    world.given_token(&cast, &published);
    assert_eq!(world.pool(&published).vesting_units, 0);
    let open = yield_distributor::open_vesting(cast.stranger.pubkey(), &world.pool(&published), cast.alice.pubkey());
    world
        .send(&[open], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
}

#[test]
fn given_the_developers_tokens_when_the_pool_is_made_without_their_account_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let [with, without] = [0, 1].map(|index| world.given_model_number(&cast, index, &dense(&[4, 3])));
    let args = world.vesting_args();
    world.given_offering_of(&cast, &with, args);
    world.given_offering(&cast, &without);
    for published in [&with, &without] {
        world.given_commitment(published, &cast.alice, ALICE_COMMITS);
    }
    for published in [&with, &without] {
        world.given_settled(&cast, published);
    }
    let leaves_out = Offering {
        developer_units: 0,
        ..world.offering(&with)
    };
    let adds = Offering {
        developer_units: 1,
        ..world.offering(&without)
    };
    for offering in [leaves_out, adds] {
        let create = yield_distributor::create_pool(cast.stranger.pubkey(), &offering);
        world
            .send(&[create], &[&cast.stranger])
            .expect_error(YieldError::DeveloperVestingMissing);
    }
    world.given_pool(&cast, &with);
    assert_eq!(world.vesting(&with, &with.model).units, DEVELOPER_TOKENS);
}

#[test]
fn given_vested_tokens_when_somebody_else_calls_for_them_then_they_go_to_their_owner_or_nowhere() {
    let (mut world, cast, _, service) = given_settled();
    let published = service.published;
    let [alice, bob] = [&cast.alice, &cast.bob].map(Signer::pubkey);
    world.given_claimed(&cast, &published, &[&cast.alice, &cast.bob]);
    world.pass_until_settled(&published, 6_000);
    let honest = world.release_of(&published, &alice);
    let mint = addresses::model_token::mint(&published.model);
    let offering = addresses::model_token::offering(&published.model);
    let pool = addresses::yield_distributor::pool(&published.model);
    let [to_alice, to_bob] = [alice, bob].map(|owner| addresses::token_account(&owner, &mint));
    let [vesting_of_alice, vesting_of_bob] =
        [alice, bob].map(|owner| addresses::yield_distributor::vesting(&pool, &owner));
    let [of_alice, of_bob] = [alice, bob].map(|owner| addresses::model_token::commitment(&offering, &owner));
    for (changed, code) in [
        (
            swap(&honest, &to_alice, &to_bob),
            ErrorCode::ConstraintTokenOwner.into(),
        ),
        (
            swap(&honest, &vesting_of_alice, &vesting_of_bob),
            ErrorCode::ConstraintSeeds.into(),
        ),
        (swap(&honest, &of_alice, &of_bob), ErrorCode::ConstraintSeeds.into()),
        (swap_at(&honest, 5, &bob), ModelTokenError::WrongRentPayer.into()),
    ] {
        let code: u32 = code;
        world.send(&[changed], &[&cast.stranger]).expect_error(code);
    }
    // Without the distributor, whose pool has to know of it, nobody releases anything.
    let accounts = ::model_token::accounts::ReleaseCommitment {
        releaser: bob,
        offering,
        commitment: of_bob,
        investor: bob,
        rent_payer: bob,
        mint,
        token_vault: addresses::model_token::token_vault(&offering),
        investor_tokens: to_bob,
        token_program: anchor_spl::token_2022::ID,
    };
    let directly = Instruction {
        program_id: ::model_token::ID,
        accounts: accounts.to_account_metas(None),
        data: ::model_token::instruction::ReleaseCommitment {
            amount_units: BOB_VESTS / 2,
        }
        .data(),
    };
    world
        .send(std::slice::from_ref(&directly), &[&cast.bob])
        .expect_error(ModelTokenError::NotReleaser);
    let mut as_releaser = swap_at(&directly, 0, &::model_token::constants::RELEASER);
    as_releaser.accounts[0] = AccountMeta::new_readonly(::model_token::constants::RELEASER, false);
    world
        .send(&[as_releaser], &[&cast.bob])
        .expect_error(ErrorCode::AccountNotSigner);
    world.send(&[honest], &[&cast.stranger]).expect_ok();
}

#[test]
fn given_a_frozen_investor_when_its_yield_is_claimed_then_settled_and_still_owed() {
    let (mut world, cast, model, service) = given_settled();
    let published = service.published;
    let alice = cast.alice.pubkey();
    world.given_claimed(&cast, &published, &[&cast.alice]);
    given_revenue(&mut world, &cast, &model, service, 0);
    let account = addresses::payment_account(&alice, &world.usdc);
    world.set_frozen(&account, true);
    assert_eq!(claim(&mut world, &cast, &published, &alice), 0);
    assert_eq!(world.vesting(&published, &alice).owed_units, VESTING_YIELD / 2 - 1);
    world.set_frozen(&account, false);
    assert_eq!(claim(&mut world, &cast, &published, &alice), VESTING_YIELD / 2 - 1);
}

#[test]
fn given_what_floors_left_when_everything_is_claimed_then_burned_and_redeemable_and_only_once() {
    let (mut world, cast, model, service) = given_settled();
    let published = service.published;
    // Two of the units that earn are nobody's. What they earned is less than a unit.
    given_revenue(&mut world, &cast, &model, service, 0);
    let sweep = yield_distributor::sweep_dust(&world.pool(&published));
    world.given_claimed(&cast, &published, &[&cast.alice]);
    world
        .send(std::slice::from_ref(&sweep), &[&cast.stranger])
        .expect_error(ModelTokenError::CommitmentsUnclaimed);
    world.given_claimed(&cast, &published, &[&cast.bob]);
    let (offering, pool) = (world.offering(&published), world.pool(&published));
    let dust = offering.dust().expect("everything is claimed");
    assert_eq!((dust.tokens_units, dust.vesting_units, dust.payment_units), (3, 2, 1));
    world.send(std::slice::from_ref(&sweep), &[&cast.stranger]).expect_ok();
    let swept = world.pool(&published);
    assert_eq!(swept.redeem_units, pool.redeem_units + 1);
    assert_eq!(
        (swept.vesting_units, swept.active_units),
        (pool.vesting_units - 2, pool.active_units - 2)
    );
    assert_eq!(swept.vesting_units, DEVELOPER_TOKENS + ALICE_VESTS + BOB_VESTS);
    let mint = addresses::model_token::mint(&published.model);
    let supply: anchor_spl::token_interface::Mint = world.read(&mint);
    assert_eq!(supply.supply, SUPPLY - 3);
    let address = addresses::model_token::offering(&published.model);
    let proceeds = world.tokens(&addresses::model_token::payment_vault(&address));
    assert_eq!(proceeds, offering.accepted_units, "nothing is there but the proceeds");
    world
        .send(&[sweep], &[&cast.stranger])
        .expect_error(ModelTokenError::DustSwept);
}

#[test]
fn given_a_cliff_alone_when_it_ends_then_all_at_once() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let args = ::model_token::instructions::OpenOfferingArgs {
        buyer_vesting: VestingTerms {
            immediate_bps: 0,
            cliff_seconds: 500,
            linear_seconds: 0,
        },
        tranches: vec![AT_ONCE],
        ..world.offering_args()
    };
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, ALICE_COMMITS);
    world.given_settled(&cast, &published);
    world.given_pool(&cast, &published);
    world.given_claimed(&cast, &published, &[&cast.alice]);
    let alice = cast.alice.pubkey();
    assert_eq!(world.model_tokens_of(&published, &alice), 0);
    world.pass_until_settled(&published, 499);
    let early = world.release_of(&published, &alice);
    world
        .send(&[early], &[&cast.stranger])
        .expect_error(ModelTokenError::NothingToRelease);
    world.pass_until_settled(&published, 500);
    assert_eq!(release(&mut world, &cast, &published, &alice), SUPPLY);
    assert_eq!(world.pool(&published).active_units, 0);
}
