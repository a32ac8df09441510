//! A payer's money: in, reserved, announced to leave, and out.

use ::revenue_escrow::{
    errors::RevenueEscrowError,
    instructions::GrantSessionArgs,
    state::{Credit, Lane, Session},
};
use anchor_lang::error::ErrorCode;
use imo_client::{
    addresses,
    instructions::revenue_escrow::{self},
};
use imo_protocol::Now;
use imo_tests::{
    Outcome, World,
    attack::{swap, unsigned},
    models::{dense, honest},
    world::{CREDIT, LANE, terms, usdc},
};
use solana_signer::Signer;

use crate::ALREADY_IN_USE;

#[test]
fn given_one_credit_when_it_is_promised_twice_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let (payer, model) = (cast.payer.pubkey(), service.published.model);
    let second = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let free = CREDIT - LANE;
    let promise = |units| revenue_escrow::open_lane(payer, payer, model, second, units, false);
    world
        .send(&[promise(free + 1)], &[&cast.payer])
        .expect_error(RevenueEscrowError::NotEnoughFunds);
    world
        .send(&[promise(0)], &[&cast.payer])
        .expect_error(RevenueEscrowError::AmountIsZero);
    world.send(&[promise(free)], &[&cast.payer]).expect_ok();
    let more = revenue_escrow::fund_lane(payer, model, second, 1);
    world
        .send(&[more], &[&cast.payer])
        .expect_error(RevenueEscrowError::NotEnoughFunds);
    let credit: Credit = world.read(&service.customer.credit);
    assert_eq!((credit.available_units, credit.reserved_units), (0, CREDIT));
}

#[test]
fn given_a_notice_when_moved_around_its_deadlines_then_paid_only_in_between() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let (payer, model, notice) = (cast.payer.pubkey(), service.published.model, terms().notice_slots);
    let credit = service.customer.credit;
    let destination = addresses::payment_account(&payer, &world.usdc);
    let withdraw = revenue_escrow::withdraw_credit(payer, model, world.usdc, destination);
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.payer])
        .expect_error(RevenueEscrowError::NoNotice);
    let too_much = revenue_escrow::request_withdraw(payer, model, CREDIT - LANE + 1);
    world
        .send(&[too_much], &[&cast.payer])
        .expect_error(RevenueEscrowError::NotEnoughFunds);
    let request = revenue_escrow::request_withdraw(payer, model, usdc(50));
    world.send(std::slice::from_ref(&request), &[&cast.payer]).expect_ok();
    let state: Credit = world.read(&credit);
    assert_eq!(
        (state.available_units, state.withdrawing_units),
        (CREDIT - LANE - usdc(50), usdc(50))
    );

    // Neither slots nor clock alone decide.
    let due = state.withdraw_deadline;
    let at = |slot, unix| Now {
        slot,
        unix,
        last_restart_slot: 0,
    };
    for now in [
        at(due.due_slot, due.due_unix),
        at(due.due_slot + 1, due.due_unix),
        at(due.due_slot, due.due_unix + 1),
    ] {
        world.set_now(now);
        world
            .send(std::slice::from_ref(&withdraw), &[&cast.payer])
            .expect_error(RevenueEscrowError::NoticeNotDue);
    }
    world.set_now(at(due.due_slot + 1, due.due_unix + 1));
    world.send(std::slice::from_ref(&withdraw), &[&cast.payer]).expect_ok();
    assert_eq!(world.usdc_of(&payer), usdc(50));
    world
        .send(std::slice::from_ref(&withdraw), &[&cast.payer])
        .expect_error(RevenueEscrowError::NoNotice);

    // A notice kept in the drawer lapses, and the money counts again.
    world.send(&[request], &[&cast.payer]).expect_ok();
    world.pass_slots(2 * notice + 3);
    world
        .send(&[withdraw], &[&cast.payer])
        .expect_error(RevenueEscrowError::NoNotice);
    let operator = world.given_operator(&cast.rival, &cast.backup.pubkey());
    let all = revenue_escrow::open_lane(payer, payer, model, operator, CREDIT - LANE - usdc(50), false);
    world.send(&[all], &[&cast.payer]).expect_ok();
    assert_eq!(world.read::<Credit>(&credit).withdrawing_units, 0);
}

