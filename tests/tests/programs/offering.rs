//! Selling a model's token.

use ::model_token::{
    errors::ModelTokenError,
    state::{Commitment, Metadata, Offering, OfferingStatus},
};
use ::yield_distributor::errors::YieldError;
use anchor_lang::error::ErrorCode;
use anchor_spl::{
    token::spl_token,
    token_2022::spl_token_2022::{
        extension::{BaseStateWithExtensions, ExtensionType, StateWithExtensions},
        state::Mint,
    },
};
use imo_client::{addresses, instructions::model_token};
use imo_tests::{
    Outcome, World,
    attack::{swap, swap_at, unsigned},
    models::dense,
    world::{ALICE_COMMITS, MAX_RAISE, MIN_RAISE, SUPPLY, usdc},
};
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

#[test]
fn given_less_than_the_minimum_when_settled_then_everybody_gets_everything_back() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let offering = world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, MIN_RAISE - usdc(1) - 1);
    world.given_commitment(&published, &cast.bob, usdc(1));
    let settled = world.given_settled(&cast, &published);
    assert_eq!((settled.status, settled.accepted_units), (OfferingStatus::Failed, 0));

    // No token was made, and the developer gets nothing.
    assert!(!world.exists(&settled.mint));
    assert!(!world.exists(&addresses::model_token::token_vault(&offering)));
    let withdraw = world.withdraw_tranche_of(&cast, &published, 0);
    world
        .send(&[withdraw], &[&cast.developer])
        .expect_error(ModelTokenError::OfferingFailed);

    for (investor, units) in [(&cast.alice, MIN_RAISE - usdc(1) - 1), (&cast.bob, usdc(1))] {
        let key = investor.pubkey();
        let commitment = addresses::model_token::commitment(&offering, &key);
        let (rent, lamports) = (world.lamports(&commitment), world.lamports(&key));
        let claim = model_token::claim_commitment(world.claimed(&published, &key));
        world.send(std::slice::from_ref(&claim), &[&cast.stranger]).expect_ok();
        assert_eq!(world.usdc_of(&key), units);
        assert_eq!(
            world.lamports(&key) - lamports,
            rent,
            "the rent goes back to who paid it"
        );
        world
            .send(&[claim], &[&cast.stranger])
            .expect_error(ErrorCode::AccountNotInitialized);
    }
    let offering: Offering = world.read(&offering);
    assert_eq!(
        (
            offering.commitment_count,
            offering.payment_owed_units().expect("the counters fit")
        ),
        (0, 0)
    );
}

#[test]
fn given_a_failed_offering_when_a_pool_is_wanted_then_there_is_no_token_for_it() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    world.given_token(&cast, &other);
    world.given_offering(&cast, &published);
    world.given_settled(&cast, &published);
    let create = world.create_pool_of(&cast, &published);
    let [mint, of_other] = [published.model, other.model].map(|model| addresses::model_token::mint(&model));
    let borrowed = swap(&create, &mint, &of_other);
    world
        .send(&[borrowed], &[&cast.stranger])
        .expect_error(YieldError::OfferingNotSucceeded);
    world
        .send(&[create], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
}

#[test]
fn given_exactly_the_minimum_when_settled_then_it_succeeds_without_excess() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, MIN_RAISE);
    let settled = world.given_settled(&cast, &published);
    assert_eq!(
        (settled.status, settled.accepted_units),
        (OfferingStatus::Succeeded, MIN_RAISE)
    );
    let claim = model_token::claim_commitment(world.claimed(&published, &cast.alice.pubkey()));
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&cast.alice.pubkey()), 0);
    assert_eq!(world.model_tokens_of(&published, &cast.alice.pubkey()), SUPPLY);
}

#[test]
fn given_more_than_the_maximum_when_claimed_in_any_order_then_pro_rata_and_never_twice() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let offering = world.given_offering(&cast, &published);
    // Awkward amounts, one of a single unit.
    let committed = [(&cast.alice, MAX_RAISE), (&cast.bob, usdc(999) + 7), (&cast.watcher, 1)];
    let total: u64 = committed.iter().map(|(_, units)| units).sum();
    for (investor, units) in committed {
        world.given_commitment(&published, investor, units);
    }
    world.given_settled(&cast, &published);

    // The developer first, so that nothing is left but what is owed.
    let withdraw = world.withdraw_tranche_of(&cast, &published, 0);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.developer])
        .expect_ok();
    world
        .send(&[withdraw], &[&cast.developer])
        .expect_error(ModelTokenError::NothingToWithdraw);
    assert_eq!(world.usdc_of(&cast.developer.pubkey()), MAX_RAISE);

    for (investor, units) in committed.into_iter().rev() {
        let key = investor.pubkey();
        let claim = model_token::claim_commitment(world.claimed(&published, &key));
        world.send(std::slice::from_ref(&claim), &[&cast.stranger]).expect_ok();
        world
            .send(&[claim], &[&cast.stranger])
            .expect_error(ErrorCode::AccountNotInitialized);
        let of_total = |whole: u64| (u128::from(whole) * u128::from(units) / u128::from(total)) as u64;
        assert_eq!(world.usdc_of(&key), of_total(total - MAX_RAISE));
        assert_eq!(world.model_tokens_of(&published, &key), of_total(SUPPLY));
    }
    // What the floors left stays in the vault.
    assert!(world.tokens(&addresses::model_token::payment_vault(&offering)) < 3);
}

