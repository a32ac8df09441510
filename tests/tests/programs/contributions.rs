//! Who contributed to a version is paid from its revenue: people and programs by withdrawal, models through their pools.

use ::model_token::{
    errors::ModelTokenError,
    instructions::PublishVersionArgs,
    state::{ModelVersion, RevenueSplit},
};
use ::revenue_escrow::{
    errors::RevenueEscrowError,
    state::{Contributions, Earnings, ModelVault},
};
use ::yield_distributor::errors::YieldError;
use anchor_lang::{error::ErrorCode, prelude::Pubkey, solana_program::instruction::Instruction};
use anchor_spl::token::spl_token::{error::TokenError, instruction as token_instruction};
use imo_client::{
    addresses,
    instructions::{model_token, revenue_escrow},
};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::{dense, honest},
    multisig::{self, by_multisig},
    world::{Published, SUPPLY, Service, contributed_args, usdc, version_args},
};
use opml_runtime::Model;
use solana_signer::Signer;

/// Of a report of 10.000099, 333 basis points, rounded down.
const REVENUE: u64 = usdc(10) + 99;
const CONTRIBUTED: u64 = 333_003;
/// Of these, 200 and 133 of 333, each rounded down. One unit is dust.
const PROVIDED: u64 = 200_001;
const ANNOTATED: u64 = 133_001;

fn runtime() -> Model {
    dense(&[4, 3])
}

/// The developer's model with this index and these contributors, with the cast's operator and payer.
fn given_contributed(world: &mut World, cast: &Cast, index: u32, contributors: &[(Pubkey, u16)]) -> Service {
    let published = world.given_model_of_contributors(cast, index, &runtime(), contributors);
    world.given_vault(cast, &published);
    let operator = addresses::opml_oracle::operator(&cast.operator.pubkey(), &world.usdc);
    if !world.is_made(&operator) {
        world.given_operator(&cast.operator, &cast.backup.pubkey());
    }
    let customer = world.given_customer(&cast.payer, &cast.session, &published, operator);
    Service {
        published,
        operator,
        customer,
    }
}

/// A report of `units` is final and split.
fn given_revenue(world: &mut World, cast: &Cast, service: Service, units: u64) -> Service {
    let seed = service.customer.requests.count();
    let case = world.given_sealed(cast, service, vec![honest(&runtime(), seed, units)]);
    world.finalise(cast, &case.report);
    world.split(cast, &case.report);
    case.service
}

fn withdrawal(world: &World, cast: &Cast, published: &Published, index: u8, recipient: &Pubkey) -> Instruction {
    let caller = cast.stranger.pubkey();
    revenue_escrow::withdraw_contribution(
        caller,
        published.model,
        published.version,
        index,
        *recipient,
        world.usdc,
    )
}

fn contributions(world: &World, published: &Published) -> Contributions {
    world.read(&addresses::revenue_escrow::contributions(&published.version))
}

fn vault(world: &World, published: &Published) -> ModelVault {
    world.read(&addresses::revenue_escrow::vault(&published.model))
}

#[test]
fn given_two_contributors_when_a_report_is_split_then_anyone_pays_each_its_part_once() {
    let (mut world, cast) = World::with_protocol();
    let [provider, annotator] = [&cast.watcher, &cast.rival].map(Signer::pubkey);
    for contributor in [provider, annotator] {
        world.given_payment_account(&cast, &contributor);
    }
    let service = given_contributed(&mut world, &cast, 0, &[(provider, 200), (annotator, 133)]);
    let published = service.published;
    let early = withdrawal(&world, &cast, &published, 0, &provider);
    world
        .send(&[early], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);

    let owed = vault(&world, &published).owed_units;
    given_revenue(&mut world, &cast, service, REVENUE);
    assert_eq!(contributions(&world, &published).earned_units, u128::from(CONTRIBUTED));
    assert_eq!(
        vault(&world, &published).owed_units,
        owed,
        "contributors are owed, not paid"
    );
    for (index, contributor, units) in [(1, annotator, ANNOTATED), (0, provider, PROVIDED)] {
        let withdraw = withdrawal(&world, &cast, &published, index, &contributor);
        world
            .send(std::slice::from_ref(&withdraw), &[&cast.stranger])
            .expect_ok();
        assert_eq!(world.usdc_of(&contributor), units);
        world
            .send(&[withdraw], &[&cast.stranger])
            .expect_error(RevenueEscrowError::AmountIsZero);
    }
    assert_eq!(vault(&world, &published).owed_units, owed - PROVIDED - ANNOTATED);
}

