//! A model changes hands.

use ::model_token::{
    errors::ModelTokenError,
    state::{Metadata, MetadataUpdate, Model},
};
use ::revenue_escrow::state::Earnings;
use ::yield_distributor::errors::YieldError;
use anchor_lang::prelude::Pubkey;
use anchor_spl::{
    compat::spl_token_metadata_interface::state::TokenMetadata,
    token_2022::spl_token_2022::{
        extension::{BaseStateWithExtensions, StateWithExtensions},
        state::Mint,
    },
};
use imo_client::{
    addresses,
    instructions::{
        model_token,
        revenue_escrow::{self, SplitReport},
        yield_distributor,
    },
};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest},
    world::{ALICE_COMMITS, DEVELOPER_TOKENS, MAX_RAISE, Published, TRANCHE_ASKS, usdc, version_args},
};
use solana_signer::Signer;

/// The developer offers the model to somebody, who accepts.
fn hand_over(world: &mut World, cast: &Cast, published: &Published) -> Pubkey {
    let [developer, successor] = [&cast.developer, &cast.rival].map(Signer::pubkey);
    let propose = model_token::propose_developer(developer, published.model, successor);
    world.send(&[propose], &[&cast.developer]).expect_ok();
    let accept = model_token::accept_developer(successor, published.model);
    world.send(&[accept], &[&cast.rival]).expect_ok();
    successor
}

#[test]
fn given_a_model_when_it_is_handed_over_then_in_two_steps_and_to_nobody_who_was_not_named() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let model = published.model;
    let [developer, rival, stranger] = [&cast.developer, &cast.rival, &cast.stranger].map(Signer::pubkey);
    let by_stranger = model_token::propose_developer(stranger, model, stranger);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
    let accept = model_token::accept_developer(rival, model);
    world
        .send(std::slice::from_ref(&accept), &[&cast.rival])
        .expect_error(ModelTokenError::NotPendingDeveloper);
    // An offer that is taken back is none.
    for pending in [rival, Pubkey::default()] {
        let propose = model_token::propose_developer(developer, model, pending);
        world.send(&[propose], &[&cast.developer]).expect_ok();
    }
    world
        .send(&[accept], &[&cast.rival])
        .expect_error(ModelTokenError::NotPendingDeveloper);

    hand_over(&mut world, &cast, &published);
    let state: Model = world.read(&model);
    assert_eq!(
        (state.creator, state.developer, state.pending_developer),
        (developer, rival, Pubkey::default())
    );
    // It is the same model, and the successor alone acts for it; the creator may register others.
    let publish = |who| model_token::publish_version(who, who, model, 2, version_args(&dense(&[4, 5, 3])));
    world
        .send(&[publish(developer)], &[&cast.developer])
        .expect_error(ModelTokenError::NotDeveloper);
    world.send(&[publish(rival)], &[&cast.rival]).expect_ok();
    world.given_model_number(&cast, 1, &dense(&[4, 3]));
    let accept = model_token::accept_developer(rival, model);
    world
        .send(&[accept], &[&cast.rival])
        .expect_error(ModelTokenError::NotPendingDeveloper);
}

#[test]
fn given_an_open_offering_when_the_model_is_handed_over_then_only_after_the_settlement() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let [developer, rival] = [&cast.developer, &cast.rival].map(Signer::pubkey);
    world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, ALICE_COMMITS);
    let propose = model_token::propose_developer(developer, published.model, rival);
    world.send(&[propose], &[&cast.developer]).expect_ok();
    let accept = model_token::accept_developer(rival, published.model);
    world
        .send(std::slice::from_ref(&accept), &[&cast.rival])
        .expect_error(ModelTokenError::OfferingRuns);
    world.given_settled(&cast, &published);
    world.send(&[accept], &[&cast.rival]).expect_ok();
    // The proceeds are the successor's.
    let old = world.withdraw_tranche_of(&cast, &published, 0);
    world
        .send(&[old], &[&cast.developer])
        .expect_error(ModelTokenError::NotDeveloper);
    world.given_payment_account(&cast, &rival);
    let new = model_token::withdraw_tranche(rival, published.model, world.usdc, 0);
    world.send(&[new], &[&cast.rival]).expect_ok();
    assert_eq!(world.usdc_of(&rival), MAX_RAISE);
}

