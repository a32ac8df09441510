//! Payers who want answers for nothing.

use ::revenue_escrow::{errors::RevenueEscrowError, instructions::GrantSessionArgs, state::Lane};
use anchor_lang::prelude::Pubkey;
use imo_client::{addresses, instructions::revenue_escrow};
use solana_signer::Signer;

use super::Arena;
use crate::{
    landed::Outcome,
    models::{chain, honest},
    world::{LANE, Service, sign, terms, usdc},
};

/// An honest operator and a payer who attacks; nothing asked yet.
fn given_a_customer(arena: &mut Arena) -> Service {
    let model = chain(2);
    let Arena { world, cast, .. } = arena;
    let service = world.given_service(cast, &model);
    let [operator, payer] = [&cast.operator, &cast.payer].map(Signer::pubkey);
    arena.sides([payer], [operator]);
    service
}

/// Is served and collected from, then closes its lane and opens it again, for the old voucher to fail or to count twice.
pub fn reopener_of_a_lane(arena: &mut Arena) {
    let mut service = given_a_customer(arena);
    let payer = arena.cast.payer.insecure_clone();
    let authority = arena.cast.operator.insecure_clone();
    let (key, model, operator) = (payer.pubkey(), service.published.model, service.operator);
    let asked = [honest(&chain(2), 0, usdc(20))];
    let report = arena.given_report(&authority, &service.published);
    let (receipts, voucher) = arena.given_answers(&mut service.customer, &asked);
    let lane = arena.collected_lane(&authority, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    arena.send(&collect, &[&authority]).expect_ok();
    let release = revenue_escrow::request_release(key, model, operator, LANE - usdc(20));
    arena.send(&[release], &[&payer]).expect_ok();
    arena.pass_slots(terms().notice_slots + 2);
    arena
        .send(&[revenue_escrow::release_lane(key, model, operator)], &[&payer])
        .expect_ok();
    let state: Lane = arena.read(&service.customer.lane);
    arena
        .send(&[revenue_escrow::close_lane(key, &state)], &[&payer])
        .expect_ok();
    let open = revenue_escrow::open_lane(key, key, model, operator, usdc(40), false);
    arena.send(&[open], &[&payer]).expect_ok();
    // The operator is not tempted either: the old voucher is not good for the new lane.
    let second = arena.given_report(&authority, &service.published);
    let lane = arena.collected_lane(&authority, &service.customer, second);
    let replay = revenue_escrow::collect(lane, &voucher, receipts.root());
    let refused = arena.send(&replay, &[&authority]);
    refused.expect_error(imo_protocol::errors::ProtocolError::WrongMessage);
}

/// Is served, closes its session and grants one with the same key again, to have what the old one signed forgotten, or good for a new limit.
pub fn reopener_of_a_session(arena: &mut Arena) {
    let mut service = given_a_customer(arena);
    let cast = arena.cast.copy();
    let (key, model) = (cast.payer.pubkey(), service.published.model);
    let session = addresses::revenue_escrow::session(&service.customer.credit, &cast.session.pubkey());
    let (receipts, voucher) = arena.given_answers(&mut service.customer, &[honest(&chain(2), 0, usdc(20))]);
    let revoke = revenue_escrow::revoke_session(key, model, cast.session.pubkey());
    arena.send(&[revoke], &[&cast.payer]).expect_ok();
    let close = revenue_escrow::close_session(&arena.read(&session));
    // The operator has the notice to collect, and does.
    arena.pass_slots(terms().notice_slots);
    arena
        .send(std::slice::from_ref(&close), &[&cast.payer])
        .expect_error(RevenueEscrowError::SessionStillLive);
    let report = arena.given_report(&cast.operator, &service.published);
    let lane = arena.collected_lane(&cast.operator, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    arena.send(&collect, &[&cast.operator]).expect_ok();
    arena.pass_slots(2);
    arena.send(&[close], &[&cast.payer]).expect_ok();
    let args = GrantSessionArgs {
        key: cast.session.pubkey(),
        limit_units: LANE,
        expires_unix: arena.now().unix + 10_000,
    };
    let grant = revenue_escrow::grant_session(key, key, model, args);
    arena.send(&[grant], &[&cast.payer]).expect_ok();
    // Nobody is tempted to use what the closed one signed.
    let (receipts, unsent) = arena.given_answers(&mut service.customer, &[honest(&chain(2), 1, usdc(20))]);
    let second = arena.given_report(&cast.operator, &service.published);
    let lane = arena.collected_lane(&cast.operator, &service.customer, second);
    let stale = revenue_escrow::collect(lane, &unsent, receipts.root());
    arena
        .send(&stale, &[&cast.operator])
        .expect_error(imo_protocol::errors::ProtocolError::WrongMessage);
    finish(arena, &report, &service, usdc(20));
}

/// Announces that all of its lane's money leaves, lets the notice come due, is served on, and wants to take the money in the moment before the operator collects.
pub fn keeper_of_a_matured_notice(arena: &mut Arena) {
    let mut service = given_a_customer(arena);
    let cast = arena.cast.copy();
    let (key, model, operator) = (cast.payer.pubkey(), service.published.model, service.operator);
    let announce = revenue_escrow::request_release(key, model, operator, LANE);
    arena.send(&[announce], &[&cast.payer]).expect_ok();
    arena.pass_slots(2 * terms().notice_slots + 4);
    let report = arena.given_report(&cast.operator, &service.published);
    let (receipts, voucher) = arena.given_answers(&mut service.customer, &[honest(&chain(2), 0, usdc(20))]);
    let release = revenue_escrow::release_lane(key, model, operator);
    arena
        .send(&[release], &[&cast.payer])
        .expect_error(RevenueEscrowError::NoNotice);
    let lane = arena.collected_lane(&cast.operator, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    arena.send(&collect, &[&cast.operator]).expect_ok();
    finish(arena, &report, &service, usdc(20));
}

/// Revokes the key that signed as soon as it has its answer, and has announced its money to leave.
pub fn payer_who_revokes_after_the_answer(arena: &mut Arena) {
    let mut service = given_a_customer(arena);
    let cast = arena.cast.copy();
    let (key, model, operator) = (cast.payer.pubkey(), service.published.model, service.operator);
    let announce = revenue_escrow::request_release(key, model, operator, LANE);
    arena.send(&[announce], &[&cast.payer]).expect_ok();
    let (receipts, voucher) = arena.given_answers(&mut service.customer, &[honest(&chain(2), 0, usdc(20))]);
    let revoke = revenue_escrow::revoke_session(key, model, cast.session.pubkey());
    arena.send(&[revoke], &[&cast.payer]).expect_ok();
    arena.pass_slots(terms().notice_slots);
    let report = arena.given_report(&cast.operator, &service.published);
    let lane = arena.collected_lane(&cast.operator, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    arena.send(&collect, &[&cast.operator]).expect_ok();
    arena.pass_slots(2);
    let release = revenue_escrow::release_lane(key, model, operator);
    arena.send(&[release], &[&cast.payer]).expect_ok();
    finish(arena, &report, &service, usdc(20));
}

/// The report goes to its end, and the operator is owed its share of `units`.
fn finish(arena: &mut Arena, report: &Pubkey, service: &Service, units: u64) {
    let cast = arena.cast.copy();
    arena.world.seal(&cast, report);
    arena.world.finalise(&cast, report);
    arena.world.split(&cast, report);
    let collection = addresses::revenue_escrow::collection(report, &service.customer.lane);
    let close = revenue_escrow::close_collection(&arena.read(&collection));
    arena.send(&[close], &[&cast.stranger]).expect_ok();
    let share = super::arena::operators_share(units);
    arena.honest.insert(cast.operator.pubkey(), -i128::from(share));
}

/// An operator brings the same voucher for a second report.
pub fn replayer_of_a_voucher(arena: &mut Arena) {
    let mut service = given_a_customer(arena);
    let authority = arena.cast.operator.insecure_clone();
    let payer = arena.cast.payer.pubkey();
    arena.attackers = vec![authority.pubkey()];
    arena.honest = [(payer, usdc(20).into())].into();
    let asked = [honest(&chain(2), 0, usdc(20))];
    let (receipts, voucher) = arena.given_answers(&mut service.customer, &asked);
    for number in 0..2 {
        let report = arena.given_report(&authority, &service.published);
        let lane = arena.collected_lane(&authority, &service.customer, report);
        let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
        let sent = arena.send(&collect, &[&authority]);
        match number {
            0 => {
                sent.expect_ok();
            }
            _ => sent.expect_error(RevenueEscrowError::NothingToCollect),
        }
    }
    // What was collected once was answered: the payer owes it, and it is still in the first report.
}

/// An operator brings a voucher that was signed for another cluster, where the same people meet under the same addresses.
pub fn voucher_of_another_cluster(arena: &mut Arena) {
    let mut service = given_a_customer(arena);
    let authority = arena.cast.operator.insecure_clone();
    let payer = arena.cast.payer.pubkey();
    arena.attackers = vec![authority.pubkey()];
    arena.honest = [(payer, 0)].into();
    let asked = [honest(&chain(2), 0, usdc(20))];
    let (receipts, voucher) = arena.given_answers(&mut service.customer, &asked);
    let mut elsewhere = voucher.voucher;
    elsewhere.cluster = [9; 32];
    let signed = sign(elsewhere, &service.customer.session);
    let report = arena.given_report(&authority, &service.published);
    let lane = arena.collected_lane(&authority, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &signed, receipts.root());
    arena
        .send(&collect, &[&authority])
        .expect_error(imo_protocol::errors::ProtocolError::WrongMessage);
}
