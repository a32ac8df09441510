//! Addresses that somebody sent lamports to before anything is there.

use imo_client::{
    addresses,
    instructions::{model_token, opml_oracle},
};
use imo_tests::{
    Outcome, World,
    models::{dense, lying},
    story,
    world::{Duel, usdc},
};
use opml_runtime::execute;
use solana_signer::Signer;

#[test]
fn given_a_lamport_at_every_address_when_the_whole_business_is_done_then_nothing_is_blocked() {
    let (mut world, cast) = World::empty();
    world.prefund_new_accounts();
    world.set_up(&cast);
    story::business(&mut world, &cast);
    story::failure(&mut world, &cast);
}

#[test]
fn given_a_lamport_at_every_address_when_everything_vests_then_nothing_is_blocked() {
    let (mut world, cast) = World::empty();
    world.prefund_new_accounts();
    world.set_up(&cast);
    story::launch(&mut world, &cast);
}

#[test]
fn given_a_lamport_at_every_address_when_disputes_are_played_then_nothing_is_blocked() {
    let (mut world, cast) = World::empty();
    world.prefund_new_accounts();
    world.set_up(&cast);
    story::disputes(&mut world, &cast);
}

#[test]
fn given_a_lamport_at_every_address_when_data_is_demanded_then_nothing_is_blocked() {
    let (mut world, cast) = World::empty();
    world.prefund_new_accounts();
    world.set_up(&cast);
    story::inquiries(&mut world, &cast);
}

#[test]
fn given_more_than_the_rent_at_the_mint_when_settled_then_the_token_is_made_all_the_same() {
    let (mut world, cast) = World::with_protocol();
    let published = world.given_model(&cast, &dense(&[4, 3]));
    let offering = world.given_offering(&cast, &published);
    world.given_commitment(&published, &cast.alice, imo_tests::world::MIN_RAISE);
    for address in [
        addresses::model_token::mint(&published.model),
        addresses::model_token::token_vault(&offering),
    ] {
        world.set_lamports(&address, 10_000_000_000);
    }
    world.given_settled(&cast, &published);
    let claim = model_token::claim_commitment(world.claimed(&published, &cast.alice.pubkey()));
    world.send(&[claim], &[&cast.stranger]).expect_ok();
}

#[test]
fn given_a_lamport_at_a_witness_address_when_made_in_three_steps_then_it_is_bound_all_the_same() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[8, 6, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(10), 0)]);
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let (key, watcher) = (world.key(), cast.watcher.pubkey());
    world.set_lamports(&key.pubkey(), 1);
    let bytes = 1_000;
    let instructions = [
        solana_system_interface::instruction::transfer(&watcher, &key.pubkey(), world.rent_of(bytes) - 1),
        solana_system_interface::instruction::allocate(&key.pubkey(), bytes as u64),
        solana_system_interface::instruction::assign(&key.pubkey(), &::opml_oracle::ID),
        opml_oracle::init_witness(&duel.state(&world), key.pubkey()),
    ];
    world.send(&instructions, &[&cast.watcher, &key]).expect_ok();
}