#[test]
fn given_a_cluster_restart_when_a_notice_was_running_then_the_operator_gets_its_hour() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let (payer, model) = (cast.payer.pubkey(), service.published.model);
    let request = revenue_escrow::request_release(payer, model, service.operator, LANE);
    world.send(&[request], &[&cast.payer]).expect_ok();
    let due = world.read::<Lane>(&service.customer.lane).release_deadline;
    let release = revenue_escrow::release_lane(payer, model, service.operator);
    let grace = imo_protocol::deadline::RESTART_GRACE_SLOTS;
    let back = Now {
        slot: due.due_slot + grace,
        unix: due.due_unix + 100_000,
        last_restart_slot: due.due_slot,
    };
    world.set_now(back);
    world
        .send(std::slice::from_ref(&release), &[&cast.payer])
        .expect_error(RevenueEscrowError::NoticeNotDue);
    world.set_now(Now {
        slot: due.due_slot + grace + 1,
        ..back
    });
    world.send(&[release], &[&cast.payer]).expect_ok();
}

#[test]
fn given_a_lane_when_its_money_is_announced_to_leave_then_still_collectable_until_it_left() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let mut service = world.given_service(&cast, &model);
    let (payer, operator) = (cast.payer.pubkey(), service.operator);
    let report = world.given_report(&cast.operator, &service.published);
    let request = revenue_escrow::request_release(payer, service.published.model, operator, LANE);
    world.send(&[request], &[&cast.payer]).expect_ok();
    world.pass_slots(terms().notice_slots);
    let (receipts, voucher) = world.given_answers(&mut service.customer, &[honest(&model, 0, usdc(20))]);
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    world
        .send(
            &revenue_escrow::collect(lane, &voucher, receipts.root()),
            &[&cast.operator],
        )
        .expect_ok();
    let state: Lane = world.read(&service.customer.lane);
    assert_eq!(
        (state.reserved_units, state.releasing_units),
        (0, LANE - usdc(20)),
        "what leaves is used first"
    );
    world.pass_slots(2);
    let release = revenue_escrow::release_lane(payer, service.published.model, operator);
    world.send(&[release], &[&cast.payer]).expect_ok();
    let credit: Credit = world.read(&service.customer.credit);
    assert_eq!((credit.available_units, credit.reserved_units), (CREDIT - usdc(20), 0));
}

#[test]
fn given_a_payers_accounts_when_anybody_else_moves_them_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let [payer, stranger] = [&cast.payer, &cast.stranger].map(Signer::pubkey);
    let (model, operator, mint) = (service.published.model, service.operator, world.usdc);
    world.given_payment_account(&cast, &stranger);
    let to_stranger = addresses::payment_account(&stranger, &mint);
    let expires_unix = world.now().unix + 1;
    let grant = GrantSessionArgs {
        key: stranger,
        limit_units: 1,
        expires_unix,
    };
    let credit: Credit = world.read(&service.customer.credit);
    let lane: Lane = world.read(&service.customer.lane);
    for instruction in [
        revenue_escrow::request_withdraw(payer, model, 1),
        revenue_escrow::withdraw_credit(payer, model, mint, to_stranger),
        revenue_escrow::fund_lane(payer, model, operator, 1),
        revenue_escrow::request_release(payer, model, operator, 1),
        revenue_escrow::release_lane(payer, model, operator),
        revenue_escrow::grant_session(payer, payer, model, grant),
        revenue_escrow::revoke_session(payer, model, cast.session.pubkey()),
        revenue_escrow::close_lane(payer, &lane),
        revenue_escrow::close_credit(&credit),
    ] {
        let without = unsigned(&instruction, &payer);
        world
            .send(&[without], &[&cast.stranger])
            .expect_error(ErrorCode::AccountNotSigner);
        // The first account is the payer; elsewhere it may be who pays the rent.
        let mut by_stranger = instruction;
        by_stranger.accounts[0].pubkey = stranger;
        let by_stranger = match by_stranger.accounts.get(1) {
            Some(meta) if meta.pubkey == payer => swap(&by_stranger, &payer, &stranger),
            _ => by_stranger,
        };
        let refused = world.send(&[by_stranger], &[&cast.stranger]);
        refused.expect_error(RevenueEscrowError::NotPayer);
    }
}

