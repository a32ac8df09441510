//! Somebody demands data on chain, and the operator shows it by itself.

use imo_client::{
    addresses as at,
    data::{is_last, next_demand},
    instructions::data as send,
    trees::ReceiptTree,
};
use imo_protocol::{Collection, Receipt};
use opml_oracle::{
    instructions::ShownReceipt,
    state::{Inquiry, Operator, Report, ReportStatus},
};
use opml_runtime::{Model, execute};
use solana_signer::Signer;

use crate::world::{Node, STAKE, TERMS, World, key, policy, port, workspace};

/// Walks to the leaf, as somebody does who knows nothing but the root. Returns how many demands that took.
fn walk(world: &World, inquiry: &anchor_lang::prelude::Pubkey) -> u32 {
    for demands in 1.. {
        let state: Inquiry = world.find(inquiry).unwrap();
        let demand = next_demand(&state, 0).unwrap();
        let last = is_last(&state, &demand);
        world.send(&[send::demand_data(&state, &demand)], &["watcher"]);
        world.until("the demand is answered", || {
            let state: Inquiry = world.find(inquiry)?;
            state.game.pending.is_none().then_some(())
        });
        if last {
            return demands;
        }
    }
    unreachable!("a tree has leaves")
}

#[test]
fn given_demands_for_receipts_and_an_input_when_an_operator_is_by_itself_then_shown_and_the_fees_are_its_own() {
    const QUESTIONS: u64 = 20;
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    world.open_business(&url);
    let node = Node::new();
    let mut purse = world.purse();
    // All questions are in one report: the loop's first round comes after them.
    let patient = imo_node::operator::Policy {
        report_seconds: 3,
        ..policy()
    };
    world.operate(&node, listener, None, patient);
    for seed in 0..QUESTIONS {
        world.ask(&url, &mut purse, &world.input(seed));
    }
    let report = world.report(0);
    let sealed = world.until("the report is sealed", || {
        let found: Report = world.find(&report)?;
        (found.status == ReportStatus::Sealed).then_some(found)
    });
    let collection: Collection = world
        .find(&at::revenue_escrow::collection(&report, &world.lane()))
        .unwrap();
    let receipts: Vec<Receipt> = (0..u64::from(collection.count))
        .map(|sequence| Receipt {
            lane: world.lane(),
            sequence,
            claim: execute(&world.model, &world.input(sequence)).unwrap().claim(),
            salt: [0; 32],
        })
        .collect();
    let tree = ReceiptTree::over(0, &receipts).unwrap();
    assert_eq!(tree.root(), collection.receipts_root);

    let watcher = key("watcher").pubkey();
    let open = send::open_receipts_inquiry(watcher, &sealed, &collection, None, 0);
    world.send(&[open], &["watcher"]);
    let demands = walk(&world, &at::opml_oracle::inquiry(&report, &watcher, 0));
    assert!(demands >= 1);

    let shown = ShownReceipt {
        index: 1,
        input_root: receipts[1].claim.input_root,
        output_root: receipts[1].claim.output_root,
        salt: receipts[1].salt,
        path: tree.path(1).unwrap(),
    };
    let open = send::open_input_inquiry(watcher, &sealed, &collection, shown, None, 1);
    world.send(&[open], &["watcher"]);
    walk(&world, &at::opml_oracle::inquiry(&report, &watcher, 1));

    world.advance(TERMS.window_slots);
    let paid = world.until("the report is closed", || {
        let operator: Operator = world.find(&world.operator())?;
        (world.find::<Report>(&report).is_none()).then_some(operator)
    });
    assert!(
        paid.stake_units > STAKE,
        "the fees for what was shown are the operator's"
    );
}
