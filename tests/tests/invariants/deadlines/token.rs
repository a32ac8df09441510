//! The model token's deadlines.

use ::model_token::{
    errors::ModelTokenError as Error,
    instructions::RegisterModelArgs,
    state::{Appointment, MetadataUpdate, Model, ModelVersion, OperatorAccess, Protocol},
};
use ::opml_oracle::{errors::OracleError, state::Operator};
use ::revenue_escrow::errors::RevenueEscrowError;
use imo_client::{
    addresses,
    instructions::{model_token, opml_oracle, revenue_escrow},
};
use imo_tests::{
    World,
    models::{chain, dense},
    world::{
        BOND, BUYER_VESTING, MAX_RAISE, OFFERING_SECONDS, TAIL_SECONDS, TRANCHE_SECONDS, profile, usdc, version_args,
    },
};
use solana_signer::Signer;

use super::{Border, When, attempt, send};

/// Settings that wait.
pub fn update() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let settings = world.settings(&cast);
    let update = world.given_proposal(&cast, settings);
    let execute = model_token::execute_update(&update);
    let cancel = model_token::cancel_update(cast.stranger.pubkey(), &update);
    let lapse = update.due.later_by(update.due.length_slots());
    let due = Border {
        field: "ProtocolUpdate.due",
        name: "the timelock",
        world: world.fork().expect("the world is a light one"),
        when: When::Both(update.due),
        in_time: vec![],
        past: vec![attempt([execute.clone()], &[&cast.stranger], Error::UpdateNotDue)],
    };
    let lapsed = Border {
        field: "ProtocolUpdate.due",
        name: "a proposal lapses",
        world,
        when: When::Plain(lapse),
        in_time: vec![attempt([execute], &[&cast.stranger], Error::UpdateLapsed)],
        past: vec![attempt([cancel], &[&cast.stranger], Error::CancelNotYours)],
    };
    vec![due, lapsed]
}

/// A later version's notice.
pub fn version() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let published = world.given_model(&cast, &chain(2));
    let developer = cast.developer.pubkey();
    let second = version_args(&dense(&[4, 3]));
    let publish = model_token::publish_version(developer, developer, published.model, 2, second);
    send(&mut world, publish, &cast.developer);
    let address = addresses::model_token::model_version(&published.model, 2);
    let ends = world.read::<ModelVersion>(&address).notice_ends_slot;
    let activate = model_token::activate_version(developer, published.model, 2);
    vec![Border {
        field: "ModelVersion.notice_ends_slot",
        name: "a version's notice",
        when: When::Slot(ends - 1),
        in_time: vec![],
        past: vec![attempt([activate], &[&cast.developer], Error::NoticeNotOver)],
        world,
    }]
}

/// A model's list: until when those may report who are not on it, and those who were dismissed.
pub fn list() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let published = world.given_model(&cast, &chain(2));
    let (developer, authority) = (cast.developer.pubkey(), cast.operator.pubkey());
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let rival = world.given_operator(&cast.rival, &cast.backup.pubkey());
    for instruction in [
        model_token::appoint_operator(developer, developer, published.model, authority),
        model_token::set_operator_access(developer, published.model, OperatorAccess::Listed),
        model_token::dismiss_operator(developer, published.model, authority),
    ] {
        send(&mut world, instruction, &cast.developer);
    }
    let [operator, rival] = [operator, rival].map(|address| world.read::<Operator>(&address));
    let terms = || world.report_terms(&published, BOND);
    let unlisted = opml_oracle::post_report(cast.rival.pubkey(), &rival, terms());
    let dismissed = opml_oracle::post_report_as_appointed(authority, &operator, terms());
    let address = addresses::model_token::appointment(&published.model, &authority);
    let appointment: Appointment = world.read(&address);
    let close = model_token::close_appointment(&appointment);
    let listing = Border {
        field: "Model.listing",
        name: "a list's notice",
        when: When::Both(world.read::<Model>(&published.model).listing),
        in_time: vec![attempt([unlisted], &[&cast.rival], OracleError::NotAppointed)],
        past: vec![],
        world: world.fork().expect("the world is a light one"),
    };
    let dismissal = Border {
        field: "Appointment.dismissal",
        name: "a dismissal's notice",
        when: When::Both(appointment.dismissal),
        in_time: vec![attempt([dismissed], &[&cast.operator], OracleError::NotAppointed)],
        past: vec![attempt([close], &[&cast.stranger], Error::AppointmentInForce)],
        world,
    };
    vec![listing, dismissal]
}