#[test]
fn given_two_reports_when_a_contributor_is_paid_late_then_the_dust_of_both_is_counted_together() {
    let (mut world, cast) = World::with_protocol();
    let [provider, annotator] = [&cast.watcher, &cast.rival].map(Signer::pubkey);
    world.given_payment_account(&cast, &provider);
    world.given_payment_account(&cast, &annotator);
    let mut service = given_contributed(&mut world, &cast, 0, &[(provider, 200), (annotator, 133)]);
    let published = service.published;
    for _ in 0..2 {
        service = given_revenue(&mut world, &cast, service, REVENUE);
    }
    let late = withdrawal(&world, &cast, &published, 0, &provider);
    world.send(&[late], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&provider), 2 * PROVIDED + 1);
    let Contributions {
        earned_units,
        paid_units,
        ..
    } = contributions(&world, &published);
    assert_eq!(earned_units, u128::from(2 * CONTRIBUTED));
    assert_eq!(paid_units[..2], [u128::from(2 * PROVIDED + 1), 0]);
}

#[test]
fn given_a_contributor_whose_account_is_missing_frozen_or_given_away_when_paid_then_it_stays_owed() {
    let (mut world, cast) = World::with_protocol();
    let provider = cast.watcher.pubkey();
    let service = given_contributed(&mut world, &cast, 0, &[(provider, 333)]);
    let published = service.published;
    let service = given_revenue(&mut world, &cast, service, REVENUE);
    let withdraw = withdrawal(&world, &cast, &published, 0, &provider);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);

    world.given_payment_account(&cast, &provider);
    let account = addresses::payment_account(&provider, &world.usdc);
    world.set_frozen(&account, true);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.stranger])
        .expect_error(TokenError::AccountFrozen as u32);
    world.set_frozen(&account, false);

    // The account's address stays the contributor's when it belongs to somebody else.
    let stranger = cast.stranger.pubkey();
    let give_away = token_instruction::set_authority(
        &anchor_spl::token::ID,
        &account,
        Some(&stranger),
        token_instruction::AuthorityType::AccountOwner,
        &provider,
        &[],
    );
    world
        .send(
            &[give_away.expect("the token program is the token program")],
            &[&cast.watcher],
        )
        .expect_ok();
    world
        .send(&[withdraw], &[&cast.stranger])
        .expect_error(RevenueEscrowError::WrongDestination);

    // What was owed is still there, with what came since, and the contributor itself says where to.
    given_revenue(&mut world, &cast, service, REVENUE);
    world.given_payment_account(&cast, &cast.rival.pubkey());
    let elsewhere = addresses::payment_account(&cast.rival.pubkey(), &world.usdc);
    let withdraw = withdrawal(&world, &cast, &published, 0, &provider);
    let by_stranger = swap(&withdraw, &account, &elsewhere);
    world
        .send(std::slice::from_ref(&by_stranger), &[&cast.stranger])
        .expect_error(RevenueEscrowError::WrongDestination);
    let by_itself = swap(&by_stranger, &stranger, &provider);
    world.send(&[by_itself], &[&cast.watcher]).expect_ok();
    assert_eq!(world.usdc_of(&cast.rival.pubkey()), 2 * CONTRIBUTED);
}

#[test]
fn given_a_multisig_as_contributor_when_paid_then_like_a_person() {
    let (mut world, cast) = World::with_protocol();
    let vault = multisig::vault();
    world.given_payment_account(&cast, &vault);
    let service = given_contributed(&mut world, &cast, 0, &[(vault, 333)]);
    let published = service.published;
    let service = given_revenue(&mut world, &cast, service, REVENUE);
    let withdraw = withdrawal(&world, &cast, &published, 0, &vault);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.stranger])
        .expect_ok();
    assert_eq!(world.usdc_of(&vault), CONTRIBUTED);

    given_revenue(&mut world, &cast, service, REVENUE);
    let rival = cast.rival.pubkey();
    world.given_payment_account(&cast, &rival);
    let [own, elsewhere] = [vault, rival].map(|owner| addresses::payment_account(&owner, &world.usdc));
    let by_itself = swap(&swap(&withdraw, &own, &elsewhere), &cast.stranger.pubkey(), &vault);
    world.send(&[by_multisig(&by_itself)], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&rival), CONTRIBUTED);
}