#[test]
fn given_a_success_when_the_mint_is_read_then_nobody_can_mint_freeze_or_change_it() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    world.given_token(&cast, &published);
    let mint = addresses::model_token::mint(&published.model);
    let account = world.account(&mint).expect("the mint was made");
    assert_eq!(account.owner, anchor_spl::token_2022::ID);
    let state = StateWithExtensions::<Mint>::unpack(&account.data).expect("a mint of Token-2022");
    assert_eq!((state.base.supply, state.base.decimals), (SUPPLY, 6));
    assert!(state.base.mint_authority.is_none() && state.base.freeze_authority.is_none());
    let extensions = state.get_extension_types().expect("the extensions can be read");
    assert_eq!(
        extensions,
        [ExtensionType::MetadataPointer, ExtensionType::TokenMetadata]
    );
}

#[test]
fn given_the_borders_in_time_when_moved_by_a_second_then_exactly_one_of_the_two_is_possible() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let developer = cast.developer.pubkey();
    let (usdc_mint, now) = (world.usdc, world.now().unix);
    let (opens, tail, closes) = (now + 100, now + 190, now + 200);
    let args = ::model_token::instructions::OpenOfferingArgs {
        opens_unix: opens,
        tail_unix: tail,
        closes_unix: closes,
        ..world.offering_args()
    };
    let open = model_token::open_offering(developer, developer, published.model, usdc_mint, args);
    world.send(&[open], &[&cast.developer]).expect_ok();
    let alice = cast.alice.pubkey();
    world.given_usdc(&alice, ALICE_COMMITS);
    let commit = model_token::commit(alice, alice, published.model, usdc_mint, usdc(500));
    let settle = model_token::settle_offering(cast.stranger.pubkey(), published.model);

    world.pass_until_unix(opens - 1);
    world
        .send(std::slice::from_ref(&commit), &[&cast.alice])
        .expect_error(ModelTokenError::OfferingNotOpenYet);
    world.pass_until_unix(opens);
    world.send(std::slice::from_ref(&commit), &[&cast.alice]).expect_ok();
    world.pass_until_unix(tail - 1);
    world.send(std::slice::from_ref(&commit), &[&cast.alice]).expect_ok();
    world.pass_until_unix(tail);
    world
        .send(std::slice::from_ref(&commit), &[&cast.alice])
        .expect_error(ModelTokenError::TailHasBegun);
    world.pass_until_unix(closes - 1);
    world
        .send(std::slice::from_ref(&settle), &[&cast.stranger])
        .expect_error(ModelTokenError::OfferingNotClosed);
    let claim = model_token::claim_commitment(world.claimed(&published, &alice));
    world
        .send(&[claim], &[&cast.stranger])
        .expect_error(ModelTokenError::OfferingNotSettled);
    let withdraw = world.withdraw_tranche_of(&cast, &published, 0);
    world
        .send(&[withdraw], &[&cast.developer])
        .expect_error(ModelTokenError::OfferingNotSettled);
    world.pass_until_unix(closes);
    world
        .send(&[commit], &[&cast.alice])
        .expect_error(ModelTokenError::OfferingClosed);
    world.send(std::slice::from_ref(&settle), &[&cast.stranger]).expect_ok();
    world
        .send(&[settle], &[&cast.stranger])
        .expect_error(ModelTokenError::OfferingSucceeded);

    // Two commitments of one investor are one.
    let offering = addresses::model_token::offering(&published.model);
    let commitment: Commitment = world.read(&addresses::model_token::commitment(&offering, &alice));
    assert_eq!(commitment.amount_units, usdc(1_000));
    assert_eq!(world.read::<Offering>(&offering).commitment_count, 1);
}

