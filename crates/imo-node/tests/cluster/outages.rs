//! An operator and a watcher, each as a process, behind an RPC that loses, repeats, delays, refuses and lies.

use std::sync::atomic::Ordering;

use imo_client::{addresses as at, trees::ReceiptTree};
use imo_node::{
    chain::{Accounts, Rpc, SendError, places},
    operator::Policy,
};
use imo_protocol::{Collection, Receipt, share_floor};
use opml_oracle::state::{Dispute, Operator, Report, ReportStatus};
use opml_runtime::{Model, execute};
use revenue_escrow::state::{Credit, Lane};
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;

use crate::{
    cheats::{Liar, lie_in},
    faulty_rpc::{Faults, FaultyRpc},
    process::{Process, Watching, configure},
    world::{Node, PRICE, SPLIT, STAKE, TERMS, World, key, policy, port, workspace},
};

#[test]
fn given_an_rpc_that_fails_in_every_way_when_an_operator_and_a_watcher_go_on_then_nothing_is_lost_and_nothing_happens_twice()
 {
    const QUESTIONS: u64 = 24;
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    world.open_business(&url);
    let rpc = FaultyRpc::before(
        &world,
        Faults {
            lost: 20,
            answer_lost: 30,
            doubled: 100,
            late: 40,
            refused: 20,
            lies: 100,
            stale: 40,
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&world, folder.path(), &listen);
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text
        .replace(world.url(), &rpc.url)
        .replace(world.websocket(), &rpc.websocket);
    std::fs::write(&config, text).unwrap();
    // What a start needs to know has to be had.
    let mut operator = Process::start("operate", &config);
    world.until("the operator serves", || {
        if !operator.is_alive() {
            operator = Process::start("operate", &config);
        }
        world.get(&format!("{url}/v1/models"))
    });

    let (listener, liars_url) = port();
    world.open_another_business("liar", &liars_url, false);
    let (input, lie) = lie_in(&world, 3, 1);
    let home = Node::new();
    let liar = Liar::about(&world.model, [(input.root(), lie)]);
    let patient = Policy {
        report_seconds: 2,
        ..policy()
    };
    world.operate_as("liar", &home, listener, Some(liar), patient, &rpc.url);
    let before = world.dollars("watcher");
    let watching = Watching {
        rpc: &rpc.url,
        websocket: &rpc.websocket,
        policy: "round_ms = 500, patience_slots = 100000",
        ..Watching::new(&world)
    };
    let (config, _) = watching.configure(folder.path());
    let mut watcher = Process::start("watch", &config);

    // Each question until it is answered: a gateway that cannot see the chain says so.
    let ask = |url: &str, purse: &mut imo_client::payer::Purse, input: &opml_runtime::Tensor| {
        let (header, body) = world.question(purse, input);
        world.until("an answer", || match world.post(url, &header, &body) {
            Ok((200, answer)) => Some(answer),
            Ok((429 | 503, _)) | Err(_) => None,
            Ok((status, answer)) => panic!("{status}: {answer}"),
        })
    };
    ask(&liars_url, &mut world.purse_of("liar"), &input);
    let mut purse = world.purse();
    let mut receipts = Vec::new();
    for seed in 0..QUESTIONS {
        let input = world.input(seed);
        ask(&url, &mut purse, &input);
        receipts.push(Receipt {
            lane: world.lane(),
            sequence: seed,
            claim: execute(&world.model, &input).unwrap().claim(),
            salt: [0; 32],
        });
        if seed == QUESTIONS / 2 {
            // Gone, for as long as a minute takes on chain.
            rpc.be_gone(true);
            world.advance(150);
            std::thread::sleep(std::time::Duration::from_secs(4));
            rpc.be_gone(false);
        }
        if !watcher.is_alive() {
            watcher = Process::start("watch", &config);
        }
    }
    world.until("all that was answered is collected, once", || {
        let lane: Lane = world.find(&world.lane())?;
        assert!(lane.collected_count <= QUESTIONS);
        (lane.collected_count == QUESTIONS && lane.collected_units == QUESTIONS * PRICE).then_some(())
    });
    let bond = STAKE - world.slashed("liar").stake_units;
    let (gain, me) = (
        share_floor(bond, TERMS.prover_share_bps).unwrap(),
        key("watcher").pubkey(),
    );
    world.until("the watcher is paid", || {
        (world.dollars("watcher") >= before + gain - TERMS.open_fee_units).then_some(())
    });
    world.until("its dispute is closed", || {
        let disputes: Vec<(_, Dispute)> = world.having(places::SECOND_KEY, &me);
        disputes.is_empty().then_some(())
    });
    let reports = |status: ReportStatus| {
        let operator: Operator = world.find(&world.operator()).unwrap();
        let reports = (0..operator.next_sequence).filter_map(|sequence| world.find::<Report>(&world.report(sequence)));
        reports
            .into_iter()
            .all(|report| report.status == status)
            .then_some(operator)
    };
    let operator_account = world.until("every report is sealed", || reports(ReportStatus::Sealed));

    // One report after the other, none twice, over the very receipts that were handed out.
    let (mut next, mut bonds) = (0, 0);
    for sequence in 0..operator_account.next_sequence {
        let address = world.report(sequence);
        let report: Report = world.find(&address).unwrap();
        assert_eq!(
            (report.disputes_opened, report.demands_made),
            (0, 0),
            "an honest operator is disputed"
        );
        bonds += report.bond_units;
        let Some(collection) = world.find::<Collection>(&at::revenue_escrow::collection(&address, &world.lane()))
        else {
            continue;
        };
        assert_eq!(collection.first_sequence, next);
        let end = next + u64::from(collection.count);
        let tree = ReceiptTree::over(next, &receipts[next as usize..end as usize]).unwrap();
        assert_eq!(collection.receipts_root, tree.root());
        next = end;
    }
    assert_eq!(next, QUESTIONS);
    assert_eq!(
        (operator_account.stake_units, operator_account.locked_units),
        (STAKE, bonds)
    );
    // To the end: the honest one is paid its share to the unit, the payer of the lie has its money again.
    let earned = world.dollars("operator");
    let reported = operator_account.next_sequence;
    world.advance(TERMS.window_slots);
    let share = share_floor(QUESTIONS * PRICE, SPLIT.operator_bps).unwrap();
    world.until("the honest one is paid", || {
        // Each report's share is rounded down.
        (world.dollars("operator") + reported >= earned + share).then_some(())
    });
    assert!(world.dollars("operator") <= earned + share);
    world.until("its reports are closed", || {
        let operator: Operator = world.find(&world.operator())?;
        (operator.open_reports == 0 && operator.locked_units == 0 && operator.stake_units == STAKE).then_some(())
    });
    world.until("the payer of the lie is refunded", || {
        let credit: Credit = world.find(&world.credit())?;
        let lane: Lane = world.find(&world.lane_of("liar"))?;
        let paid = QUESTIONS * PRICE;
        let left = credit.available_units + credit.reserved_units + credit.withdrawing_units;
        (lane.collected_units == PRICE && left == crate::world::DEPOSIT - paid).then_some(())
    });
    // How often they ask is up to the machine: they go on until it has failed them a hundred times.
    world.until("a hundred faults", || {
        (rpc.done().faults.load(Ordering::SeqCst) > 100).then_some(())
    });
    assert!(rpc.done().lies.load(Ordering::SeqCst) > 0);
}

#[test]
fn given_an_rpc_that_passes_everything_on_twice_when_a_transaction_is_sent_then_its_own_fate_is_told() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let faults = Faults {
        doubled: 1_000,
        ..Faults::default()
    };
    let proxy = FaultyRpc::before(&world, faults);
    let rpc = Rpc::new(&proxy.url);
    let (from, to) = (key("protocol"), key("somebody").pubkey());
    let send = |lamports| {
        let instructions = [transfer(&from.pubkey(), &to, lamports)];
        world.runtime.block_on(rpc.send_bare(&instructions, &[&from]))
    };
    let has = || {
        let found = world.runtime.block_on(rpc.accounts(&[to])).unwrap();
        found[0].as_ref().map_or(0, |account| account.lamports)
    };
    // The first that is sent is a lie, whatever the faults.
    send(1_000_000).unwrap();
    assert_eq!(has(), 0);
    send(1_000_001).unwrap();
    assert_eq!(has(), 1_000_001, "once");
    let refused = send(u64::MAX);
    assert!(
        matches!(refused, Err(SendError::Failed(_) | SendError::Refused(_))),
        "{refused:?}"
    );
    assert_eq!(has(), 1_000_001);
}
