//! Setting the protocol up, and the payment mints that it allows.

use ::model_token::{
    errors::ModelTokenError,
    instructions::{InitProtocolArgs, RegisterModelArgs},
    state::{DisputeTerms, Metadata, Settings},
};
use ::opml_oracle::errors::OracleError;
use imo_client::{addresses, instructions::model_token};
use imo_tests::{
    Outcome, World,
    attack::swap,
    world::{terms, usdc},
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
        let settings = Settings {
            terms,
            ..world.settings(&cast)
        };
        let args = InitProtocolArgs {
            settings,
            ..world.protocol_args(&cast)
        };
        let init = model_token::init_protocol(deployer, deployer, args);
        world.send(&[init], &[&cast.deployer]).expect_error(error);
    }
}

#[test]
fn given_a_mint_that_is_not_listed_when_a_model_or_a_stake_vault_uses_it_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let [developer, stranger] = [&cast.developer, &cast.stranger].map(Signer::pubkey);
    let other = Keypair::new().pubkey();
    world.create_mint(&other, &stranger);
    let args = RegisterModelArgs {
        index: 0,
        metadata: Metadata {
            name: "Digits".to_owned(),
            symbol: "DIGITS".to_owned(),
            licence: "MIT".to_owned(),
            uri: String::new(),
            uri_hash: [0; 32],
        },
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
