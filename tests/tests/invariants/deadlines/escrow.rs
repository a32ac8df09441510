//! The escrow's deadlines.

use ::opml_oracle::errors::OracleError;
use ::revenue_escrow::{
    errors::RevenueEscrowError as Error,
    instructions::GrantSessionArgs,
    state::{Credit, Lane, Session},
};
use imo_client::{
    addresses,
    instructions::{data::Permission, revenue_escrow},
};
use imo_tests::{
    Cast, World,
    models::{chain, honest},
    world::{CREDIT, LANE, Search, Service, usdc},
};
use solana_signer::Signer;

use super::{Border, When, attempt, given_voucher, send};

fn given_service() -> (World, Cast, Service) {
    let (mut world, cast) = World::light();
    let service = world.given_service(&cast, &chain(2));
    (world, cast, service)
}

/// A credit's notice and a lane's: when the money may leave, and until when.
pub fn notices() -> Vec<Border> {
    let (mut world, cast, service) = given_service();
    let (key, model, mint) = (cast.payer.pubkey(), service.published.model, world.usdc);
    let announce = revenue_escrow::request_withdraw(key, model, CREDIT - LANE);
    send(&mut world, announce, &cast.payer);
    let destination = addresses::payment_account(&key, &mint);
    let withdraw = revenue_escrow::withdraw_credit(key, model, mint, destination);
    let announce = revenue_escrow::request_release(key, model, service.operator, LANE);
    send(&mut world, announce, &cast.payer);
    let release = revenue_escrow::release_lane(key, model, service.operator);
    let credit = world.read::<Credit>(&service.customer.credit).withdraw_deadline;
    let lane = world.read::<Lane>(&service.customer.lane).release_deadline;
    let mut borders = Vec::new();
    for (field, names, deadline, leave) in [
        (
            "Credit.withdraw_deadline",
            ["a credit's notice is due", "a credit's notice lapses"],
            credit,
            withdraw,
        ),
        (
            "Lane.release_deadline",
            ["a lane's notice is due", "a lane's notice lapses"],
            lane,
            release,
        ),
    ] {
        let border = |name, when, in_time, past| Border {
            field,
            name,
            world: world.fork().expect("the world is a light one"),
            when,
            in_time,
            past,
        };
        let [due, lapse] =
            [Error::NoticeNotDue, Error::NoNotice].map(|error| attempt([leave.clone()], &[&cast.payer], error));
        borders.push(border(names[0], When::Both(deadline), vec![], vec![due]));
        borders.push(border(
            names[1],
            When::Plain(deadline.later_by(deadline.length_slots())),
            vec![lapse],
            vec![],
        ));
    }
    borders
}

/// A session that is revoked, and one that expires: what its key permits and signs until then, and when it is closed.
pub fn sessions() -> Vec<Border> {
    let (mut world, cast, mut service) = given_service();
    let (key, model) = (cast.payer.pubkey(), service.published.model);
    let (_, collect) = given_voucher(&mut world, &cast, &mut service, 100_000);
    let revoke = revenue_escrow::revoke_session(key, model, cast.session.pubkey());
    send(&mut world, revoke, &cast.payer);
    let address = addresses::revenue_escrow::session(&service.customer.credit, &cast.session.pubkey());
    let session: Session = world.read(&address);
    let close = revenue_escrow::close_session(&session);
    let revoked = Border {
        field: "Session.revoke_deadline",
        name: "a revoked session's notice",
        when: When::Both(session.revoke_deadline),
        in_time: vec![attempt(collect, &[&cast.operator], Error::SessionRevoked)],
        past: vec![attempt([close], &[&cast.stranger], Error::SessionStillLive)],
        world,
    };
    vec![revoked, expiring()]
}

fn expiring() -> Border {
    let (mut world, cast) = World::light();
    let model = chain(2);
    let published = world.given_model(&cast, &model);
    world.given_vault(&cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let customer = world.given_private_customer(&cast.payer, &cast.session, &published, operator);
    let credit = customer.credit;
    let service = Service {
        published,
        operator,
        customer,
    };
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(1))]);
    let (key, payer) = (cast.bob.pubkey(), cast.payer.pubkey());
    let expires_unix = world.now().unix + 100;
    let args = GrantSessionArgs {
        key,
        limit_units: 1,
        expires_unix,
    };
    let grant = revenue_escrow::grant_session(payer, payer, published.model, args);
    send(&mut world, grant, &cast.payer);
    world.pass_slots(1);
    let permission = Some(Permission::Session(key));
    let look = Search::receipts_of(&world, &cast.watcher.pubkey(), &case, permission, 0);
    let session: Session = world.read(&addresses::revenue_escrow::session(&credit, &key));
    let close = revenue_escrow::close_session(&session);
    Border {
        field: "Session.expires_unix",
        name: "a session's expiry",
        when: When::Second(expires_unix),
        in_time: vec![attempt(
            [look],
            &[&cast.watcher, &cast.bob],
            OracleError::PermissionMissing,
        )],
        past: vec![attempt([close], &[&cast.stranger], Error::SessionStillLive)],
        world,
    }
}

/// A voucher's own expiry.
pub fn vouchers() -> Vec<Border> {
    let (mut world, cast, mut service) = given_service();
    // The report's time is longer.
    let seconds = 100;
    let expires_unix = world.now().unix + seconds;
    let (_, collect) = given_voucher(&mut world, &cast, &mut service, seconds);
    vec![Border {
        field: "Voucher.expires_unix",
        name: "a voucher's expiry",
        when: When::Second(expires_unix),
        in_time: vec![attempt(collect, &[&cast.operator], Error::VoucherExpired)],
        past: vec![],
        world,
    }]
}

/// Nothing closes in the slot of its opening, so that no generation comes twice.
pub fn first_slots() -> Vec<Border> {
    let (mut world, cast) = World::light();
    let published = world.given_model(&cast, &chain(2));
    world.given_vault(&cast, &published);
    let key = cast.payer.pubkey();
    let open = revenue_escrow::open_credit(key, key, published.model);
    send(&mut world, open, &cast.payer);
    let credit: Credit = world.read(&addresses::revenue_escrow::credit(&key, &published.model));
    let close = revenue_escrow::close_credit(&credit);
    vec![Border {
        field: "Credit.generation",
        name: "a credit's first slot",
        when: When::Slot(credit.generation),
        in_time: vec![],
        past: vec![attempt([close], &[&cast.payer], Error::OpenedInThisSlot)],
        world,
    }]
}
