//! Changing the protocol: nothing at once, nothing behind anybody's back, and pauses that end.

use ::model_token::{
    constants::MAX_PAUSE_SECONDS,
    errors::ModelTokenError,
    instructions::InitProtocolArgs,
    state::{AuditTerms, DisputeTerms, ModelVersion, Protocol, ProtocolUpdate, Settings},
};
use anchor_lang::{error::ErrorCode, prelude::Pubkey};
use imo_client::{addresses, instructions::model_token};
use imo_tests::{
    Cast, Outcome, World,
    attack::swap,
    models::dense,
    multisig::{self, by_multisig},
    world::{PROTOCOL_BPS, TIMELOCK_SLOTS, terms, usdc},
};
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

fn protocol(world: &World) -> Protocol {
    world.read(&addresses::model_token::protocol())
}

/// Other settings than those in force.
fn proposed(world: &World, cast: &Cast) -> Settings {
    Settings {
        guardian: cast.rival.pubkey(),
        treasury: cast.alice.pubkey(),
        payment_mints: vec![world.usdc, Pubkey::new_from_array([7; 32])],
        protocol_bps: PROTOCOL_BPS + 100,
        terms: DisputeTerms {
            window_slots: 900,
            ..terms()
        },
        timelock_slots: TIMELOCK_SLOTS + 500,
        audits: AuditTerms {
            share_bps: 2_000,
            fee_units: usdc(1),
        },
    }
}

#[test]
fn given_a_proposal_when_its_timelock_runs_then_nothing_changes_until_it_is_over_and_all_does_then() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let before = protocol(&world);
    let settings = proposed(&world, &cast);
    let update = world.given_proposal(&cast, settings.clone());
    let execute = model_token::execute_update(&update);
    for slots in [0, TIMELOCK_SLOTS - 1, 1] {
        world.pass_slots(slots);
        world
            .send(std::slice::from_ref(&execute), &[&cast.stranger])
            .expect_error(ModelTokenError::UpdateNotDue);
        assert_eq!(protocol(&world), before);
    }
    world.pass_slots(1);
    let rent = world.lamports(&addresses::model_token::protocol_update());
    let authority = cast.authority.pubkey();
    let lamports = world.lamports(&authority);
    world
        .send(std::slice::from_ref(&execute), &[&cast.stranger])
        .expect_ok();
    assert_eq!(world.lamports(&authority) - lamports, rent);
    let after = protocol(&world);
    let mut mints = [Pubkey::default(); 8];
    mints[..2].copy_from_slice(&settings.payment_mints);
    let expected = Protocol {
        guardian: settings.guardian,
        treasury: settings.treasury,
        payment_mints: mints,
        payment_mint_count: 2,
        protocol_bps: settings.protocol_bps,
        terms: settings.terms,
        timelock_slots: settings.timelock_slots,
        audits: settings.audits,
        ..before
    };
    assert_eq!(after, expected);
    // Once only; and what is published keeps its terms and its split.
    world
        .send(&[execute], &[&cast.stranger])
        .expect_error(ErrorCode::AccountNotInitialized);
    let version: ModelVersion = world.read(&published.version);
    assert_eq!((version.terms, version.split.protocol_bps), (terms(), PROTOCOL_BPS));
}

#[test]
fn given_a_matured_proposal_when_it_is_kept_in_the_drawer_then_it_lapses_and_anyone_clears_it() {
    for (slots, lapsed) in [(2 * TIMELOCK_SLOTS, false), (2 * TIMELOCK_SLOTS + 1, true)] {
        let (mut world, cast) = World::with_protocol();
        let settings = proposed(&world, &cast);
        let update = world.given_proposal(&cast, settings);
        world.pass_slots(slots);
        let cancel = model_token::cancel_update(cast.stranger.pubkey(), &update);
        let execute = model_token::execute_update(&update);
        if lapsed {
            world
                .send(&[execute], &[&cast.stranger])
                .expect_error(ModelTokenError::UpdateLapsed);
            world.send(&[cancel], &[&cast.stranger]).expect_ok();
        } else {
            world
                .send(&[cancel], &[&cast.stranger])
                .expect_error(ModelTokenError::CancelNotYours);
            world.send(&[execute], &[&cast.stranger]).expect_ok();
        }
    }
}