#[test]
fn given_contributors_when_another_number_account_or_kind_is_named_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let provider = cast.watcher.pubkey();
    world.given_payment_account(&cast, &provider);
    let base = world.given_model_number(&cast, 1, &runtime());
    let other_base = world.given_model_number(&cast, 2, &runtime());
    let service = given_contributed(&mut world, &cast, 0, &[(provider, 200), (base.model, 133)]);
    let published = service.published;
    given_revenue(&mut world, &cast, service, REVENUE);

    let beyond = withdrawal(&world, &cast, &published, 2, &provider);
    world
        .send(&[beyond], &[&cast.stranger])
        .expect_error(RevenueEscrowError::NoSuchContributor);
    let of_model = withdrawal(&world, &cast, &published, 1, &base.model);
    let of_model = swap(
        &of_model,
        &addresses::payment_account(&base.model, &world.usdc),
        &addresses::payment_account(&provider, &world.usdc),
    );
    world
        .send(&[of_model], &[&cast.stranger])
        .expect_error(RevenueEscrowError::ContributorIsModel);
    for (index, upstream, error) in [
        (0, &base, RevenueEscrowError::ContributorIsNoModel),
        (1, &other_base, RevenueEscrowError::WrongUpstream),
        (2, &base, RevenueEscrowError::NoSuchContributor),
    ] {
        let payment = world.upstream_payment(&cast, &published, index, upstream);
        world
            .send(&[revenue_escrow::pay_upstream(payment)], &[&cast.stranger])
            .expect_error(error);
    }
    // Another version's list, with this version's money.
    let second = PublishVersionArgs {
        split: world.read::<ModelVersion>(&published.version).split,
        contributors_bps: vec![333],
        ..version_args(&runtime())
    };
    let developer = cast.developer.pubkey();
    let publish =
        model_token::publish_version_of_contributors(developer, developer, published.model, 2, second, &[provider]);
    world.send(&[publish], &[&cast.developer]).expect_ok();
    let withdraw = withdrawal(&world, &cast, &published, 0, &provider);
    let greedy = swap(
        &withdraw,
        &published.version,
        &addresses::model_token::model_version(&published.model, 2),
    );
    world
        .send(&[greedy], &[&cast.stranger])
        .expect_error(ErrorCode::ConstraintSeeds);
    // And another model's vault.
    let [own, others] = [&published, &other_base].map(|published| addresses::revenue_escrow::vault(&published.model));
    world.given_vault(&cast, &other_base);
    world
        .send(&[swap(&withdraw, &own, &others)], &[&cast.stranger])
        .expect_error(ErrorCode::ConstraintSeeds);
}

#[test]
fn given_lists_of_contributors_that_are_not_well_formed_when_published_then_each_is_refused_by_name() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &runtime());
    let base = world.given_model_number(&cast, 1, &runtime());
    let developer = cast.developer.pubkey();
    let [one, other] = [&cast.watcher, &cast.rival].map(Signer::pubkey);
    let sound = contributed_args(&runtime(), &[(one, 100), (other, 50)]);
    let with = |contributors_bps: Vec<u16>| PublishVersionArgs {
        contributors_bps,
        ..sound.clone()
    };
    let nine: Vec<Pubkey> = (1..=9).map(|number| Pubkey::new_from_array([number; 32])).collect();
    let cases: [(PublishVersionArgs, Vec<Pubkey>, u32); 9] = [
        (with(vec![10; 9]), nine, ModelTokenError::TooManyContributors.into()),
        (
            with(vec![100, 50]),
            vec![one],
            ModelTokenError::ContributorsDoNotMatch.into(),
        ),
        (
            with(vec![]),
            vec![one, other],
            ModelTokenError::ContributorsDoNotMatch.into(),
        ),
        (
            with(vec![100, 51]),
            vec![one, other],
            ModelTokenError::WrongContributorsSum.into(),
        ),
        (
            with(vec![150, 0]),
            vec![one, other],
            ModelTokenError::ContributorShareIsZero.into(),
        ),
        (
            with(vec![100, 50]),
            vec![one, one],
            ModelTokenError::InvalidContributor.into(),
        ),
        (
            with(vec![100, 50]),
            vec![one, published.model],
            ModelTokenError::InvalidContributor.into(),
        ),
        (
            with(vec![100, 50]),
            vec![one, Pubkey::default()],
            ModelTokenError::InvalidContributor.into(),
        ),
        // An account of model-token that is no model.
        (
            with(vec![100, 50]),
            vec![one, base.version],
            ErrorCode::AccountDiscriminatorMismatch.into(),
        ),
    ];
    for (args, recipients, code) in cases {
        let publish =
            model_token::publish_version_of_contributors(developer, developer, published.model, 2, args, &recipients);
        world.send(&[publish], &[&cast.developer]).expect_error(code);
    }
    // A share for contributors that are not named, and one that is not in the sum.
    let unnamed = PublishVersionArgs {
        contributors_bps: vec![],
        ..sound.clone()
    };
    let publish = model_token::publish_version(developer, developer, published.model, 2, unnamed);
    world
        .send(&[publish], &[&cast.developer])
        .expect_error(ModelTokenError::WrongContributorsSum);
    let too_much = PublishVersionArgs {
        split: RevenueSplit {
            contributors_bps: 151,
            ..sound.split
        },
        contributors_bps: vec![100, 51],
        ..sound.clone()
    };
    let publish =
        model_token::publish_version_of_contributors(developer, developer, published.model, 2, too_much, &[one, other]);
    world
        .send(&[publish], &[&cast.developer])
        .expect_error(ModelTokenError::SplitIsNotAll);
}

