//! Yield paid to another account than the owner's own, by the owner or a delegate; and holders that are programs.

use ::yield_distributor::{errors::YieldError, state::ClaimDelegation};
use anchor_lang::{error::ErrorCode, prelude::Pubkey};
use anchor_spl::token::spl_token::error::TokenError;
use imo_client::{
    addresses,
    instructions::{model_token, yield_distributor},
};
use imo_tests::{
    Cast, Outcome, World,
    attack::{swap, unsigned},
    models::{dense, honest},
    multisig::{self, by_multisig},
    world::{MAX_RAISE, Published, SUPPLY, usdc},
};
use solana_signer::Signer;

/// What a staker of half the supply earns of a report of 20: half of the holders' 30 percent, rounded down to whole units for the position.
const YIELD: u64 = usdc(3) - 1;

/// Alice has staked half of the supply, and a report of 20 is split.
fn given_yield() -> (World, Cast, Published) {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let published = service.published;
    world.given_token(&cast, &published);
    world.given_stake(&published, &cast.alice, SUPPLY / 2);
    world.pass_epochs(&published, 2);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    (world, cast, published)
}

/// Somebody's associated account for the revenue, which is there.
fn account_of(world: &mut World, cast: &Cast, owner: &Pubkey) -> Pubkey {
    world.given_payment_account(cast, owner);
    addresses::payment_account(owner, &world.usdc)
}

/// Alice names a delegate and where to. Returns the delegation.
fn given_delegate(
    world: &mut World,
    cast: &Cast,
    published: &Published,
    delegate: &Pubkey,
    destination: Pubkey,
) -> ClaimDelegation {
    let (alice, pool) = (
        cast.alice.pubkey(),
        addresses::yield_distributor::pool(&published.model),
    );
    let set = yield_distributor::set_claim_delegate(alice, alice, pool, *delegate, destination);
    world.send(&[set], &[&cast.alice]).expect_ok();
    world.read(&addresses::yield_distributor::claim_delegation(&pool, &alice))
}

#[test]
fn given_yield_when_its_owner_claims_to_another_account_then_all_of_it_is_there_once() {
    let (mut world, cast, published) = given_yield();
    let [alice, rival] = [&cast.alice, &cast.rival].map(Signer::pubkey);
    let destination = account_of(&mut world, &cast, &rival);
    let position = world.position(&published, &alice).expect("Alice has staked");
    let claim = yield_distributor::claim_to(&world.pool(&published), &position, destination);
    let own = world.usdc_of(&alice);
    world.send(std::slice::from_ref(&claim), &[&cast.alice]).expect_ok();
    assert_eq!((world.tokens(&destination), world.usdc_of(&alice)), (YIELD, own));
    assert_eq!(world.pool(&published).owed_units, 1, "the dust stays in the pool");

    // A second time, and anyone's crank, find nothing.
    let position = world.position(&published, &alice).expect("Alice has staked");
    let again = yield_distributor::claim_to(&world.pool(&published), &position, destination);
    world
        .send(&[again], &[&cast.alice])
        .expect_error(YieldError::NothingToClaim);
    let crank = world.claim_of(&published, &cast.stranger.pubkey(), &alice);
    world.send(&[crank], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&alice), own);
}