#[test]
fn given_a_proposal_when_the_authority_changes_its_mind_then_cancelled_and_another_one_waits_anew() {
    let (mut world, cast) = World::with_protocol();
    let authority = cast.authority.pubkey();
    let settings = proposed(&world, &cast);
    let update = world.given_proposal(&cast, settings.clone());
    world.pass_slots(TIMELOCK_SLOTS);
    let again = model_token::propose_update(authority, authority, world.settings(&cast));
    world
        .send(std::slice::from_ref(&again), &[&cast.authority])
        .expect_error(ALREADY_IN_USE);
    let cancel = model_token::cancel_update(authority, &update);
    world.send(&[cancel], &[&cast.authority]).expect_ok();
    world.send(&[again], &[&cast.authority]).expect_ok();
    world.pass_slots(1);
    let second: ProtocolUpdate = world.read(&addresses::model_token::protocol_update());
    world
        .send(&[model_token::execute_update(&second)], &[&cast.stranger])
        .expect_error(ModelTokenError::UpdateNotDue);
    let guardian = protocol(&world).guardian;
    assert_eq!(guardian, cast.guardian.pubkey());
}

#[test]
fn given_settings_that_must_not_be_when_proposed_then_refused_by_name() {
    let (mut world, cast) = World::with_protocol();
    let [authority, stranger, guardian] = [&cast.authority, &cast.stranger, &cast.guardian].map(Signer::pubkey);
    let good = world.settings(&cast);
    type Change = fn(&mut Settings);
    let cases: [(Change, ModelTokenError); 7] = [
        (
            |settings| settings.terms.epoch_slots += 1,
            ModelTokenError::EpochLengthIsFixed,
        ),
        (
            |settings| {
                settings.terms.notice_slots += 1;
                settings.timelock_slots += 1;
            },
            ModelTokenError::WaitIsFixed,
        ),
        (
            |settings| settings.terms.unbonding_slots += 1,
            ModelTokenError::WaitIsFixed,
        ),
        (
            |settings| settings.timelock_slots -= 1,
            ModelTokenError::TimelockOutOfRange,
        ),
        (
            |settings| settings.protocol_bps = 10_001,
            ModelTokenError::ProtocolShareExceedsAll,
        ),
        (
            |settings| settings.payment_mints.clear(),
            ModelTokenError::NoPaymentMint,
        ),
        (
            |settings| settings.terms.min_bond_units = 0,
            ModelTokenError::BondIsZero,
        ),
    ];
    for (change, error) in cases {
        let mut settings = good.clone();
        change(&mut settings);
        world
            .send(
                &[model_token::propose_update(authority, authority, settings)],
                &[&cast.authority],
            )
            .expect_error(error);
    }
    let propose = model_token::propose_update(authority, authority, good);
    for (key, who) in [(stranger, &cast.stranger), (guardian, &cast.guardian)] {
        world
            .send(&[swap(&propose, &authority, &key)], &[who])
            .expect_error(ModelTokenError::NotAuthority);
    }
    world.send(&[propose], &[&cast.authority]).expect_ok();
}

#[test]
fn given_a_successor_when_named_then_only_it_accepts_and_the_old_authority_acts_until_then() {
    let (mut world, cast) = World::with_protocol();
    let [authority, successor, stranger] = [&cast.authority, &cast.alice, &cast.stranger].map(Signer::pubkey);
    let accept = model_token::accept_authority(successor);
    world
        .send(std::slice::from_ref(&accept), &[&cast.alice])
        .expect_error(ModelTokenError::NotPendingAuthority);
    let by_stranger = model_token::propose_authority(stranger, stranger);
    world
        .send(&[by_stranger], &[&cast.stranger])
        .expect_error(ModelTokenError::NotAuthority);
    world
        .send(
            &[model_token::propose_authority(authority, stranger)],
            &[&cast.authority],
        )
        .expect_ok();
    // A wrong address is corrected, because nothing has happened yet.
    world
        .send(
            &[model_token::propose_authority(authority, successor)],
            &[&cast.authority],
        )
        .expect_ok();
    world
        .send(&[model_token::accept_authority(stranger)], &[&cast.stranger])
        .expect_error(ModelTokenError::NotPendingAuthority);
    let settings = world.settings(&cast);
    let update = world.given_proposal(&cast, settings);
    world.send(std::slice::from_ref(&accept), &[&cast.alice]).expect_ok();
    let state = protocol(&world);
    assert_eq!(
        (state.authority, state.pending_authority),
        (successor, Pubkey::default())
    );
    world
        .send(&[accept], &[&cast.alice])
        .expect_error(ModelTokenError::NotPendingAuthority);
    // What the old authority proposed is the new one's to cancel.
    world
        .send(&[model_token::cancel_update(authority, &update)], &[&cast.authority])
        .expect_error(ModelTokenError::CancelNotYours);
    world
        .send(&[model_token::cancel_update(successor, &update)], &[&cast.alice])
        .expect_ok();
    // An offer is taken back with the default key.
    for pending in [authority, Pubkey::default()] {
        world
            .send(&[model_token::propose_authority(successor, pending)], &[&cast.alice])
            .expect_ok();
    }
    world
        .send(&[model_token::accept_authority(authority)], &[&cast.authority])
        .expect_error(ModelTokenError::NotPendingAuthority);
}