#[test]
fn given_accounts_of_another_model_when_money_moves_then_refused() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let other = world.given_model_number(&cast, 1, &dense(&[4, 3]));
    world.given_vault(&cast, &other);
    let (payer, model, mint) = (cast.payer.pubkey(), service.published.model, world.usdc);
    let [vault, other_vault] = [model, other.model].map(|model| addresses::revenue_escrow::vault(&model));
    let [tokens, other_tokens] = [model, other.model].map(|model| addresses::revenue_escrow::vault_tokens(&model));
    let destination = addresses::payment_account(&payer, &mint);
    let request = revenue_escrow::request_withdraw(payer, model, usdc(1));
    world.send(&[request], &[&cast.payer]).expect_ok();
    world.pass_slots(terms().notice_slots + 1);
    let withdraw = revenue_escrow::withdraw_credit(payer, model, mint, destination);
    let deposit = revenue_escrow::deposit_credit(payer, service.customer.credit, model, mint, 1);
    for instruction in [&withdraw, &deposit] {
        for (account, replacement) in [(vault, other_vault), (tokens, other_tokens)] {
            let changed = swap(instruction, &account, &replacement);
            world
                .send(&[changed], &[&cast.payer])
                .expect_error(ErrorCode::ConstraintSeeds);
        }
    }
    // Money that would go from the vault to itself is no withdrawal.
    let to_itself = swap(&withdraw, &destination, &tokens);
    world
        .send(&[to_itself], &[&cast.payer])
        .expect_error(ErrorCode::ConstraintDuplicateMutableAccount);
    // Somebody else's session for this credit's notice.
    let second = world.given_customer(&cast.alice, &cast.watcher, &service.published, service.operator);
    let theirs = addresses::revenue_escrow::session(&second.credit, &cast.watcher.pubkey());
    let ours = addresses::revenue_escrow::session(&service.customer.credit, &cast.session.pubkey());
    let revoke = revenue_escrow::revoke_session(payer, model, cast.session.pubkey());
    world
        .send(&[swap(&revoke, &ours, &theirs)], &[&cast.payer])
        .expect_error(RevenueEscrowError::WrongRelation);
    let release = revenue_escrow::release_lane(payer, model, service.operator);
    let changed = swap(&release, &service.customer.lane, &second.lane);
    world
        .send(&[changed], &[&cast.payer])
        .expect_error(RevenueEscrowError::WrongRelation);
}