/// A pause: when new things come in again, and when the next one may begin.
pub fn pause() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let published = world.given_model(&cast, &chain(2));
    world.given_vault(&cast, &published);
    world.given_token(&cast, &published);
    let [guardian, payer, operator, developer] =
        [&cast.guardian, &cast.payer, &cast.operator, &cast.developer].map(Signer::pubkey);
    let began = world.now().unix;
    let until = began + 1_000;
    send(&mut world, model_token::set_pause(guardian, until), &cast.guardian);
    let protocol: Protocol = world.read(&addresses::model_token::protocol());
    assert_eq!((protocol.paused_since_unix, protocol.paused_until_unix), (began, until));
    let credit = revenue_escrow::open_credit(payer, payer, published.model);
    let register = opml_oracle::register_operator(operator, operator, world.usdc, profile(&cast.backup.pubkey()));
    let args = RegisterModelArgs {
        index: 5,
        metadata: world.read::<Model>(&published.model).metadata,
    };
    let model = model_token::register_model(developer, developer, world.usdc, args);
    let again = model_token::set_pause(guardian, until + 2_000);
    let ends = Border {
        field: "Protocol.paused_until_unix",
        name: "a pause's end",
        world: world.fork().expect("the world is a light one"),
        when: When::Second(until - 1),
        in_time: vec![],
        past: vec![
            attempt([credit], &[&cast.payer], RevenueEscrowError::Paused),
            attempt([register], &[&cast.operator], Error::Paused),
            attempt([model], &[&cast.developer], Error::Paused),
        ],
    };
    let next = Border {
        field: "Protocol.paused_since_unix",
        name: "the next pause",
        world,
        when: When::Second(2 * until - began - 1),
        in_time: vec![],
        past: vec![attempt([again], &[&cast.guardian], Error::PausedTooRecently)],
    };
    vec![ends, next]
}

/// Other metadata, which wait like a version.
pub fn metadata() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let published = world.given_model(&cast, &chain(2));
    let developer = cast.developer.pubkey();
    let metadata = world.read::<Model>(&published.model).metadata;
    let propose = model_token::propose_metadata(developer, developer, published.model, metadata);
    send(&mut world, propose, &cast.developer);
    let update: MetadataUpdate = world.read(&addresses::model_token::metadata_update(&published.model));
    let apply = model_token::apply_metadata(developer, developer, &update);
    vec![Border {
        field: "MetadataUpdate.notice_ends_slot",
        name: "the notice of metadata",
        when: When::Slot(update.notice_ends_slot - 1),
        in_time: vec![],
        past: vec![attempt([apply], &[&cast.developer], Error::NoticeNotOver)],
        world,
    }]
}

/// An offering: from when and until when one commits, until when one withdraws, and when it is settled.
pub fn offering() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let published = world.given_model(&cast, &chain(2));
    let (developer, alice, mint) = (cast.developer.pubkey(), cast.alice.pubkey(), world.usdc);
    let opens_unix = world.now().unix + 100;
    let args = ::model_token::instructions::OpenOfferingArgs {
        opens_unix,
        tail_unix: opens_unix + TAIL_SECONDS,
        closes_unix: opens_unix + OFFERING_SECONDS,
        ..world.offering_args()
    };
    let (tail_unix, closes_unix) = (args.tail_unix, args.closes_unix);
    let open = model_token::open_offering(developer, developer, published.model, mint, args);
    send(&mut world, open, &cast.developer);
    world.given_usdc(&alice, usdc(10));
    let commit = model_token::commit(alice, alice, published.model, mint, usdc(1));
    let settle = model_token::settle_offering(cast.stranger.pubkey(), published.model);
    let opens = Border {
        field: "Offering.opens_unix",
        name: "an offering opens",
        world: world.fork().expect("the world is a light one"),
        when: When::Second(opens_unix - 1),
        in_time: vec![],
        past: vec![attempt([commit.clone()], &[&cast.alice], Error::OfferingNotOpenYet)],
    };
    let tail = Border {
        field: "Offering.tail_unix",
        name: "an offering's tail",
        world: world.fork().expect("the world is a light one"),
        when: When::Second(tail_unix - 1),
        in_time: vec![attempt([commit.clone()], &[&cast.alice], Error::TailHasBegun)],
        past: vec![],
    };
    world.pass_until_unix(opens_unix);
    send(&mut world, commit, &cast.alice);
    let withdraw = model_token::withdraw_commitment(alice, alice, published.model, mint, 1);
    let closes = Border {
        field: "Offering.closes_unix",
        name: "an offering closes",
        world,
        when: When::Second(closes_unix - 1),
        in_time: vec![attempt([withdraw], &[&cast.alice], Error::OfferingClosed)],
        past: vec![attempt([settle], &[&cast.stranger], Error::OfferingNotClosed)],
    };
    vec![opens, tail, closes]
}

/// What counts from a settlement: tokens that vest, and proceeds that have to be earned.
pub fn settlement() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let published = world.given_model(&cast, &chain(2));
    let args = world.vesting_args();
    world.given_offering_of(&cast, &published, args);
    world.given_commitment(&published, &cast.alice, MAX_RAISE);
    let settled_unix = world.given_settled(&cast, &published).settled_unix;
    world.given_pool(&cast, &published);
    world.given_claimed(&cast, &published, &[&cast.alice]);
    let release = world.release_of(&published, &cast.alice.pubkey());
    let miss = world.miss_of(&published, 1);
    let free = Border {
        field: "Offering.settled_unix",
        name: "a cliff",
        world: world.fork().expect("the world is a light one"),
        when: When::Second(settled_unix + i64::from(BUYER_VESTING.cliff_seconds)),
        in_time: vec![],
        past: vec![attempt([release], &[&cast.stranger], Error::NothingToRelease)],
    };
    let missed = Border {
        field: "Offering.settled_unix",
        name: "a tranche's deadline",
        world,
        when: When::Second(settled_unix + i64::from(TRANCHE_SECONDS)),
        in_time: vec![],
        past: vec![attempt([miss], &[&cast.stranger], Error::TrancheNotMissed)],
    };
    vec![free, missed]
}
