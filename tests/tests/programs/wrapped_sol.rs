//! A model that is paid in wrapped SOL. Its vaults hold lamports, which anyone can add to, and its holders unwrap what they earn.

use ::opml_oracle::game::Phase;
use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::{self, native_mint};
use imo_client::{
    addresses,
    instructions::{revenue_escrow, yield_distributor},
};
use imo_tests::{
    Outcome, World,
    models::{dense, honest, lying},
    story,
    world::{CREDIT, Duel, SUPPLY, usdc},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

/// Unwraps all that somebody has, and returns how many lamports it was worth above the account's rent.
fn unwrap(world: &mut World, owner: &Keypair, fee_payer: &Keypair) -> u64 {
    let key = owner.pubkey();
    let account = addresses::payment_account(&key, &native_mint::ID);
    let rent = world.rent_of(165);
    let before = world.lamports(&key);
    let close = spl_token::instruction::close_account(&spl_token::ID, &account, &key, &key, &[]);
    let close = close.expect("the token program is the token program");
    world.send(&[close], &[fee_payer, owner]).expect_ok();
    world.lamports(&key) - before - rent
}

/// Sends lamports to a vault and has the token program see them.
fn donate(world: &mut World, giver: &Keypair, vault: &Pubkey, lamports: u64) {
    let gift = solana_system_interface::instruction::transfer(&giver.pubkey(), vault, lamports);
    let sync =
        spl_token::instruction::sync_native(&spl_token::ID, vault).expect("the token program is the token program");
    world.send(&[gift, sync], &[giver]).expect_ok();
}

#[test]
fn given_a_model_on_wrapped_sol_when_it_is_sold_used_and_shared_then_everybody_is_paid_in_lamports() {
    let (mut world, cast) = World::of_wrapped_sol();
    assert_eq!(world.usdc, native_mint::ID);
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let published = service.published;
    world.given_token(&cast, &published);
    let [alice, bob] = [&cast.alice, &cast.bob].map(Signer::pubkey);
    for investor in [&cast.alice, &cast.bob] {
        // The excess of the offering came back, and becomes lamports.
        let excess = world.usdc_of(&investor.pubkey());
        assert_eq!(unwrap(&mut world, investor, &cast.stranger), excess);
    }
    world.given_stake(&published, &cast.alice, SUPPLY / 2);
    world.pass_epochs(&published, 2);

    let pool = addresses::yield_distributor::pool(&published.model);
    for vault in [
        addresses::revenue_escrow::vault_tokens(&published.model),
        addresses::yield_distributor::revenue_vault(&pool),
    ] {
        donate(&mut world, &cast.stranger, &vault, 12_345);
    }
    let case = world.given_sealed(&cast, service, vec![honest(&model, 0, usdc(20))]);
    world.finalise(&cast, &case.report);
    world.split(&cast, &case.report);

    // The crank makes Alice's account anew, because she has closed it.
    let claim = world.claim_of(&published, &cast.stranger.pubkey(), &alice);
    world.send(&[claim], &[&cast.stranger]).expect_ok();
    assert_eq!(unwrap(&mut world, &cast.alice, &cast.stranger), usdc(3) - 1);
    let redeem = yield_distributor::redeem(bob, cast.stranger.pubkey(), &world.pool(&published), 333_333_333_333);
    world.send(&[redeem], &[&cast.stranger, &cast.bob]).expect_ok();
    // A third of what the unstaked half and the redeem pool got, rounded down.
    assert_eq!(unwrap(&mut world, &cast.bob, &cast.stranger), usdc(2) - 1);
    for (recipient, units) in [
        (&cast.operator, usdc(8)),
        (&cast.developer, usdc(2)),
        (&cast.treasury, usdc(1)),
    ] {
        let key = recipient.pubkey();
        world.given_payment_account(&cast, &key);
        let before = world.usdc_of(&key);
        let caller = cast.stranger.pubkey();
        let withdraw = revenue_escrow::withdraw_earnings(caller, published.model, key, native_mint::ID);
        world.send(&[withdraw], &[&cast.stranger]).expect_ok();
        assert_eq!(world.usdc_of(&key) - before, units);
        assert_eq!(unwrap(&mut world, recipient, &cast.stranger), before + units);
    }
    let left = world.tokens(&addresses::revenue_escrow::vault_tokens(&published.model));
    assert_eq!(left, CREDIT - usdc(20) + 12_345);
}

#[test]
fn given_a_lie_about_a_model_on_wrapped_sol_when_it_is_proven_then_the_bond_is_paid_in_it() {
    let (mut world, cast) = World::of_wrapped_sol();
    let model = dense(&[4, 3]);
    let service = world.given_service(&cast, &model);
    let case = world.given_sealed(&cast, service, vec![lying(&model, 0, usdc(20), 0)]);
    let own = opml_runtime::execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    let before = world.usdc_of(&cast.watcher.pubkey());
    duel.play_until(&mut world, &cast.operator, &case.asked[0].answer, Phase::TileKnown);
    duel.challenger_moves(&mut world).expect("the last move proves");
    duel.settle(&mut world, &cast.stranger);
    world.refund(&cast, &case);
    duel.pay_out(&mut world, &cast.stranger);
    // Its own bond back, thirty percent of the operator's, and for each of its moves.
    assert!(world.usdc_of(&cast.watcher.pubkey()) - before > usdc(5) + usdc(30));
    let credit: ::revenue_escrow::state::Credit = world.read(&case.service.customer.credit);
    assert_eq!(credit.available_units + credit.reserved_units, CREDIT);
}

#[test]
fn given_the_whole_business_when_it_is_done_in_wrapped_sol_then_every_instruction_works() {
    let (mut world, cast) = World::of_wrapped_sol();
    story::business(&mut world, &cast);
    story::failure(&mut world, &cast);
}
