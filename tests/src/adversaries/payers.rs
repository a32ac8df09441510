//! Payers who want answers for nothing.

use ::revenue_escrow::{errors::RevenueEscrowError, state::Lane};
use imo_client::instructions::revenue_escrow;
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

/// An operator brings the same voucher for a second report.
pub fn replayer_of_a_voucher(arena: &mut Arena) {
    let mut service = given_a_customer(arena);
    let authority = arena.cast.operator.insecure_clone();
    let payer = arena.cast.payer.pubkey();
    arena.attackers = vec![authority.pubkey()];
    arena.honest = [(payer, usdc(20))].into();
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