#[test]
fn given_vesting_tokens_and_revenue_when_the_model_is_handed_over_then_what_is_paid_later_is_the_successors() {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[4, 3]);
    let service = world.given_service(&cast, &runtime);
    let published = service.published;
    let args = world.vesting_args();
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, MAX_RAISE);
    world.given_settled(&cast, &published);
    world.given_pool(&cast, &published);
    let developer = cast.developer.pubkey();
    let first = world.given_sealed(&cast, service, vec![honest(&runtime, 0, usdc(20))]);
    world.finalise(&cast, &first.report);
    world.split(&cast, &first.report);
    let second = world.given_sealed(&cast, first.service, vec![honest(&runtime, 1, usdc(20))]);
    world.finalise(&cast, &second.report);

    let successor = hand_over(&mut world, &cast, &published);
    let stale = revenue_escrow::split(world.split_of(&cast, &second.report));
    assert!(
        world.send(&[stale], &[&cast.stranger]).is_err(),
        "the developer is another one"
    );
    let split = SplitReport {
        developer: successor,
        ..world.split_of(&cast, &second.report)
    };
    world
        .send(&[revenue_escrow::split(split)], &[&cast.stranger])
        .expect_ok();
    let vault = addresses::revenue_escrow::vault(&published.model);
    for owner in [developer, successor] {
        let earnings: Earnings = world.read(&addresses::revenue_escrow::earnings(&vault, &owner));
        assert_eq!(
            earnings.owed_units,
            usdc(2),
            "a tenth of each report, for who was the developer then"
        );
    }

    // Yield of both reports: a fifth of the supply earned a fifth of 12 USDC, rounded down.
    let stale = world.claim_developer_of(&cast, &published, &developer);
    world
        .send(&[stale], &[&cast.stranger])
        .expect_error(YieldError::WrongBeneficiary);
    let claim = world.claim_developer_of(&cast, &published, &successor);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&successor), usdc(12) / 5 - 1);

    world.given_paid_to_others(&published, TRANCHE_ASKS);
    world.given_payment_account(&cast, &successor);
    let withdraw = model_token::withdraw_tranche(successor, published.model, world.usdc, 1);
    world.send(&[withdraw], &[&cast.rival]).expect_ok();
    world.pass_until_settled(&published, 30_000);
    let mint = addresses::model_token::mint(&published.model);
    world.given_token_account(&developer, &mint);
    let stale = yield_distributor::release_developer(&world.pool(&published), developer);
    world
        .send(&[stale], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
    let release = world.release_developer_of(&published, &successor);
    world.send(&[release], &[&cast.stranger]).expect_ok();
    assert_eq!(world.model_tokens_of(&published, &successor), DEVELOPER_TOKENS / 2);
}

#[test]
fn given_other_metadata_when_the_notice_runs_then_model_and_token_change_at_its_end_and_not_while_an_offering_is_open()
{
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    let [developer, stranger] = [&cast.developer, &cast.stranger].map(Signer::pubkey);
    world.given_token(&cast, &published);
    let metadata = Metadata {
        name: "A name as long as there is room.".to_owned(),
        symbol: "LONGSYMBOL".to_owned(),
        licence: "MIT".to_owned(),
        uri: "u".repeat(128),
        uri_hash: [9; 32],
    };
    type Change = fn(&mut Metadata);
    let invalid: [(Change, ModelTokenError); 7] = [
        (|metadata| metadata.name.clear(), ModelTokenError::InvalidName),
        (|metadata| metadata.name.push('.'), ModelTokenError::InvalidName),
        (|metadata| metadata.symbol.clear(), ModelTokenError::InvalidSymbol),
        (|metadata| metadata.symbol.push('S'), ModelTokenError::InvalidSymbol),
        (|metadata| metadata.uri.push('u'), ModelTokenError::UriTooLong),
        (|metadata| metadata.licence.clear(), ModelTokenError::InvalidLicence),
        (
            |metadata| metadata.licence = "l".repeat(33),
            ModelTokenError::InvalidLicence,
        ),
    ];
    for (change, error) in invalid {
        let mut metadata = metadata.clone();
        change(&mut metadata);
        let propose = model_token::propose_metadata(developer, developer, published.model, metadata);
        world.send(&[propose], &[&cast.developer]).expect_error(error);
    }
    let propose = model_token::propose_metadata(developer, developer, published.model, metadata.clone());
    let by_stranger = model_token::propose_metadata(stranger, stranger, published.model, metadata.clone());
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
    world.send(&[propose], &[&cast.developer]).expect_ok();
    let update: MetadataUpdate = world.read(&addresses::model_token::metadata_update(&published.model));
    let apply = model_token::apply_metadata(developer, developer, &update);
    world.pass_until_slot(update.notice_ends_slot - 1);
    world
        .send(std::slice::from_ref(&apply), &[&cast.developer])
        .expect_error(ModelTokenError::NoticeNotOver);
    world.pass_slots(1);
    let without_mint = swap(
        &apply,
        &addresses::model_token::mint(&published.model),
        &addresses::model_token::mint(&other.model),
    );
    world
        .send(&[without_mint], &[&cast.developer])
        .expect_error(anchor_lang::error::ErrorCode::ConstraintSeeds);
    world.send(&[apply], &[&cast.developer]).expect_ok();
    assert_eq!(world.read::<Model>(&published.model).metadata, metadata);
    let mint = world
        .account(&addresses::model_token::mint(&published.model))
        .expect("the mint was made");
    let state = StateWithExtensions::<Mint>::unpack(&mint.data).expect("a mint of Token-2022");
    let shown = state
        .get_variable_len_extension::<TokenMetadata>()
        .expect("the metadata are in the mint");
    assert_eq!(
        (shown.name, shown.symbol, shown.uri),
        (metadata.name.clone(), metadata.symbol.clone(), metadata.uri.clone())
    );
    assert!(mint.lamports >= world.rent_of(mint.data.len()));
    assert!(!world.exists(&addresses::model_token::metadata_update(&published.model)));

    // Neither proposed nor applied while somebody buys.
    let propose = model_token::propose_metadata(developer, developer, other.model, metadata);
    world
        .send(std::slice::from_ref(&propose), &[&cast.developer])
        .expect_ok();
    let update: MetadataUpdate = world.read(&addresses::model_token::metadata_update(&other.model));
    world.given_offering(&cast, &other);
    world.pass_until_slot(update.notice_ends_slot);
    let apply = model_token::apply_metadata(developer, developer, &update);
    world
        .send(&[apply], &[&cast.developer])
        .expect_error(ModelTokenError::OfferingRuns);
    let cancel = model_token::cancel_metadata(developer, &update);
    world.send(&[cancel], &[&cast.developer]).expect_ok();
    world
        .send(&[propose], &[&cast.developer])
        .expect_error(ModelTokenError::OfferingRuns);
}
