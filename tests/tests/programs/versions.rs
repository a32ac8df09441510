//! A model's later versions.

use ::model_token::{
    errors::ModelTokenError,
    instructions::PublishVersionArgs,
    state::{DisputeTerms, Model, RevenueSplit},
};
use ::opml_oracle::{errors::OracleError, state::Operator};
use imo_client::instructions::{model_token, opml_oracle};
use imo_tests::{
    Outcome, World,
    attack::swap,
    models::dense,
    world::{BOND, SPLIT, terms, usdc, version_args},
};
use solana_signer::Signer;

#[test]
fn given_a_second_version_when_its_notice_runs_then_neither_live_nor_reportable_before_the_end() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let [developer, stranger] = [&cast.developer, &cast.stranger].map(Signer::pubkey);
    let publish = model_token::publish_version(
        developer,
        developer,
        published.model,
        2,
        version_args(&dense(&[4, 5, 3])),
    );
    let by_stranger = swap(&publish, &developer, &stranger);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
    world.send(&[publish], &[&cast.developer]).expect_ok();
    assert_eq!(world.read::<Model>(&published.model).live_version, 1);

    let mut report = world.report_terms(&published, BOND);
    report.version = 2;
    let state: Operator = world.read(&operator);
    let post = opml_oracle::post_report(cast.operator.pubkey(), &state, report);
    world
        .send(std::slice::from_ref(&post), &[&cast.operator])
        .expect_error(OracleError::VersionNeverLive);
    let activate = model_token::activate_version(developer, published.model, 2);
    world.pass_slots(terms().notice_slots - 1);
    world
        .send(std::slice::from_ref(&activate), &[&cast.developer])
        .expect_error(ModelTokenError::NoticeNotOver);
    world.pass_slots(1);
    let by_stranger = swap(&activate, &developer, &stranger);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotDeveloper);
    world
        .send(std::slice::from_ref(&activate), &[&cast.developer])
        .expect_ok();
    assert_eq!(world.read::<Model>(&published.model).live_version, 2);
    world.send(&[post], &[&cast.operator]).expect_ok();

    // Never back, and never twice.
    world
        .send(&[activate], &[&cast.developer])
        .expect_error(ModelTokenError::VersionNotLater);
    let back = model_token::activate_version(developer, published.model, 1);
    world
        .send(&[back], &[&cast.developer])
        .expect_error(ModelTokenError::VersionNotLater);
}

#[test]
fn given_a_version_that_is_not_well_formed_when_published_then_each_is_refused_by_name() {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[4, 3]);
    let published = world.given_model(&cast, &runtime);
    let developer = cast.developer.pubkey();
    let good = version_args(&runtime);
    let cases: [(PublishVersionArgs, ModelTokenError); 7] = [
        (
            PublishVersionArgs {
                arithmetic_version: 2,
                ..good.clone()
            },
            ModelTokenError::UnknownArithmeticVersion,
        ),
        (
            PublishVersionArgs {
                node_count: 0,
                ..good.clone()
            },
            ModelTokenError::InvalidModelSize,
        ),
        (
            PublishVersionArgs {
                constant_count: (1 << 20) + 1,
                ..good.clone()
            },
            ModelTokenError::InvalidModelSize,
        ),
        (
            PublishVersionArgs {
                input_spec: [0; 18],
                ..good.clone()
            },
            ModelTokenError::InvalidInputSpec,
        ),
        (
            PublishVersionArgs {
                weights_uri: "x".repeat(129),
                ..good.clone()
            },
            ModelTokenError::UriTooLong,
        ),
        (
            PublishVersionArgs {
                split: RevenueSplit {
                    holders_bps: 2_999,
                    ..SPLIT
                },
                ..good.clone()
            },
            ModelTokenError::SplitIsNotAll,
        ),
        (
            PublishVersionArgs {
                split: RevenueSplit {
                    holders_bps: 3_500,
                    protocol_bps: 0,
                    ..SPLIT
                },
                ..good.clone()
            },
            ModelTokenError::WrongProtocolShare,
        ),
    ];
    for (args, error) in cases {
        let publish = model_token::publish_version(developer, developer, published.model, 2, args);
        world.send(&[publish], &[&cast.developer]).expect_error(error);
    }
}

#[test]
fn given_an_operators_share_too_small_for_the_bond_when_published_then_it_does_not_deter() {
    let (mut world, cast) = World::with_protocol();
    let runtime = dense(&[4, 3]);
    let published = world.given_model(&cast, &runtime);
    // A bond of what is collected, of which 40 percent can go to a friend: 60 percent are lost for good.
    world.given_terms(
        &cast,
        DisputeTerms {
            bond_ratio_bps: 10_000,
            ..terms()
        },
    );
    let developer = cast.developer.pubkey();
    let with_operator_share = |operator_bps: u16| PublishVersionArgs {
        split: RevenueSplit {
            operator_bps,
            holders_bps: 7_000 - operator_bps,
            ..SPLIT
        },
        price_units: usdc(1),
        ..version_args(&runtime)
    };
    let publish = |operator_bps| {
        model_token::publish_version(
            developer,
            developer,
            published.model,
            2,
            with_operator_share(operator_bps),
        )
    };
    world
        .send(&[publish(3_999)], &[&cast.developer])
        .expect_error(ModelTokenError::BondDoesNotDeter);
    world.send(&[publish(4_000)], &[&cast.developer]).expect_ok();
}
