//! Who may set up, change and pause the protocol.

use ::model_token::{
    constants::MAX_PAUSE_SECONDS,
    errors::ModelTokenError,
    instructions::{RegisterModelArgs, UpdateProtocolArgs},
    state::{DisputeTerms, ModelVersion, Protocol},
};
use ::opml_oracle::errors::OracleError;
use imo_client::{addresses, instructions::model_token};
use imo_tests::{
    Outcome, World,
    attack::swap,
    models::dense,
    world::{PROTOCOL_BPS, terms, usdc},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

#[test]
fn given_a_new_deployment_when_anybody_but_its_deployer_sets_it_up_then_refused() {
    let (mut world, cast) = World::empty();
    let [deployer, stranger] = [&cast.deployer, &cast.stranger].map(Signer::pubkey);
    let init = model_token::init_protocol(deployer, deployer, world.protocol_args(&cast));
    let by_stranger = swap(&init, &deployer, &stranger);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotUpgradeAuthority);
    // The data account of another program, which the stranger might have deployed itself.
    let loader = solana_sdk_ids::bpf_loader_upgradeable::ID;
    let (other, _) = anchor_lang::prelude::Pubkey::find_program_address(&[::opml_oracle::ID.as_ref()], &loader);
    let elsewhere = swap(&init, &addresses::model_token::program_data(), &other);
    world
        .send(&[elsewhere], &[&cast.deployer])
        .expect_error(ModelTokenError::NotUpgradeAuthority);
    world.send(std::slice::from_ref(&init), &[&cast.deployer]).expect_ok();
    world.send(&[init], &[&cast.deployer]).expect_error(ALREADY_IN_USE);
}

#[test]
fn given_terms_that_do_not_hold_together_when_set_then_each_is_refused_by_name() {
    let (mut world, cast) = World::empty();
    let deployer = cast.deployer.pubkey();
    let good = terms();
    let cases: [(DisputeTerms, ModelTokenError); 9] = [
        (
            DisputeTerms {
                window_slots: 0,
                ..good
            },
            ModelTokenError::TermSlotsOutOfRange,
        ),
        (
            DisputeTerms {
                clock_slots: 199,
                ..good
            },
            ModelTokenError::ClockShorterThanResponse,
        ),
        (
            DisputeTerms {
                unbonding_slots: 2_999,
                ..good
            },
            ModelTokenError::UnbondingTooShort,
        ),
        (
            DisputeTerms {
                epoch_slots: 2_999,
                ..good
            },
            ModelTokenError::EpochTooShort,
        ),
        (
            DisputeTerms {
                bond_ratio_bps: 0,
                ..good
            },
            ModelTokenError::BondRatioOutOfRange,
        ),
        (
            DisputeTerms {
                prover_share_bps: 9_001,
                ..good
            },
            ModelTokenError::SlashSharesExceedAll,
        ),
        (
            DisputeTerms {
                min_bond_units: 0,
                ..good
            },
            ModelTokenError::BondIsZero,
        ),
        (
            DisputeTerms {
                challenger_bond_units: 0,
                ..good
            },
            ModelTokenError::BondIsZero,
        ),
        (
            DisputeTerms {
                move_cost_units: usdc(5) + 1,
                ..good
            },
            ModelTokenError::MoveCostExceedsBond,
        ),
    ];
    for (terms, error) in cases {
        let args = ::model_token::instructions::InitProtocolArgs {
            terms,
            ..world.protocol_args(&cast)
        };
        let init = model_token::init_protocol(deployer, deployer, args);
        world.send(&[init], &[&cast.deployer]).expect_error(error);
    }
}

#[test]
fn given_the_protocol_when_others_than_authority_and_guardian_act_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let [authority, guardian, stranger] = [&cast.authority, &cast.guardian, &cast.stranger].map(Signer::pubkey);
    let now = world.now().unix;
    for (who, key) in [(&cast.stranger, stranger), (&cast.authority, authority)] {
        world
            .send(&[model_token::set_pause(key, now + 1)], &[who])
            .expect_error(ModelTokenError::NotGuardian);
    }
    let update = model_token::update_protocol(authority, update_args(&world, &cast));
    for (who, key) in [(&cast.stranger, stranger), (&cast.guardian, guardian)] {
        world
            .send(&[swap(&update, &authority, &key)], &[who])
            .expect_error(ModelTokenError::NotAuthority);
    }
    let too_long = model_token::set_pause(guardian, now + MAX_PAUSE_SECONDS + 1);
    world
        .send(&[too_long], &[&cast.guardian])
        .expect_error(ModelTokenError::PauseTooLong);
    world
        .send(
            &[model_token::set_pause(guardian, now + MAX_PAUSE_SECONDS)],
            &[&cast.guardian],
        )
        .expect_ok();
    world.send(&[update], &[&cast.authority]).expect_ok();
}

#[test]
fn given_new_terms_when_they_are_set_then_published_versions_keep_theirs() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let authority = cast.authority.pubkey();
    let mut args = update_args(&world, &cast);
    args.terms.epoch_slots += 1;
    let update = model_token::update_protocol(authority, args.clone());
    world
        .send(&[update], &[&cast.authority])
        .expect_error(ModelTokenError::EpochLengthIsFixed);
    for change in [
        |terms: &mut DisputeTerms| terms.notice_slots += 1,
        |terms: &mut DisputeTerms| terms.unbonding_slots += 1,
    ] {
        let mut args = update_args(&world, &cast);
        change(&mut args.terms);
        world
            .send(&[model_token::update_protocol(authority, args)], &[&cast.authority])
            .expect_error(ModelTokenError::WaitIsFixed);
    }
    args.terms = DisputeTerms {
        window_slots: 900,
        ..terms()
    };
    args.protocol_bps = PROTOCOL_BPS + 100;
    world
        .send(&[model_token::update_protocol(authority, args)], &[&cast.authority])
        .expect_ok();
    assert_eq!(
        world
            .read::<Protocol>(&addresses::model_token::protocol())
            .terms
            .window_slots,
        900
    );
    let version: ModelVersion = world.read(&published.version);
    assert_eq!((version.terms, version.split.protocol_bps), (terms(), PROTOCOL_BPS));
}

#[test]
fn given_a_mint_that_is_not_listed_when_a_model_or_a_stake_vault_uses_it_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let [developer, stranger] = [&cast.developer, &cast.stranger].map(Signer::pubkey);
    let other = Keypair::new().pubkey();
    world.create_mint(&other, &stranger);
    let args = RegisterModelArgs {
        index: 0,
        uri: String::new(),
        uri_hash: [0; 32],
    };
    let register = model_token::register_model(developer, developer, other, args);
    world
        .send(&[register], &[&cast.developer])
        .expect_error(ModelTokenError::PaymentMintNotAllowed);
    let vault = imo_client::instructions::opml_oracle::create_stake_vault(stranger, other);
    world
        .send(&[vault], &[&cast.stranger])
        .expect_error(OracleError::MintNotAllowed);
}

fn update_args(world: &World, cast: &imo_tests::Cast) -> UpdateProtocolArgs {
    UpdateProtocolArgs {
        guardian: cast.guardian.pubkey(),
        treasury: cast.treasury.pubkey(),
        payment_mints: vec![world.usdc],
        protocol_bps: PROTOCOL_BPS,
        terms: terms(),
    }
}
