//! Operators that do not show what they reported: some only to watchers, some to nobody.

use imo_client::{
    data::{self, Source},
    instructions::data as send,
};
use imo_node::{chain::places, operator::Policy};
use imo_protocol::share_floor;
use opml_oracle::{
    math::data_fee::data_fee_units,
    state::{Inquiry, Operator, Report, ReportStatus, Subject},
};
use opml_runtime::{Model, synthetic};
use solana_signer::Signer;

use crate::{
    cheats::{Endpoint, Liar, endpoint, lie_in},
    process::{Process, Watching},
    world::{Node, STAKE, TERMS, World, key, policy, port, workspace},
};

/// All that is asked is in one report.
fn patient() -> Policy {
    Policy {
        report_seconds: 3,
        ..policy()
    }
}

impl World {
    /// Waits until the watcher has nothing more to look for in a report.
    pub fn checked(&self, watcher: &Process, name: &str) {
        let report = format!("a report was checked report={}", self.report_of(name, 0));
        self.until(&format!("the report of {name} is checked"), || {
            watcher.log().contains(&report).then_some(())
        });
    }

    /// Opens an operator's business behind an endpoint that watchers do not get far with.
    fn open_behind(&self, name: &str, kind: Endpoint) -> (Node, String) {
        let (listener, url) = port();
        self.open_another_business(name, &endpoint(self, &url, kind), false);
        let node = Node::new();
        self.operate_as(name, &node, listener, None, patient(), self.url());
        (node, url)
    }

    fn own_inquiries(&self) -> Vec<Inquiry> {
        let own: Vec<(_, Inquiry)> = self.having(places::SECOND_KEY, &key("watcher").pubkey());
        own.into_iter().map(|(_, inquiry)| inquiry).collect()
    }
}

#[test]
fn given_endpoints_that_fail_when_operators_answer_on_chain_then_checked_all_the_same_and_nobody_is_disputed_or_slashed()
 {
    const QUESTIONS: u64 = 6;
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    world.open_credit();
    let kinds = [
        ("unknowing", Endpoint::Knows("")),
        ("forgetful", Endpoint::Knows("receipts")),
        ("garbled", Endpoint::Garbage),
        ("altered", Endpoint::Altered),
        ("slow", Endpoint::HangsOver("")),
        ("elsewhere", Endpoint::Redirects),
        ("endless", Endpoint::NeverEnds),
    ];
    let mut nodes = Vec::new();
    for ((name, kind), number) in kinds.into_iter().zip(1..) {
        let (node, url) = world.open_behind(name, kind);
        nodes.push(node);
        let mut purse = world.purse_of(name);
        let questions = if name == "unknowing" { QUESTIONS } else { 1 };
        // Nobody asks what somebody else has asked: an input that was shown once is known.
        for seed in 0..questions {
            world.ask(&url, &mut purse, &world.input(10 * number + seed));
        }
    }
    let before = world.dollars("watcher");
    let folder = tempfile::tempdir().unwrap();
    let watching = Watching {
        policy: "round_ms = 1000, patience_slots = 0, fetch_seconds = 2",
        ..Watching::new(&world)
    };
    let (config, metrics) = watching.configure(folder.path());
    let mut watcher = Process::start("watch", &config);
    // Killed while it waits for what it demanded: what was shown meanwhile is read from the chain.
    world.until("something is demanded", || {
        (!world.own_inquiries().is_empty()).then_some(())
    });
    watcher.kill();
    let watcher = Process::start("watch", &config);
    for (name, _) in kinds {
        world.checked(&watcher, name);
    }
    let text = world.get(&format!("{metrics}/metrics")).unwrap();
    assert!(text.contains("outcome=\"data_read_from_chain\""), "{text}");
    for (name, _) in kinds {
        let report: Report = world.find(&world.report_of(name, 0)).unwrap();
        assert_eq!(
            (report.status, report.disputes_opened),
            (ReportStatus::Sealed, 0),
            "{name}"
        );
        assert!(report.demands_made > 0, "{name}");
    }

    // The fees are the operators' when nothing was wrong, and the inquiries' rent comes back.
    let fees: u64 = world.own_inquiries().iter().map(|inquiry| inquiry.fees_units).sum();
    assert_eq!(before - world.dollars("watcher"), fees);
    world.advance(TERMS.window_slots);
    world.until("every inquiry is closed", || {
        world.own_inquiries().is_empty().then_some(())
    });
    assert_eq!(before - world.dollars("watcher"), fees);
    let earned = |name: &str| {
        let operator: Operator = world.find(&world.operator_of(name)).unwrap();
        operator.stake_units - STAKE
    };
    // A tree of six receipts: its middle, two runs; then six inputs. One receipt is its own tree.
    let one = data_fee_units(TERMS.byte_fee_units, 0).unwrap();
    let expected = [9, 1, 2, 2, 2, 2, 2].map(|demands| demands * one);
    assert_eq!(kinds.map(|(name, _)| earned(name)), expected);
    assert_eq!(expected.iter().sum::<u64>(), fees);
}