#[test]
fn given_an_empty_lane_and_credit_when_closed_then_not_in_their_first_slot_and_the_rent_comes_back() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    world.given_vault(&cast, &published);
    let operator = world.given_operator(&cast.operator, &cast.backup.pubkey());
    let (alice, model) = (cast.alice.pubkey(), published.model);
    // The stranger pays the rent, and gets it back.
    let stranger = cast.stranger.pubkey();
    let open = revenue_escrow::open_credit(alice, stranger, model);
    world
        .send(std::slice::from_ref(&open), &[&cast.stranger, &cast.alice])
        .expect_ok();
    world
        .send(&[open], &[&cast.stranger, &cast.alice])
        .expect_error(ALREADY_IN_USE);
    let credit_address = addresses::revenue_escrow::credit(&alice, &model);
    world.given_usdc(&alice, usdc(1));
    let deposit = revenue_escrow::deposit_credit(alice, credit_address, model, world.usdc, usdc(1));
    world.send(&[deposit], &[&cast.alice]).expect_ok();
    let open = revenue_escrow::open_lane(alice, stranger, model, operator, usdc(1), false);
    world.send(&[open], &[&cast.stranger, &cast.alice]).expect_ok();
    let lane_address = addresses::revenue_escrow::lane(&credit_address, &operator);
    let (lane, credit): (Lane, Credit) = (world.read(&lane_address), world.read(&credit_address));
    let close_lane = revenue_escrow::close_lane(alice, &lane);
    let close_credit = revenue_escrow::close_credit(&credit);
    for close in [&close_lane, &close_credit] {
        let closed = world.send(std::slice::from_ref(close), &[&cast.alice]);
        closed.expect_error(RevenueEscrowError::OpenedInThisSlot);
    }
    world.pass_slots(1);
    world
        .send(std::slice::from_ref(&close_lane), &[&cast.alice])
        .expect_error(RevenueEscrowError::NotEmpty);
    world
        .send(std::slice::from_ref(&close_credit), &[&cast.alice])
        .expect_error(RevenueEscrowError::StillInUse);

    let notice = terms().notice_slots;
    world
        .send(
            &[revenue_escrow::request_release(alice, model, operator, usdc(1))],
            &[&cast.alice],
        )
        .expect_ok();
    world.pass_slots(notice + 1);
    world
        .send(&[revenue_escrow::release_lane(alice, model, operator)], &[&cast.alice])
        .expect_ok();
    let to_alice = swap(&close_lane, &stranger, &alice);
    world
        .send(&[to_alice], &[&cast.alice])
        .expect_error(RevenueEscrowError::WrongRentPayer);
    let rent = world.lamports(&lane_address);
    let before = world.lamports(&stranger);
    world.send(&[close_lane], &[&cast.alice]).expect_ok();
    assert_eq!(world.lamports(&stranger) - before, rent);

    world
        .send(std::slice::from_ref(&close_credit), &[&cast.alice])
        .expect_error(RevenueEscrowError::NotEmpty);
    world
        .send(
            &[revenue_escrow::request_withdraw(alice, model, usdc(1))],
            &[&cast.alice],
        )
        .expect_ok();
    world.pass_slots(notice + 1);
    let destination = addresses::payment_account(&alice, &world.usdc);
    let withdraw = revenue_escrow::withdraw_credit(alice, model, world.usdc, destination);
    world.send(&[withdraw], &[&cast.alice]).expect_ok();
    let rent = world.lamports(&credit_address);
    let before = world.lamports(&stranger);
    world.send(&[close_credit], &[&cast.alice]).expect_ok();
    assert_eq!(world.lamports(&stranger) - before, rent);
    assert_eq!(world.usdc_of(&alice), usdc(1));
}

#[test]
fn given_a_session_when_revoked_or_expired_then_closed_only_when_no_voucher_is_good_any_more() {
    let (mut world, cast) = World::with_protocol();
    let service = world.given_service(&cast, &dense(&[4, 3]));
    let (payer, model, key) = (cast.payer.pubkey(), service.published.model, cast.session.pubkey());
    let address = addresses::revenue_escrow::session(&service.customer.credit, &key);
    world.pass_slots(1);
    let close = revenue_escrow::close_session(&world.read::<Session>(&address));
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(RevenueEscrowError::SessionStillLive);
    let revoke = revenue_escrow::revoke_session(payer, model, key);
    world.send(std::slice::from_ref(&revoke), &[&cast.payer]).expect_ok();
    world.pass_slots(terms().notice_slots);
    world
        .send(std::slice::from_ref(&close), &[&cast.stranger])
        .expect_error(RevenueEscrowError::SessionStillLive);
    world
        .send(&[revoke], &[&cast.payer])
        .expect_error(RevenueEscrowError::AlreadyRevoked);
    world.pass_slots(2);
    let (rent, before) = (world.lamports(&address), world.lamports(&payer));
    world.send(&[close], &[&cast.stranger]).expect_ok();
    assert_eq!(world.lamports(&payer) - before, rent);

    let now = world.now().unix;
    let grant = |limit_units, expires_unix| {
        revenue_escrow::grant_session(
            payer,
            payer,
            model,
            GrantSessionArgs {
                key,
                limit_units,
                expires_unix,
            },
        )
    };
    world
        .send(&[grant(1, now)], &[&cast.payer])
        .expect_error(RevenueEscrowError::ExpiryInThePast);
    world
        .send(&[grant(0, now + 1)], &[&cast.payer])
        .expect_error(RevenueEscrowError::AmountIsZero);
    world.send(&[grant(1, now + 1)], &[&cast.payer]).expect_ok();
    world
        .send(&[grant(1, now + 2)], &[&cast.payer])
        .expect_error(ALREADY_IN_USE);
    assert_ne!(
        world.read::<Session>(&address).generation,
        service.customer.session_generation
    );
}