#[test]
fn given_a_success_when_a_claim_names_other_accounts_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    let offering = world.given_offering(&cast, &published);
    world.given_offering(&cast, &other);
    for (published, investor) in [
        (&published, &cast.alice),
        (&published, &cast.bob),
        (&other, &cast.alice),
    ] {
        world.given_commitment(published, investor, ALICE_COMMITS);
    }
    world.given_settled(&cast, &published);
    world.given_settled(&cast, &other);
    let [alice, bob, stranger] = [&cast.alice, &cast.bob, &cast.stranger].map(Signer::pubkey);
    world.given_payment_account(&cast, &stranger);
    world.given_token_account(&bob, &addresses::model_token::mint(&published.model));
    let honest = model_token::claim_commitment(world.claimed(&published, &alice));

    let mut refused = |changed, code: u32| world.send(&[changed], &[&cast.stranger]).expect_error(code);
    let usdc_mint = honest.accounts[4].pubkey;
    let [to_alice, to_bob, to_stranger] =
        [alice, bob, stranger].map(|owner| addresses::payment_account(&owner, &usdc_mint));
    let tokens =
        [alice, bob].map(|owner| addresses::token_account(&owner, &addresses::model_token::mint(&published.model)));
    let to_somebody_else = swap(
        &swap(&swap_at(&honest, 0, &bob), &to_alice, &to_bob),
        &tokens[0],
        &tokens[1],
    );
    refused(to_somebody_else, ModelTokenError::WrongInvestor.into());
    refused(swap_at(&honest, 1, &stranger), ModelTokenError::WrongRentPayer.into());
    let other_offering = addresses::model_token::offering(&other.model);
    let commitment = addresses::model_token::commitment(&offering, &alice);
    let elsewhere = addresses::model_token::commitment(&other_offering, &alice);
    refused(
        swap(&honest, &commitment, &elsewhere),
        ErrorCode::ConstraintSeeds.into(),
    );
    let vault = addresses::model_token::payment_vault(&offering);
    let other_vault = addresses::model_token::payment_vault(&other_offering);
    refused(swap(&honest, &vault, &other_vault), ErrorCode::ConstraintSeeds.into());
    refused(
        swap(&honest, &to_alice, &to_stranger),
        ErrorCode::ConstraintTokenOwner.into(),
    );
    // A claim that leaves out the tokens would close the commitment and keep them.
    let nothing = ::model_token::ID;
    let without_tokens = [7, 8, 9]
        .into_iter()
        .fold(honest.clone(), |ix, at| swap_at(&ix, at, &nothing));
    refused(without_tokens, ModelTokenError::TokenAccountsMissing.into());
    let without_recipient = swap_at(&honest, 9, &nothing);
    refused(without_recipient, ModelTokenError::TokenAccountsMissing.into());

    world.send(&[honest], &[&cast.stranger]).expect_ok();
}

#[test]
fn given_an_offering_when_somebody_else_moves_its_money_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let [alice, bob, stranger, developer] =
        [&cast.alice, &cast.bob, &cast.stranger, &cast.developer].map(Signer::pubkey);
    let args = world.offering_args();
    let usdc_mint = world.usdc;
    let open = model_token::open_offering(developer, developer, published.model, usdc_mint, args);
    let by_stranger = swap(&open, &developer, &stranger);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
    world.send(std::slice::from_ref(&open), &[&cast.developer]).expect_ok();
    world.send(&[open], &[&cast.developer]).expect_error(ALREADY_IN_USE);

    // Somebody else's tokens, and an investor that did not sign.
    world.given_usdc(&alice, ALICE_COMMITS);
    world.given_usdc(&bob, ALICE_COMMITS);
    let commit = model_token::commit(alice, alice, published.model, usdc_mint, ALICE_COMMITS);
    let [of_alice, of_bob] = [alice, bob].map(|owner| addresses::payment_account(&owner, &usdc_mint));
    world
        .send(&[swap(&commit, &of_alice, &of_bob)], &[&cast.alice])
        .expect_error(ErrorCode::ConstraintTokenOwner);
    let for_alice = model_token::commit(alice, bob, published.model, usdc_mint, 1);
    world
        .send(&[unsigned(&for_alice, &alice)], &[&cast.bob])
        .expect_error(ErrorCode::AccountNotSigner);
    let zero = model_token::commit(alice, alice, published.model, usdc_mint, 0);
    world
        .send(&[zero], &[&cast.alice])
        .expect_error(ModelTokenError::CommitmentIsZero);
    let too_much = model_token::commit(alice, alice, published.model, usdc_mint, ALICE_COMMITS + 1);
    let insufficient = spl_token::error::TokenError::InsufficientFunds as u32;
    world.send(&[too_much], &[&cast.alice]).expect_error(insufficient);

    world.send(&[commit], &[&cast.alice]).expect_ok();
    world.given_settled(&cast, &published);
    world.given_payment_account(&cast, &stranger);
    let by_stranger = model_token::withdraw_tranche(stranger, published.model, usdc_mint, 0);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
}

#[test]
fn given_a_model_without_a_version_when_an_offering_is_opened_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let developer = cast.developer.pubkey();
    let args = ::model_token::instructions::RegisterModelArgs {
        index: 9,
        metadata: Metadata {
            name: "Digits".to_owned(),
            symbol: "DIGITS".to_owned(),
            licence: "MIT".to_owned(),
            uri: String::new(),
            uri_hash: [0; 32],
        },
    };
    let register = model_token::register_model(developer, developer, world.usdc, args);
    world.send(&[register], &[&cast.developer]).expect_ok();
    let model = addresses::model_token::model(&developer, 9);
    let open = model_token::open_offering(developer, developer, model, world.usdc, world.offering_args());
    world
        .send(&[open], &[&cast.developer])
        .expect_error(ModelTokenError::NoLiveVersion);
}
