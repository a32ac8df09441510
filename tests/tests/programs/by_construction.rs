//! What nobody can state wrongly, because it is derived and never stated. An operator that hides it in its tree has a leaf that does not open.

use ::opml_oracle::errors::OracleError;
use anchor_lang::prelude::Pubkey;
use imo_client::{
    addresses,
    instructions::{opml_oracle, revenue_escrow},
    trees::ReceiptTree,
};
use imo_protocol::{Collection, Receipt};
use imo_tests::{
    Cast, Outcome, World,
    models::{dense, honest},
    world::{Case, Duel, usdc},
};
use opml_runtime::{Model, execute};

/// A sealed report whose only receipt was changed before it went into the tree.
fn given_a_receipt(world: &mut World, cast: &Cast, model: &Model, change: &dyn Fn(&mut Receipt)) -> Case {
    let mut service = world.given_service(cast, model);
    let asked = vec![honest(model, 0, usdc(2))];
    let report = world.given_report(&cast.operator, &service.published);
    let (_, voucher) = world.given_answers(&mut service.customer, &asked);
    let mut receipt = Receipt {
        lane: service.customer.lane,
        sequence: 0,
        claim: asked[0].claim,
        salt: asked[0].salt,
    };
    change(&mut receipt);
    let receipts = ReceiptTree::over(receipt.sequence, &[receipt]).expect("one receipt is a tree");
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &voucher, receipts.root());
    world.send(&collect, &[&cast.operator]).expect_ok();
    world.seal(cast, &report);
    let collection = addresses::revenue_escrow::collection(&report, &service.customer.lane);
    Case {
        collected_units: world.read::<Collection>(&collection).amount_units,
        service,
        report,
        collection,
        asked,
        receipts,
    }
}

/// Finding 26: a receipt with another lane, sequence, model or salt than the ones that follow from where it is.
#[test]
fn given_a_receipt_with_a_field_stated_wrongly_when_it_is_pointed_to_then_no_record_opens_its_leaf() {
    let model = dense(&[4, 3]);
    let changes: [&dyn Fn(&mut Receipt); 4] = [
        &|receipt| receipt.lane = Pubkey::new_from_array([9; 32]),
        &|receipt| receipt.sequence = 1,
        &|receipt| receipt.claim.model_root = [9; 32],
        &|receipt| receipt.salt = [9; 32],
    ];
    for change in changes {
        let (mut world, cast) = World::with_protocol();
        let case = given_a_receipt(&mut world, &cast, &model, change);
        let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
        let duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
        let state = duel.state(&world);
        let point = opml_oracle::point(&state, state.game.digest, &duel.place);
        world
            .send(&[point], &[&cast.watcher])
            .expect_error(OracleError::WrongReceiptPath);
    }
    let (mut world, cast) = World::with_protocol();
    let case = given_a_receipt(&mut world, &cast, &model, &|_| {});
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    let mut duel = Duel::open(&mut world, &cast.watcher, &case, 0, &model, &own);
    duel.challenger_moves(&mut world);
}

/// Findings 1, 5 and 13: a Collection begins where the lane last ended, so that no request is paid twice; receipts of an earlier report open in no later one.
#[test]
fn given_the_receipts_of_an_earlier_report_when_they_are_collected_with_again_then_no_leaf_opens() {
    let (mut world, cast) = World::with_protocol();
    let model = dense(&[4, 3]);
    let asked = vec![honest(&model, 0, usdc(2)); 3];
    let service = world.given_service(&cast, &model);
    let first = world.given_sealed(&cast, service, asked.clone());
    let mut service = first.service;
    let report = world.given_report(&cast.operator, &service.published);
    let (_, voucher) = world.given_answers(&mut service.customer, &asked);
    let lane = world.collected_lane(&cast.operator, &service.customer, report);
    let collect = revenue_escrow::collect(lane, &voucher, first.receipts.root());
    world.send(&collect, &[&cast.operator]).expect_ok();
    world.seal(&cast, &report);
    let collection = addresses::revenue_escrow::collection(&report, &service.customer.lane);
    let [earlier, later] = [first.collection, collection].map(|address| world.read::<Collection>(&address));
    assert_eq!((earlier.first_sequence, earlier.count), (0, 3));
    assert_eq!((later.first_sequence, later.count), (3, 3));
    let case = Case {
        collected_units: later.amount_units,
        service,
        report,
        collection,
        asked,
        receipts: first.receipts,
    };
    let own = execute(&model, &case.asked[0].input).expect("the input fits the model");
    for receipt in 0..3 {
        let nonce = receipt.into();
        let duel = Duel::open_with_nonce(&mut world, &cast.watcher, nonce, &case, receipt, &model, &own);
        let state = duel.state(&world);
        let point = opml_oracle::point(&state, state.game.digest, &duel.place);
        world
            .send(&[point], &[&cast.watcher])
            .expect_error(OracleError::WrongReceiptPath);
    }
}
