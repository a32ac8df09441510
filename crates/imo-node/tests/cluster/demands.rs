//! Somebody demands data or a trace on chain, and the operator shows it by itself.

use anchor_spl::token::{self, spl_token::instruction::transfer};
use imo_client::{
    addresses as at, audit,
    data::{is_last, next_demand},
    instructions::{audit as audits, data as send},
    trees::ReceiptTree,
};
use imo_protocol::{Bucket, Collection, Receipt};
use opml_oracle::{
    audit_game::{AuditPhase, audit_commitment},
    constants::SLOT_HASHES,
    instructions::ShownReceipt,
    state::{Audit, Inquiry, Operator, Report, ReportStatus},
};
use opml_runtime::{Model, execute};
use solana_signer::Signer;

use crate::world::{Node, ONE, STAKE, TERMS, World, key, policy, port, workspace};

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
fn given_demands_and_an_audit_when_an_operator_is_by_itself_then_shown_and_the_fees_are_its_own() {
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

    // An auditor commits to the drawn receipt's trace, and the operator shows its own.
    let gift = transfer(
        &token::ID,
        &at::payment_account(&watcher, &world.mint),
        &at::opml_oracle::audit_tokens(&world.mint),
        &watcher,
        &[],
        ONE,
    );
    world.send(
        &[audits::create_audit_fund(watcher, world.mint), gift.unwrap()],
        &["watcher"],
    );
    world.advance(40);
    let bucket: Bucket = world.find(&at::revenue_escrow::bucket(&report)).unwrap();
    let drawn = audit::drawn(&world.data(&SLOT_HASHES), world.slot(), &sealed, &bucket, 0).unwrap();
    let index = collection.index_of(drawn).unwrap();
    world.send(&[audits::draw_audit(watcher, &sealed, &collection, 0)], &["watcher"]);
    let address = at::opml_oracle::audit(&report, 0);
    let state: Audit = world.find(&address).unwrap();
    assert_eq!(state.receipt_index, index);
    let truth = execute(&world.model, &world.input(index.into())).unwrap();
    let commitment = audit_commitment(&address, &watcher, &truth.trace_root(), &[7; 32]);
    world.send(
        &[audits::commit_audit(watcher, &state, &collection, None, commitment)],
        &["watcher"],
    );
    // The time to commit is over, and there is time left for the answer.
    world.advance(state.game.response_slots);
    let receipt = &receipts[index as usize];
    let shown = ShownReceipt {
        index,
        input_root: receipt.claim.input_root,
        output_root: receipt.claim.output_root,
        salt: receipt.salt,
        path: tree.path(index).unwrap(),
    };
    world.send(&[audits::ask_audit(&state, shown)], &["watcher"]);
    let state = world.until("the audit is answered", || {
        let state: Audit = world.find(&address)?;
        (state.game.phase == AuditPhase::Traced).then_some(state)
    });
    world.send(&[audits::reveal_audit(watcher, &state, [7; 32])], &["watcher"]);

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