#[test]
fn given_a_model_in_another_mint_when_named_as_contributor_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let base = world.given_model_number(&cast, 1, &runtime());
    let other_mint = world.key().pubkey();
    let authority = cast.stranger.pubkey();
    world.create_mint(&other_mint, &authority);
    let mut settings = world.settings(&cast);
    settings.payment_mints.push(other_mint);
    world.given_settings(&cast, settings);
    world.usdc = other_mint;
    let developer = cast.developer.pubkey();
    let derived = world.given_model_number(&cast, 2, &runtime());
    let args = contributed_args(&runtime(), &[(base.model, 100)]);
    let publish =
        model_token::publish_version_of_contributors(developer, developer, derived.model, 2, args, &[base.model]);
    world
        .send(&[publish], &[&cast.developer])
        .expect_error(ModelTokenError::WrongContributorMint);
}

#[test]
fn given_a_model_with_stakers_when_one_built_on_it_earns_then_its_holders_are_paid() {
    let (mut world, cast) = World::with_protocol();
    let base = world.given_model_number(&cast, 1, &runtime());
    world.given_token(&cast, &base);
    world.given_stake(&base, &cast.alice, SUPPLY / 2);
    world.pass_epochs(&base, 2);
    let service = given_contributed(&mut world, &cast, 0, &[(base.model, 333)]);
    let published = service.published;
    let service = given_revenue(&mut world, &cast, service, REVENUE);
    let owed = vault(&world, &published).owed_units;

    let payment = world.upstream_payment(&cast, &published, 0, &base);
    let unrolled = revenue_escrow::pay_upstream(revenue_escrow::UpstreamPayment {
        due_marks: [None; 2],
        ..payment
    });
    world
        .send(&[unrolled], &[&cast.stranger])
        .expect_error(YieldError::EpochMarkMissing);
    let pay = revenue_escrow::pay_upstream(payment);
    world.send(std::slice::from_ref(&pay), &[&cast.stranger]).expect_ok();
    world
        .send(&[pay], &[&cast.stranger])
        .expect_error(RevenueEscrowError::AmountIsZero);
    let pool = world.pool(&base);
    assert_eq!(pool.owed_units, CONTRIBUTED.div_ceil(2));
    assert_eq!(pool.redeem_units, CONTRIBUTED / 2);
    assert_eq!(vault(&world, &published).owed_units, owed - CONTRIBUTED);
    let alice = cast.alice.pubkey();
    let before = world.usdc_of(&alice);
    let claim = world.claim_of(&base, &cast.stranger.pubkey(), &alice);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(world.usdc_of(&alice) - before, CONTRIBUTED / 2);

    // The next report is paid on top.
    given_revenue(&mut world, &cast, service, REVENUE);
    let payment = world.upstream_payment(&cast, &published, 0, &base);
    world
        .send(&[revenue_escrow::pay_upstream(payment)], &[&cast.stranger])
        .expect_ok();
    assert_eq!(
        contributions(&world, &published).paid_units[0],
        u128::from(2 * CONTRIBUTED)
    );
}

