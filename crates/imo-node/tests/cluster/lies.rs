//! Operators that lie in different places, beside an honest one, before one watcher as a process that does not live long.

use std::time::{Duration, Instant};

use imo_client::{addresses as at, instructions::opml_oracle as oracle};
use imo_node::{chain::places, operator::Policy};
use imo_protocol::share_floor;
use opml_oracle::{
    game::Side,
    state::{Dispute, Operator, Report, ReportStatus, Witness},
};
use opml_runtime::Model;
use rand::Rng;
use solana_signer::Signer;

use crate::{
    cheats::{Liar, lie_in},
    process::{Process, Watching},
    world::{Node, STAKE, TERMS, World, key, policy, port, workspace},
};

/// Liars by the node that they lie in.
fn liars(nodes: u32) -> [(&'static str, u32); 4] {
    [
        ("first", 0),
        ("middle", nodes / 2),
        ("last", nodes - 1),
        ("silent", nodes / 2),
    ]
}

/// All that is asked is in one report.
fn patient() -> Policy {
    Policy {
        report_seconds: 3,
        ..policy()
    }
}

#[test]
fn given_a_street_of_liars_when_the_one_watcher_is_killed_again_and_again_then_every_lie_is_proven_and_nobody_else_is_disputed()
 {
    const KILLS: u32 = 8;
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    world.open_business(&url);
    let honest = Node::new();
    world.operate(&honest, listener, None, patient());
    let mut purse = world.purse();
    for seed in 0..4 {
        world.ask(&url, &mut purse, &world.input(seed));
    }
    let nodes = world.model.header().node_count;
    let street: Vec<Node> = liars(nodes).iter().map(|_| Node::new()).collect();
    for ((name, node), home) in liars(nodes).into_iter().zip(&street) {
        let (listener, url) = port();
        world.open_another_business(name, &url, false);
        let (input, lie) = lie_in(&world, node, 1);
        let liar = Liar::about(&world.model, [(input.root(), lie)]);
        world.operate_as(name, home, listener, Some(liar), patient(), world.url());
        let mut purse = world.purse_of(name);
        world.ask(&url, &mut purse, &world.input(77));
        world.ask(&url, &mut purse, &input);
    }
    for (name, _) in liars(nodes) {
        world.sealed(name);
    }
    // The last one gives out what it reported, and does nothing else any more.
    street[3].resign.cancel();

    let (dollars, lamports) = (world.dollars("watcher"), world.lamports("watcher"));
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = Watching::new(&world).configure(folder.path());
    let mut watcher = Process::start("watch", &config);
    let dispute = |name| at::opml_oracle::dispute(&world.report_of(name, 0), &key("watcher").pubkey(), 0);
    // Killed in the middle of the first dispute, and then whenever it happens.
    world.until("a dispute is open", || world.find::<Dispute>(&dispute("first")));
    let life = || Duration::from_millis(rand::rng().random_range(150..1_200));
    let caught = |name: &str| {
        let operator: Option<Operator> = world.find(&world.operator_of(name));
        operator.is_some_and(|operator| operator.stake_units < STAKE)
    };
    for _ in 0..KILLS {
        watcher.kill();
        watcher = Process::start("watch", &config);
        std::thread::sleep(life());
    }
    for name in ["first", "middle", "last"] {
        world.slashed(name);
    }
    world.until("the silent one has a dispute to answer", || {
        let found: Dispute = world.find(&dispute("silent"))?;
        (found.game.phase == opml_oracle::game::Phase::Pointed).then_some(())
    });
    assert!(!caught("silent"), "it has time to answer");
    world.advance(TERMS.response_slots);
    world.slashed("silent");

    // Paid, and nothing is left on chain that somebody has to pay rent for.
    let me = key("watcher").pubkey();
    world.until("every dispute is closed", || {
        let disputes: Vec<(_, Dispute)> = world.having(places::SECOND_KEY, &me);
        disputes.is_empty().then_some(())
    });
    let witnesses: Vec<(_, Witness)> = world.having(places::SECOND_KEY, &me);
    assert!(witnesses.is_empty());
    let bonds = liars(nodes).map(|(name, _)| {
        let operator: Operator = world.find(&world.operator_of(name)).unwrap();
        assert!(operator.jail.is_set());
        assert_eq!((operator.locked_units, operator.open_disputes), (0, 0));
        STAKE - operator.stake_units
    });
    let shares: u64 = bonds
        .iter()
        .map(|bond| share_floor(*bond, TERMS.prover_share_bps).unwrap())
        .sum();
    let costs: u64 = bonds
        .iter()
        .map(|bond| share_floor(*bond, TERMS.cost_cap_bps).unwrap())
        .sum();
    let fees = TERMS.open_fee_units * bonds.len() as u64;
    let gained = world.dollars("watcher") - dollars;
    assert!((shares - fees..=shares - fees + costs).contains(&gained), "{gained}");
    // Rent came back: what is gone is fees of transactions.
    let spent = lamports - world.lamports("watcher");
    assert!(spent < 2_000_000, "{spent} lamports");

    let untouched = |report: &Report| report.disputes_opened == 0 && report.demands_made == 0;
    assert!(untouched(&world.sealed("operator")));
    assert_eq!(world.find::<Operator>(&world.operator()).unwrap().stake_units, STAKE);
    let earned = world.dollars("operator");
    world.advance(TERMS.window_slots);
    world.until("the honest one is paid", || {
        (world.dollars("operator") > earned).then_some(())
    });
}

/// An operator's friend who opens first, and a stranger who wants an honest operator's money to wait.
#[test]
fn given_challengers_that_open_first_and_fall_silent_when_their_time_is_over_then_neither_operator_nor_watcher_waits_for_them()
 {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    world.open_business(&url);
    let honest = Node::new();
    world.operate(&honest, listener, None, patient());
    world.ask(&url, &mut world.purse(), &world.input(3));
    let (listener, url) = port();
    world.open_another_business("liar", &url, false);
    let (input, lie) = lie_in(&world, 2, 1);
    let home = Node::new();
    let liar = Liar::about(&world.model, [(input.root(), lie)]);
    world.operate_as("liar", &home, listener, Some(liar), patient(), world.url());
    world.ask(&url, &mut world.purse_of("liar"), &input);
    world.enrol("idler");
    let idler = key("idler").pubkey();
    for name in ["operator", "liar"] {
        let open = oracle::open_dispute(idler, idler, &world.sealed(name), 0, [9; 32]);
        world.send(&[open], &["idler"]);
    }

    let before = world.dollars("watcher");
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = Watching::new(&world).configure(folder.path());
    let _watcher = Process::start("watch", &config);
    let bond = STAKE - world.slashed("liar").stake_units;
    // The liar does nothing for the watcher.
    home.resign.cancel();
    let dispute = at::opml_oracle::dispute(&world.report_of("liar", 0), &key("watcher").pubkey(), 0);
    let waiting: Dispute = world.find(&dispute).unwrap();
    assert_eq!((waiting.order, waiting.settled), (1, false), "its turn has not come");
    world.advance(TERMS.response_slots);
    world.until("the watcher is paid", || {
        world.find::<Dispute>(&dispute).is_none().then_some(())
    });
    let share = share_floor(bond, TERMS.prover_share_bps).unwrap();
    assert!(world.dollars("watcher") >= before + share - TERMS.open_fee_units);

    let earned = world.dollars("operator");
    world.advance(TERMS.window_slots);
    world.until("the honest one is paid", || {
        (world.dollars("operator") > earned).then_some(())
    });
    let honest: Operator = world.find(&world.operator()).unwrap();
    assert_eq!((honest.stake_units, honest.open_disputes), (STAKE, 0));
}

#[test]
fn given_a_watcher_that_is_away_for_longer_than_its_turn_when_it_comes_back_within_the_window_then_it_opens_another_dispute_and_wins()
 {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    world.open_business(&url);
    let (input, lie) = lie_in(&world, 2, 1);
    let home = Node::new();
    let liar = Liar::about(&world.model, [(input.root(), lie)]);
    world.operate_as("operator", &home, listener, Some(liar), patient(), world.url());
    world.ask(&url, &mut world.purse(), &input);
    world.sealed("operator");
    let folder = tempfile::tempdir().unwrap();
    let (config, metrics) = Watching::new(&world).configure(folder.path());
    let mut watcher = Process::start("watch", &config);
    let dispute = |nonce| at::opml_oracle::dispute(&world.report(0), &key("watcher").pubkey(), nonce);
    world.until("a dispute is open", || world.find::<Dispute>(&dispute(0)));
    watcher.kill();
    world.until("it would be the watcher's turn", || {
        let found: Dispute = world.find(&dispute(0))?;
        (found.game.phase.turn() == Some(Side::Challenger)).then_some(())
    });
    world.advance(TERMS.response_slots);
    let _watcher = Process::start("watch", &config);
    world.slashed("operator");
    world.until("all is closed", || {
        let disputes: Vec<(_, Dispute)> = world.having(places::SECOND_KEY, &key("watcher").pubkey());
        disputes.is_empty().then_some(())
    });
    let text = world.get(&format!("{metrics}/metrics")).unwrap();
    let again = crate::figures::sum(&text, "imo_node_watcher_actions_total", &["dispute_begun_again"]);
    assert_eq!(again, 1);
}

/// What the shipped terms and policies give.
#[test]
fn given_the_shipped_terms_and_policies_when_an_operator_lies_then_slashed_within_the_window_and_the_figures_are_written_down()
 {
    let world = World::in_real_time(
        Model::open(workspace("models/digits/digits.imo")).unwrap(),
        crate::figures::shipped_terms(),
    );
    let terms = crate::figures::shipped_terms();
    let (listener, url) = port();
    world.open_business(&url);
    let nodes = world.model.header().node_count;
    let (input, lie) = lie_in(&world, nodes / 2, 1);
    let liar = Liar::about(&world.model, [(input.root(), lie)]);
    let home = Node::new();
    let folder = tempfile::tempdir().unwrap();
    let watching = Watching {
        policy: "",
        ..Watching::new(&world)
    };
    let (config, metrics) = watching.configure(folder.path());
    let _watcher = Process::start("watch", &config);
    world.until("the websocket is connected", || {
        let text = world.get(&format!("{metrics}/metrics"))?;
        text.contains("imo_node_socket_connected 1").then_some(())
    });
    let policy = Policy {
        report_seconds: 1,
        ..Policy::default()
    };
    world.operate_as("operator", &home, listener, Some(liar), policy, world.url());
    let mut purse = world.purse();
    world.ask(&url, &mut purse, &input);
    let report = world.until("a report is sealed", || {
        let report: Report = world.find(&world.report(0))?;
        (report.status != ReportStatus::Open).then_some(report)
    });
    let (dollars, lamports) = (world.dollars("watcher"), world.lamports("watcher"));
    let began = Instant::now();
    world.slashed("operator");
    let slots = world.slot() - report.window.opened_slot;
    let seconds = began.elapsed();
    assert!(slots < terms.window_slots / 100, "{slots} slots");
    world.until("the watcher is paid", || {
        (world.dollars("watcher") > dollars).then_some(())
    });
    let me = key("watcher").pubkey();
    world.until("its dispute is closed", || {
        let disputes: Vec<(_, Dispute)> = world.having(places::SECOND_KEY, &me);
        disputes.is_empty().then_some(())
    });
    let text = world.get(&format!("{metrics}/metrics")).unwrap();
    let figures = crate::figures::Figures {
        slots_from_lie_to_slash: slots,
        seconds_from_seal_to_slash: seconds.as_secs_f64(),
        watcher_transactions: crate::figures::sum(&text, "imo_node_watcher_actions_total", &crate::figures::SENT),
        watcher_bytes: crate::figures::sum(&text, "imo_node_watcher_bytes_total", &[]),
        watcher_lamports: lamports.saturating_sub(world.lamports("watcher")),
        watcher_bond_units: terms.challenger_bond_units,
        watcher_fee_units: terms.open_fee_units,
        watcher_reward_units: world.dollars("watcher") - dollars,
    };
    figures.write();
}