#[test]
fn given_operators_that_show_nothing_when_demanded_on_chain_then_their_silence_costs_the_bond() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    world.open_credit();
    let (listener, url) = port();
    world.open_another_business("honest", &url, false);
    let honest = Node::new();
    world.operate_as("honest", &honest, listener, None, patient(), world.url());
    world.ask(&url, &mut world.purse_of("honest"), &world.input(1));

    // One lies, and shows nothing at all. One lost an input, as it says. One lies where it shows on chain only.
    let (listener, url) = port();
    world.open_another_business("vanished", &url, false);
    let (input, lie) = lie_in(&world, 2, 1);
    let vanished = Node::new();
    let liar = Liar::about(&world.model, [(input.root(), lie.clone())]);
    world.operate_as("vanished", &vanished, listener, Some(liar), patient(), world.url());
    world.ask(&url, &mut world.purse_of("vanished"), &input);

    let (loser, url) = world.open_behind("loser", Endpoint::Knows(""));
    let mut purse = world.purse_of("loser");
    for seed in 0..3 {
        world.ask(&url, &mut purse, &world.input(seed));
    }

    let (listener, url) = port();
    world.open_another_business("hidden", &endpoint(&world, &url, Endpoint::Knows("")), false);
    let hidden = Node::new();
    let liar = Liar::about(&world.model, [(input.root(), lie)]);
    world.operate_as("hidden", &hidden, listener, Some(liar), patient(), world.url());
    world.ask(&url, &mut world.purse_of("hidden"), &input);

    for name in ["honest", "vanished", "loser", "hidden"] {
        world.sealed(name);
    }
    vanished.stop.cancel();
    world.runtime.block_on(loser.lose_input(&world.input(1)));
    let before = world.dollars("watcher");
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = Watching::new(&world).configure(folder.path());
    let watcher = Process::start("watch", &config);
    world.checked(&watcher, "honest");
    world.slashed("hidden");
    let pending = |name: &str| {
        let report: Report = world.find(&world.report_of(name, 0)).unwrap();
        let inquiries: Vec<Inquiry> = world.own_inquiries();
        let of = inquiries
            .iter()
            .filter(|inquiry| inquiry.report == world.report_of(name, 0));
        (report.demands_pending == 1 && of.clone().count() == if name == "loser" { 4 } else { 1 }).then_some(())
    };
    world.until("the vanished one owes receipts", || pending("vanished"));
    world.until("the loser owes an input and has shown the others", || pending("loser"));
    world.advance(TERMS.response_slots);
    let bonds = ["vanished", "loser", "hidden"].map(|name| STAKE - world.slashed(name).stake_units);
    world.until("every inquiry is closed", || {
        world.own_inquiries().is_empty().then_some(())
    });
    // The prover's share of each, for what was never shown no less than for what was shown to be wrong; the fees came back.
    let shares: u64 = bonds
        .iter()
        .map(|bond| share_floor(*bond, TERMS.prover_share_bps).unwrap())
        .sum();
    world.until("the watcher is paid", || {
        (world.dollars("watcher") >= before + shares - TERMS.open_fee_units).then_some(())
    });
    let honest: Report = world.find(&world.report_of("honest", 0)).unwrap();
    assert_eq!((honest.disputes_opened, honest.demands_made), (0, 0));
}