#[test]
fn given_a_multisig_as_authority_when_it_proposes_cancels_and_hands_over_then_as_with_a_key() {
    let (mut world, cast) = World::empty();
    let deployer = cast.deployer.pubkey();
    let vault = multisig::vault();
    let args = InitProtocolArgs {
        authority: vault,
        ..world.protocol_args(&cast)
    };
    world
        .send(
            &[model_token::init_protocol(deployer, deployer, args)],
            &[&cast.deployer],
        )
        .expect_ok();
    let settings = proposed(&world, &cast);
    let propose = model_token::propose_update(vault, deployer, settings.clone());
    world.send(&[by_multisig(&propose)], &[&cast.deployer]).expect_ok();
    let update: ProtocolUpdate = world.read(&addresses::model_token::protocol_update());
    let cancel = model_token::cancel_update(vault, &update);
    world.send(&[by_multisig(&cancel)], &[&cast.deployer]).expect_ok();
    world.send(&[by_multisig(&propose)], &[&cast.deployer]).expect_ok();
    let update: ProtocolUpdate = world.read(&addresses::model_token::protocol_update());
    world.pass_slots(TIMELOCK_SLOTS + 1);
    world
        .send(&[model_token::execute_update(&update)], &[&cast.stranger])
        .expect_ok();
    assert_eq!(protocol(&world).guardian, settings.guardian);
    let authority = cast.authority.pubkey();
    let hand_over = model_token::propose_authority(vault, authority);
    world.send(&[by_multisig(&hand_over)], &[&cast.deployer]).expect_ok();
    world
        .send(&[model_token::accept_authority(authority)], &[&cast.authority])
        .expect_ok();
    let hand_back = model_token::propose_authority(authority, vault);
    world.send(&[hand_back], &[&cast.authority]).expect_ok();
    let accept = model_token::accept_authority(vault);
    world.send(&[by_multisig(&accept)], &[&cast.deployer]).expect_ok();
    assert_eq!(protocol(&world).authority, vault);
}

#[test]
fn given_a_guardian_when_it_pauses_then_seven_days_at_most_and_never_twice_in_a_row() {
    let (mut world, cast) = World::with_protocol();
    let [authority, guardian, stranger] = [&cast.authority, &cast.guardian, &cast.stranger].map(Signer::pubkey);
    let now = world.now().unix;
    for (who, key) in [(&cast.stranger, stranger), (&cast.authority, authority)] {
        world
            .send(&[model_token::set_pause(key, now + 1)], &[who])
            .expect_error(ModelTokenError::NotGuardian);
    }
    let pause =
        |world: &mut World, until: i64| world.send(&[model_token::set_pause(guardian, until)], &[&cast.guardian]);
    pause(&mut world, now).expect_error(ModelTokenError::NotPaused);
    pause(&mut world, now + MAX_PAUSE_SECONDS + 1).expect_error(ModelTokenError::PauseTooLong);
    pause(&mut world, now + 1_000).expect_ok();
    // Moved, but seven days count from its beginning.
    world.pass_until_unix(now + 999);
    pause(&mut world, now + MAX_PAUSE_SECONDS + 1).expect_error(ModelTokenError::PauseTooLong);
    pause(&mut world, now + 2_000).expect_ok();
    // It ends by itself, and as long again has to pass.
    world.pass_until_unix(now + 2_000);
    pause(&mut world, now + 3_000).expect_error(ModelTokenError::PausedTooRecently);
    world.pass_until_unix(now + 3_999);
    pause(&mut world, now + 5_000).expect_error(ModelTokenError::PausedTooRecently);
    world.pass_until_unix(now + 4_000);
    pause(&mut world, now + 9_000).expect_ok();
    // Lifted after a hundred seconds.
    world.pass_until_unix(now + 4_100);
    pause(&mut world, 0).expect_ok();
    assert_eq!(protocol(&world).paused_until_unix, now + 4_100);
    pause(&mut world, now + 5_000).expect_error(ModelTokenError::PausedTooRecently);
    world.pass_until_unix(now + 4_200);
    pause(&mut world, now + 4_200 + MAX_PAUSE_SECONDS).expect_ok();
}