#[test]
fn given_a_model_without_a_token_when_one_built_on_it_earns_then_its_developer_is_owed() {
    let (mut world, cast) = World::with_protocol();
    let base = world.given_model_number(&cast, 1, &runtime());
    let service = given_contributed(&mut world, &cast, 0, &[(base.model, 333)]);
    let published = service.published;
    let service = given_revenue(&mut world, &cast, service, REVENUE);
    let (developer, paying) = (
        cast.developer.pubkey(),
        addresses::revenue_escrow::vault(&published.model),
    );
    let earnings = addresses::revenue_escrow::earnings(&paying, &developer);
    let before = world.read::<Earnings>(&earnings).owed_units;
    let owed = vault(&world, &published).owed_units;
    let payment = world.upstream_payment(&cast, &published, 0, &base);
    world
        .send(&[revenue_escrow::pay_upstream(payment)], &[&cast.stranger])
        .expect_ok();
    assert_eq!(world.read::<Earnings>(&earnings).owed_units - before, CONTRIBUTED);
    assert_eq!(vault(&world, &published).owed_units, owed);

    // Once it has a token, its developer cannot take the holders' part by being quick.
    world.given_offering(&cast, &base);
    world.given_commitment(&base, &cast.alice, usdc(2_000));
    world.given_settled(&cast, &base);
    given_revenue(&mut world, &cast, service, REVENUE);
    let payment = world.upstream_payment(&cast, &published, 0, &base);
    world
        .send(&[revenue_escrow::pay_upstream(payment)], &[&cast.stranger])
        .expect_error(RevenueEscrowError::PoolMissing);
    world.given_pool(&cast, &base);
    world
        .send(&[revenue_escrow::pay_upstream(payment)], &[&cast.stranger])
        .expect_ok();
    assert_eq!(world.pool(&base).redeem_units, CONTRIBUTED);
}

#[test]
fn given_two_models_built_on_each_other_when_both_earn_then_each_hop_is_paid_once_and_ends() {
    let (mut world, cast) = World::with_protocol();
    let service = given_contributed(&mut world, &cast, 0, &[]);
    let first = service.published;
    world.given_token(&cast, &first);
    let second = given_contributed(&mut world, &cast, 1, &[(first.model, 333)]);
    let second_published = second.published;
    // Another token of the same holders.
    world.given_token(&cast, &second_published);
    let developer = cast.developer.pubkey();
    let args = contributed_args(&runtime(), &[(second_published.model, 333)]);
    let publish = model_token::publish_version_of_contributors(
        developer,
        developer,
        first.model,
        2,
        args,
        &[second_published.model],
    );
    world.send(&[publish], &[&cast.developer]).expect_ok();
    world.pass_slots(imo_tests::world::terms().notice_slots);
    let activate = model_token::activate_version(developer, first.model, 2);
    world.send(&[activate], &[&cast.developer]).expect_ok();
    let first_later = Published {
        version: addresses::model_token::model_version(&first.model, 2),
        ..first
    };
    let service = Service {
        published: first_later,
        ..service
    };
    given_revenue(&mut world, &cast, service, REVENUE);
    given_revenue(&mut world, &cast, second, REVENUE);
    let own = |world: &World| [&first, &second_published].map(|published| world.pool(published).redeem_units);
    let before = own(&world);
    for (from, to) in [(&first_later, &second_published), (&second_published, &first)] {
        let payment = world.upstream_payment(&cast, from, 0, to);
        let pay = revenue_escrow::pay_upstream(payment);
        world.send(std::slice::from_ref(&pay), &[&cast.stranger]).expect_ok();
        world
            .send(&[pay], &[&cast.stranger])
            .expect_error(RevenueEscrowError::AmountIsZero);
    }
    assert_eq!(own(&world), before.map(|units| units + CONTRIBUTED));
}

#[test]
fn given_revenue_when_split_then_only_what_went_to_others_for_good_is_counted() {
    let (mut world, cast) = World::with_protocol();
    let provider = cast.watcher.pubkey();
    let service = given_contributed(&mut world, &cast, 0, &[(provider, 333)]);
    let published = service.published;
    // Without a token only the protocol's five percent.
    let service = given_revenue(&mut world, &cast, service, usdc(10));
    assert_eq!(vault(&world, &published).paid_to_others_units, 500_000);
    // With one, also the 45 percent of holders and redeem pool.
    world.given_token(&cast, &published);
    given_revenue(&mut world, &cast, service, usdc(10));
    assert_eq!(
        vault(&world, &published).paid_to_others_units,
        500_000 + 500_000 + 4_500_000
    );
}
