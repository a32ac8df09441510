//! What is left when everybody has left.

use ::revenue_escrow::state::Credit;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    accounts::Account,
    addresses,
    instructions::{model_token, opml_oracle, revenue_escrow},
};
use imo_tests::{Cast, Outcome, World, story, world::terms};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Kinds of accounts that are never closed, because what they count must never begin anew (`docs/protocol.md`, 2.5).
const STAYING: [&str; 11] = [
    "Protocol",
    "Model",
    "ModelVersion",
    "Offering",
    "StakeVault",
    "AuditFund",
    "Operator",
    "ModelVault",
    "Earnings",
    "Contributions",
    "Pool",
];

/// All accounts of the four programs that ought to be closed and are not, with their addresses.
fn left_over(world: &World) -> Vec<(Pubkey, Account)> {
    let decoded = |address: &Pubkey| {
        let account = world.account(address)?;
        let decoded = Account::decode(&account.owner, &account.data).ok()?;
        (!STAYING.contains(&decoded.kind())).then_some((*address, decoded))
    };
    world.touched().iter().filter_map(decoded).collect()
}

/// Closes an account, and checks that exactly its lamports go to who paid its rent. The first signer pays the fee.
#[track_caller]
fn close(world: &mut World, address: &Pubkey, rent_payer: &Pubkey, instruction: Instruction, signers: &[&Keypair]) {
    let (rent, before) = (world.lamports(address), world.lamports(rent_payer));
    world.send(&[instruction], signers).expect_ok();
    assert!(!world.is_made(address), "{address} is still there");
    assert_eq!(
        world.lamports(rent_payer) - before,
        rent,
        "the rent of {address} went elsewhere"
    );
}

#[test]
fn given_the_whole_business_when_everybody_leaves_then_only_what_is_never_closed_stays_and_rent_is_back() {
    let (mut world, cast) = World::with_protocol();
    story::business(&mut world, &cast);
    story::failure(&mut world, &cast);
    everybody_leaves(world, &cast);
}

#[test]
fn given_a_launch_when_everybody_leaves_then_only_what_is_never_closed_stays_and_rent_is_back() {
    let (mut world, cast) = World::with_protocol();
    story::launch(&mut world, &cast);
    everybody_leaves(world, &cast);
}

#[test]
fn given_rejected_reports_when_everybody_leaves_then_only_what_is_never_closed_stays_and_rent_is_back() {
    let (mut world, cast) = World::with_protocol();
    story::disputes(&mut world, &cast);
    everybody_leaves(world, &cast);
}

#[test]
fn given_audited_reports_when_everybody_leaves_then_only_what_is_never_closed_stays_and_rent_is_back() {
    let (mut world, cast) = World::with_protocol();
    story::audits(&mut world, &cast);
    everybody_leaves(world, &cast);
}

/// Payers, challengers and the developer give notice of what is left of theirs, and everything is closed.
fn everybody_leaves(mut world: World, cast: &Cast) {
    let (mint, notice, developer) = (world.usdc, terms().notice_slots, cast.developer.pubkey());
    let payer_of = |world: &World, credit: &Pubkey| {
        let Credit { payer, model, .. } = world.read(credit);
        (world.keypair_of(&payer), payer, model)
    };
    // Reports go after their buckets.
    for (address, account) in left_over(&world) {
        match account {
            Account::Bucket(bucket) => {
                let closing = revenue_escrow::close_bucket(&bucket);
                close(&mut world, &address, &bucket.rent_payer, closing, &[&cast.stranger]);
            }
            Account::Witness(witness) => {
                let challenger = world.keypair_of(&witness.challenger);
                let closing = opml_oracle::close_witness(witness.challenger, address);
                let signers = [&cast.stranger, &challenger];
                close(&mut world, &address, &witness.challenger, closing, &signers);
            }
            _ => {}
        }
    }
    for (address, account) in left_over(&world) {
        if let Account::Report(report) = account {
            let closing = opml_oracle::close_report(&report);
            close(&mut world, &address, &report.rent_payer, closing, &[&cast.stranger]);
        }
    }
    for (_, account) in left_over(&world) {
        match account {
            Account::Lane(lane) => {
                let (keypair, payer, model) = payer_of(&world, &lane.credit);
                let release = revenue_escrow::request_release(payer, model, lane.operator, lane.reserved_units);
                world.send(&[release], &[&keypair]).expect_ok();
            }
            Account::Session(session) => {
                let (keypair, payer, model) = payer_of(&world, &session.credit);
                let revoke = revenue_escrow::revoke_session(payer, model, session.key);
                world.send(&[revoke], &[&keypair]).expect_ok();
            }
            Account::Appointment(appointment) => {
                let dismiss =
                    model_token::dismiss_operator(developer, appointment.model, appointment.operator_authority);
                world.send(&[dismiss], &[&cast.developer]).expect_ok();
            }
            _ => {}
        }
    }
    world.pass_slots(notice + 2);
    for (address, account) in left_over(&world) {
        match account {
            Account::Lane(lane) => {
                let (keypair, payer, model) = payer_of(&world, &lane.credit);
                let release = revenue_escrow::release_lane(payer, model, lane.operator);
                world.send(&[release], &[&keypair]).expect_ok();
                let closing = revenue_escrow::close_lane(payer, &lane);
                close(
                    &mut world,
                    &address,
                    &lane.rent_payer,
                    closing,
                    &[&cast.stranger, &keypair],
                );
            }
            Account::Session(session) => {
                let closing = revenue_escrow::close_session(&session);
                close(&mut world, &address, &session.rent_payer, closing, &[&cast.stranger]);
            }
            Account::Appointment(appointment) => {
                let closing = model_token::close_appointment(&appointment);
                close(
                    &mut world,
                    &address,
                    &appointment.rent_payer,
                    closing,
                    &[&cast.stranger],
                );
            }
            _ => {}
        }
    }
    for (address, account) in left_over(&world) {
        if let Account::Credit(credit) = account {
            let (keypair, payer, model) = payer_of(&world, &address);
            let request = revenue_escrow::request_withdraw(payer, model, credit.available_units);
            world.send(&[request], &[&keypair]).expect_ok();
        }
    }
    world.pass_slots(notice + 2);
    for (address, account) in left_over(&world) {
        if let Account::Credit(credit) = account {
            let (keypair, payer, model) = payer_of(&world, &address);
            let destination = addresses::payment_account(&payer, &mint);
            let withdraw = revenue_escrow::withdraw_credit(payer, model, mint, destination);
            world.send(&[withdraw], &[&keypair]).expect_ok();
            let closing = revenue_escrow::close_credit(&credit);
            close(
                &mut world,
                &address,
                &credit.rent_payer,
                closing,
                &[&cast.stranger, &keypair],
            );
        }
    }
    let left: Vec<_> = left_over(&world)
        .iter()
        .map(|(address, account)| format!("{} {address}", account.kind()))
        .collect();
    assert!(left.is_empty(), "nobody can close these: {left:#?}");
}