#[test]
fn given_an_endpoint_that_hangs_over_many_inputs_when_one_answer_is_a_lie_then_demanded_on_chain_and_proven() {
    const QUESTIONS: u64 = 40;
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    world.open_credit();
    let (listener, url) = port();
    let behind = endpoint(&world, &url, Endpoint::HangsOver("inputs"));
    world.open_another_business("staller", &behind, false);
    let (lied, lie) = lie_in(&world, 2, QUESTIONS - 5);
    let staller = Node::new();
    let liar = Liar::about(&world.model, [(lied.root(), lie)]);
    let patient = Policy {
        report_seconds: 10,
        ..policy()
    };
    world.operate_as("staller", &staller, listener, Some(liar), patient, world.url());
    let mut purse = world.purse_of("staller");
    for seed in 0..QUESTIONS {
        world.ask(&url, &mut purse, &world.input(seed));
    }
    world.ask(&url, &mut purse, &lied);
    world.sealed("staller");
    let folder = tempfile::tempdir().unwrap();
    // To wait for one input after the other would take five times as long as a round has.
    let watching = Watching {
        policy: "round_ms = 500, patience_slots = 0, fetch_seconds = 1, report_seconds = 8",
        ..Watching::new(&world)
    };
    let (config, metrics) = watching.configure(folder.path());
    let _watcher = Process::start("watch", &config);
    world.slashed("staller");
    let text = world.get(&format!("{metrics}/metrics")).unwrap();
    let count = |outcome: &str| crate::figures::sum(&text, "imo_node_watcher_actions_total", &[outcome]);
    assert!(count("demand_data") > 0 && count("answer_wrong") == 1, "{text}");
}

#[test]
fn given_an_input_of_two_tiles_when_one_of_them_is_never_shown_then_its_operator_is_slashed() {
    let model = synthetic::dense(&[1_024, 12, 10], 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.imo");
    std::fs::write(&file, model.to_bytes()).unwrap();
    let world = World::new(model);
    world.open_credit();
    let (node, url) = world.open_behind("loser", Endpoint::Knows("receipts"));
    let input = world.input(1);
    assert_eq!(input.spec().tiles(), 2);
    world.ask(&url, &mut world.purse_of("loser"), &input);
    let report = world.sealed("loser");
    node.resign.cancel();
    let watching = Watching {
        models: vec![file],
        ..Watching::new(&world)
    };
    let (config, _) = watching.configure(folder.path());
    let _watcher = Process::start("watch", &config);
    // It shows the way to the tiles and the first one, and then has nothing more to say.
    let last = world.until("the second tile is demanded", || {
        for inquiry in world.own_inquiries() {
            assert!(matches!(inquiry.subject, Subject::Input { .. }));
            let pending = inquiry.game.pending?;
            if (pending.level, pending.index) == (0, 1) {
                return Some(inquiry);
            }
            let bytes = data::answer(&inquiry, Source::Tensor(&input)).unwrap();
            world.send(&[send::serve_data(&inquiry, bytes)], &["loser"]);
        }
        None
    });
    assert_eq!(last.game.demands, 3);
    world.advance(report.terms.response_slots);
    world.slashed("loser");
    world.until("every inquiry is closed", || {
        world.own_inquiries().is_empty().then_some(())
    });
}

#[test]
fn given_a_small_budget_when_a_lot_is_withheld_then_no_more_is_spent_and_the_gap_is_told() {
    const QUESTIONS: u64 = 5;
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    world.open_credit();
    let (_node, url) = world.open_behind("withholder", Endpoint::Knows("receipts"));
    let mut purse = world.purse_of("withholder");
    for seed in 0..QUESTIONS {
        world.ask(&url, &mut purse, &world.input(seed));
    }
    world.sealed("withholder");
    let before = world.dollars("watcher");
    let folder = tempfile::tempdir().unwrap();
    let one = data_fee_units(TERMS.byte_fee_units, 0).unwrap();
    let budget = format!("round_ms = 500, patience_slots = 0, demand_units = {}", 2 * one + 1);
    let watching = Watching {
        policy: &budget,
        ..Watching::new(&world)
    };
    let (config, metrics) = watching.configure(folder.path());
    let _watcher = Process::start("watch", &config);
    let count = |outcome: &str| {
        let text = world.get(&format!("{metrics}/metrics")).unwrap_or_default();
        crate::figures::sum(&text, "imo_node_watcher_actions_total", &[outcome])
    };
    world.until("the budget is spent", || {
        (count("demand_unaffordable") > 2 && count("answer_right") == 2).then_some(())
    });
    assert_eq!(before - world.dollars("watcher"), 2 * one);
    assert_eq!(
        world.own_inquiries().len(),
        2,
        "none is opened that cannot be gone into"
    );
    world.advance(TERMS.window_slots);
    world.until("what was not seen is told", || {
        (count("answer_unseen") == QUESTIONS - 2).then_some(())
    });
    world.until("every inquiry is closed", || {
        world.own_inquiries().is_empty().then_some(())
    });
}
