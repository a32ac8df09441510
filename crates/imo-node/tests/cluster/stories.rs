use imo_client::addresses as at;
use imo_node::operator::Policy;
use imo_protocol::share_floor;
use opml_oracle::state::{Operator, Report, ReportStatus};
use opml_runtime::{Model, synthetic};
use revenue_escrow::state::{Credit, Lane};

use crate::cheats::{Liar, lie_in};
use crate::world::{Node, POCKET, PRICE, SPLIT, STAKE, TERMS, World, policy, port, watch_policy, workspace};

fn digits() -> Model {
    Model::open(workspace("models/digits/digits.imo")).unwrap()
}

#[test]
fn given_an_operator_by_itself_when_a_payer_asks_then_the_report_becomes_final_and_both_get_what_is_theirs() {
    const QUESTIONS: u64 = 5;
    let world = World::new(digits());
    let (listener, url) = port();
    world.open_business(&url);
    let (operator, watcher) = (Node::new(), Node::new());
    world.operate(&operator, listener, None, policy());
    world.watch(&watcher, watch_policy());
    let staked = world.dollars("operator");
    assert_eq!(staked, POCKET - STAKE);

    let mut purse = world.purse();
    for seed in 0..QUESTIONS {
        world.ask(&url, &mut purse, &world.input(seed));
    }
    let paid = QUESTIONS * PRICE;
    // Several reports, when the first one was posted before the last question.
    world.until("everything is collected", || {
        let lane: Lane = world.find(&world.lane())?;
        (lane.collected_units == paid).then_some(())
    });
    world.until("everything is sealed", || {
        let operator: Operator = world.find(&world.operator())?;
        let sealed = (0..operator.next_sequence)
            .filter_map(|sequence| world.find::<Report>(&world.report(sequence)))
            .all(|report| report.status != ReportStatus::Open);
        sealed.then_some(())
    });
    world.advance(TERMS.window_slots);
    let earned = |reports: u64| {
        // Each report's share is rounded down.
        let least = share_floor(paid, SPLIT.operator_bps).unwrap() - reports;
        world.dollars("operator").checked_sub(staked + least)
    };
    world.until("the operator is paid", || earned(QUESTIONS));
    let closed = world.until("the reports are closed", || {
        let operator: Operator = world.find(&world.operator())?;
        (operator.open_reports == 0 && operator.locked_units == 0).then_some(())?;
        let gone = (0..operator.next_sequence).all(|sequence| world.find::<Report>(&world.report(sequence)).is_none());
        gone.then_some(operator)
    });
    assert_eq!(closed.stake_units, STAKE);
    assert!(world.dollars("operator") <= staked + share_floor(paid, SPLIT.operator_bps).unwrap());
    let credit: Credit = world.find(&world.credit()).unwrap();
    assert_eq!(credit.open_collections, 0);

    // It goes on: the next question is answered and collected like the first.
    world.ask(&url, &mut purse, &world.input(99));
    world.until("the next one is collected, too", || {
        let lane: Lane = world.find(&world.lane())?;
        (lane.collected_units == paid + PRICE).then_some(())
    });
}

/// A lie among honest answers is found, proven and paid for.
fn is_caught(model: Model) {
    let world = World::new(model);
    let (listener, url) = port();
    world.open_business(&url);
    let nodes = world.model.header().node_count;
    let (input, lie) = lie_in(&world, nodes / 2, 1);
    let liar = Liar::about(&world.model, [(input.root(), lie)]);
    assert_eq!(input, world.input(1));
    let (operator, watcher) = (Node::new(), Node::new());
    // All answers are in one report.
    let patient = Policy {
        report_seconds: 3,
        ..policy()
    };
    world.operate(&operator, listener, Some(liar), patient);
    let mut purse = world.purse();
    for seed in 0..3 {
        world.ask(&url, &mut purse, &world.input(seed));
    }
    // An honest answer that nobody can look at does not hide the lie behind it.
    world.runtime.block_on(operator.withhold(&world.input(0)));
    let before = world.dollars("watcher");
    world.watch(&watcher, watch_policy());

    let slashed = world.until("the bond is slashed", || {
        let operator: Operator = world.find(&world.operator())?;
        (operator.stake_units < STAKE).then_some(operator)
    });
    assert!(slashed.jail.is_set());
    let bond = STAKE - slashed.stake_units;
    assert!(bond >= TERMS.min_bond_units);
    // Bond back, costs for some moves, and the prover's share, less the opening fee.
    let share = share_floor(bond, TERMS.prover_share_bps).unwrap();
    world.until("the watcher is paid", || {
        (world.dollars("watcher") >= before + share - TERMS.open_fee_units).then_some(())
    });
    world.until("the payer is refunded", || {
        let credit: Credit = world.find(&world.credit())?;
        let lane: Lane = world.find(&world.lane())?;
        // What was collected for rejected reports is available again.
        (lane.collected_units > 0 && credit.available_units >= crate::world::DEPOSIT - crate::world::LANE + PRICE)
            .then_some(())
    });
    let (header, body) = world.question(&mut purse, &world.input(50));
    let (status, _) = world.post(&url, &header, &body).unwrap();
    assert_eq!(status, 503, "a jailed operator could not collect, and does not serve");
    let dispute = at::opml_oracle::dispute(&world.report(0), &crate::world::key("watcher").pubkey_of(), 0);
    world.until("the dispute is closed", || {
        world
            .find::<opml_oracle::state::Dispute>(&dispute)
            .is_none()
            .then_some(())
    });
}

/// The public half of a key.
trait Public {
    fn pubkey_of(&self) -> anchor_lang::prelude::Pubkey;
}

impl Public for solana_keypair::Keypair {
    fn pubkey_of(&self) -> anchor_lang::prelude::Pubkey {
        solana_signer::Signer::pubkey(self)
    }
}

#[test]
fn given_a_lie_in_a_small_model_when_watched_then_caught_by_its_whole_trace() {
    is_caught(digits());
}

#[test]
fn given_a_lie_in_a_model_of_many_nodes_when_watched_then_caught_by_walking() {
    let sizes = [vec![64], vec![24; 39], vec![10]].concat();
    is_caught(synthetic::dense(&sizes, 1).unwrap());
}