#[test]
fn given_yield_when_somebody_else_claims_it_to_an_account_of_theirs_then_refused() {
    let (mut world, cast, published) = given_yield();
    let [alice, stranger] = [&cast.alice, &cast.stranger].map(Signer::pubkey);
    let destination = account_of(&mut world, &cast, &stranger);
    let position = world.position(&published, &alice).expect("Alice has staked");
    let claim = yield_distributor::claim_to(&world.pool(&published), &position, destination);
    world
        .send(&[swap(&claim, &alice, &stranger)], &[&cast.stranger])
        .expect_error(YieldError::NotOwnerOrDelegate);
    world
        .send(&[unsigned(&claim, &alice)], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotSigner);
    // Somebody's own delegation says nothing about Alice's yield.
    let pool = addresses::yield_distributor::pool(&published.model);
    let set = yield_distributor::set_claim_delegate(stranger, stranger, pool, stranger, destination);
    world.send(&[set], &[&cast.stranger]).expect_ok();
    let [own, of_alice] = [stranger, alice].map(|owner| addresses::yield_distributor::claim_delegation(&pool, &owner));
    let pretended = ClaimDelegation {
        owner: alice,
        ..world.read(&own)
    };
    let claim = yield_distributor::claim_by_delegate(&world.pool(&published), &position, &pretended);
    world
        .send(std::slice::from_ref(&claim), &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
    world
        .send(&[swap(&claim, &of_alice, &own)], &[&cast.stranger])
        .expect_error(ErrorCode::ConstraintSeeds);
}

#[test]
fn given_a_delegate_when_it_claims_then_to_the_fixed_account_and_nowhere_else() {
    let (mut world, cast, published) = given_yield();
    let [alice, delegate, stranger] = [&cast.alice, &cast.rival, &cast.stranger].map(Signer::pubkey);
    let fixed = account_of(&mut world, &cast, &cast.backup.pubkey());
    let delegates = account_of(&mut world, &cast, &delegate);
    let delegation = given_delegate(&mut world, &cast, &published, &delegate, fixed);
    let position = world.position(&published, &alice).expect("Alice has staked");
    let claim = yield_distributor::claim_by_delegate(&world.pool(&published), &position, &delegation);
    world
        .send(&[swap(&claim, &fixed, &delegates)], &[&cast.rival])
        .expect_error(YieldError::WrongDestination);
    world
        .send(&[swap(&claim, &delegate, &stranger)], &[&cast.stranger])
        .expect_error(YieldError::NotOwnerOrDelegate);
    let without = swap(
        &yield_distributor::claim_to(&world.pool(&published), &position, fixed),
        &alice,
        &delegate,
    );
    world
        .send(&[without], &[&cast.rival])
        .expect_error(YieldError::NotOwnerOrDelegate);

    // It cannot touch the stake.
    let unstake = yield_distributor::unstake(&world.pool(&published), &position, 1);
    world
        .send(&[swap(&unstake, &alice, &delegate)], &[&cast.rival])
        .expect_error(ErrorCode::ConstraintSeeds);

    world.send(&[claim], &[&cast.rival]).expect_ok();
    assert_eq!(world.tokens(&fixed), YIELD);
}

#[test]
fn given_a_delegate_when_it_is_replaced_or_revoked_then_it_claims_no_more() {
    let (mut world, cast, published) = given_yield();
    let [alice, first, second] = [&cast.alice, &cast.rival, &cast.watcher].map(Signer::pubkey);
    let fixed = account_of(&mut world, &cast, &cast.backup.pubkey());
    let old = given_delegate(&mut world, &cast, &published, &first, fixed);
    let new = given_delegate(&mut world, &cast, &published, &second, fixed);
    assert_eq!((new.delegate, new.rent_payer), (second, alice));
    let position = world.position(&published, &alice).expect("Alice has staked");
    let pool = world.pool(&published);
    let by_old = yield_distributor::claim_by_delegate(&pool, &position, &old);
    world
        .send(&[by_old], &[&cast.rival])
        .expect_error(YieldError::NotOwnerOrDelegate);

    let revoke = yield_distributor::revoke_claim_delegate(&new);
    world
        .send(&[swap(&revoke, &alice, &second)], &[&cast.watcher])
        .expect_error(ErrorCode::ConstraintSeeds);
    let elsewhere = cast.stranger.pubkey();
    let mut others_rent = revoke.clone();
    others_rent.accounts[2].pubkey = elsewhere;
    world
        .send(&[others_rent], &[&cast.alice])
        .expect_error(YieldError::WrongRentPayer);
    let address = addresses::yield_distributor::claim_delegation(&new.pool, &alice);
    let (rent, before) = (world.lamports(&address), world.lamports(&alice));
    world.send(&[revoke], &[&cast.stranger, &cast.alice]).expect_ok();
    assert_eq!(world.lamports(&alice) - before, rent);
    let by_new = yield_distributor::claim_by_delegate(&pool, &position, &new);
    world
        .send(&[by_new], &[&cast.watcher])
        .expect_error(ErrorCode::AccountNotInitialized);
    for (delegate, destination) in [(Pubkey::default(), fixed), (second, Pubkey::default())] {
        let set = yield_distributor::set_claim_delegate(alice, alice, new.pool, delegate, destination);
        world
            .send(&[set], &[&cast.alice])
            .expect_error(YieldError::NobodyDelegated);
    }
}

#[test]
fn given_a_position_that_was_closed_when_staked_again_then_the_delegation_is_still_there() {
    let (mut world, cast, published) = given_yield();
    let [alice, delegate] = [&cast.alice, &cast.rival].map(Signer::pubkey);
    let fixed = account_of(&mut world, &cast, &cast.backup.pubkey());
    let delegation = given_delegate(&mut world, &cast, &published, &delegate, fixed);
    let position = world.position(&published, &alice).expect("Alice has staked");
    let claim = yield_distributor::claim_by_delegate(&world.pool(&published), &position, &delegation);
    world.send(&[claim], &[&cast.rival]).expect_ok();
    let unstake = yield_distributor::unstake(&world.pool(&published), &position, SUPPLY / 2);
    world.send(&[unstake], &[&cast.alice]).expect_ok();
    world
        .send(&[yield_distributor::close_position(&position)], &[&cast.stranger])
        .expect_ok();
    world.given_stake(&published, &cast.alice, 1);
    let position = world.position(&published, &alice).expect("Alice has staked again");
    let claim = yield_distributor::claim_by_delegate(&world.pool(&published), &position, &delegation);
    world
        .send(&[claim], &[&cast.rival])
        .expect_error(YieldError::NothingToClaim);
}

#[test]
fn given_a_destination_that_cannot_be_paid_when_claimed_then_the_yield_stays_owed() {
    let (mut world, cast, published) = given_yield();
    let [alice, rival] = [&cast.alice, &cast.rival].map(Signer::pubkey);
    let destination = account_of(&mut world, &cast, &rival);
    let position = world.position(&published, &alice).expect("Alice has staked");
    let pool_address = addresses::yield_distributor::pool(&published.model);
    let claim = |world: &World, to: Pubkey| yield_distributor::claim_to(&world.pool(&published), &position, to);
    world.set_frozen(&destination, true);
    let frozen = claim(&world, destination);
    world
        .send(&[frozen], &[&cast.alice])
        .expect_error(TokenError::AccountFrozen as u32);
    let missing = claim(&world, addresses::payment_account(&cast.guardian.pubkey(), &world.usdc));
    world
        .send(&[missing], &[&cast.alice])
        .expect_error(ErrorCode::AccountNotInitialized);
    // The pool's own vault, and an account for the model's token.
    let own_vault = claim(&world, addresses::yield_distributor::revenue_vault(&pool_address));
    world
        .send(&[own_vault], &[&cast.alice])
        .expect_error(ErrorCode::ConstraintDuplicateMutableAccount);
    let mint = addresses::model_token::mint(&published.model);
    let model_tokens = claim(&world, addresses::token_account(&alice, &mint));
    world
        .send(&[model_tokens], &[&cast.alice])
        .expect_error(ErrorCode::AccountOwnedByWrongProgram);
    world.set_frozen(&destination, false);
    let thawed = claim(&world, destination);
    world.send(&[thawed], &[&cast.alice]).expect_ok();
    assert_eq!(world.tokens(&destination), YIELD);
}

#[test]
fn given_a_multisig_when_it_invests_stakes_earns_and_redeems_then_like_a_person() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let published = service.published;
    let [holder, stranger] = [multisig::vault(), cast.stranger.pubkey()];

    // It buys everything, and anyone claims for it.
    world.given_offering(&cast, &published);
    world.given_usdc(&holder, MAX_RAISE);
    let commit = model_token::commit(holder, stranger, published.model, world.usdc, MAX_RAISE);
    world.send(&[by_multisig(&commit)], &[&cast.stranger]).expect_ok();
    world.given_settled(&cast, &published);
    let claimed = world.claimed(&published, &holder);
    let claim = model_token::claim_commitment(claimed);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.model_tokens_of(&published, &holder), SUPPLY);
    world.given_pool(&cast, &published);

    let epoch = world.epoch(&published);
    let stake = yield_distributor::stake(holder, stranger, &world.pool(&published), None, epoch, SUPPLY / 2);
    world.send(&[by_multisig(&stake)], &[&cast.stranger]).expect_ok();
    world.pass_epochs(&published, 2);
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);

    // Anyone's crank pays its own account; its delegate the one that it fixed.
    let claim = world.claim_of(&published, &stranger, &holder);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&holder), YIELD);
    let case = world.given_sealed(&cast, case.service, vec![honest(&model, 1, usdc(20))]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);
    let pool_address = addresses::yield_distributor::pool(&published.model);
    let fixed = account_of(&mut world, &cast, &cast.backup.pubkey());
    let set = yield_distributor::set_claim_delegate(holder, stranger, pool_address, cast.rival.pubkey(), fixed);
    world.send(&[by_multisig(&set)], &[&cast.stranger]).expect_ok();
    let delegation: ClaimDelegation =
        world.read(&addresses::yield_distributor::claim_delegation(&pool_address, &holder));
    let position = world.position(&published, &holder).expect("the multisig has staked");
    let claim = yield_distributor::claim_by_delegate(&world.pool(&published), &position, &delegation);
    world.send(&[claim], &[&cast.rival]).expect_ok();
    assert_eq!(world.tokens(&fixed), YIELD);

    let unstake = yield_distributor::unstake(&world.pool(&published), &position, SUPPLY / 2);
    world.send(&[by_multisig(&unstake)], &[&cast.stranger]).expect_ok();
    let redeem = yield_distributor::redeem(holder, stranger, &world.pool(&published), SUPPLY);
    world.send(&[by_multisig(&redeem)], &[&cast.stranger]).expect_ok();
    // Twice what the unstaked half left of 30 percent, and 15 percent.
    assert_eq!(world.usdc_of(&holder), YIELD + 2 * (usdc(3) + usdc(3)));
    let revoke = yield_distributor::revoke_claim_delegate(&delegation);
    world.send(&[by_multisig(&revoke)], &[&cast.stranger]).expect_ok();
}
