//! The operator as a process that is killed again and again, at moments that nobody chose, while it is asked.

use std::{
    process::{Command, Output},
    time::{Duration, Instant},
};

use imo_client::{addresses as at, trees::ReceiptTree, voucher::SignedVoucher};
use imo_node::{gateway::pay::payment_header, store::Store};
use imo_protocol::{Collection, Receipt};
use opml::Claim;
use opml_oracle::state::{Operator, Report};
use opml_runtime::{Model, execute};
use rand::Rng;
use revenue_escrow::state::Lane;
use solana_signer::Signer;

use crate::{
    process::{Process, configure, node},
    world::{PRICE, STAKE, World, key, port, workspace},
};

const KILLS: u32 = 12;

#[test]
fn given_an_operator_that_is_killed_at_any_moment_when_asked_on_then_nothing_is_lost_and_nothing_happens_twice() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    let listen = listener.local_addr().unwrap().to_string();
    drop(listener);
    world.open_business(&url);
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&world, folder.path(), &listen);

    let mut process = Process::start("operate", &config);
    let mut purse = world.purse();
    let mut receipts = Vec::new();
    let mut kills = 0;
    let life = || Duration::from_millis(rand::rng().random_range(200..2_500));
    let (mut began, mut lives) = (Instant::now(), life());
    while kills < KILLS || receipts.len() < 40 {
        let input = world.input(receipts.len() as u64);
        let question = purse.ask(world.entry(&input), world.unix() + 7 * 86_400).unwrap();
        let voucher = SignedVoucher {
            voucher: question.voucher,
            signature: key("session").sign_message(&question.voucher.message()).into(),
        };
        let header = payment_header(&voucher, &question.request.salt);
        let body = serde_json::json!({ "input": { "values": input.values() } }).to_string();
        // The very same request until it is answered: whether the operator has taken it before is the operator's to know.
        let asked = Instant::now();
        let answer = loop {
            if kills < KILLS && began.elapsed() > lives {
                process.kill();
                kills += 1;
                process = Process::start("operate", &config);
                (began, lives) = (Instant::now(), life());
            }
            match world.post(&url, &header, &body) {
                Ok((200, answer)) => break answer,
                Ok((429 | 503, _)) | Err(_) => std::thread::sleep(Duration::from_millis(20)),
                Ok((status, answer)) => panic!("{status}: {answer}"),
            }
            assert!(asked.elapsed() < Duration::from_secs(60), "no answer any more");
        };
        let truth = execute(&world.model, &input).unwrap();
        assert_eq!(answer["output"]["values"], serde_json::json!(truth.output().values()));
        assert_eq!(answer["evidence"]["sequence"], question.request.sequence);
        receipts.push(Receipt {
            lane: world.lane(),
            sequence: question.request.sequence,
            claim: Claim {
                output_root: truth.output().root(),
                ..truth.claim()
            },
            salt: question.request.salt,
        });
    }

    let count = receipts.len() as u64;
    world.until("all that was answered is collected", || {
        let lane: Lane = world.find(&world.lane())?;
        (lane.collected_count == count && lane.collected_units == count * PRICE).then_some(())
    });
    world.until("every report is sealed", || {
        let operator: Operator = world.find(&world.operator())?;
        let reports = (0..operator.next_sequence).filter_map(|sequence| world.find::<Report>(&world.report(sequence)));
        reports
            .into_iter()
            .all(|report| report.status == opml_oracle::state::ReportStatus::Sealed)
            .then_some(())
    });

    // The Collections follow each other without gap or overlap, over the very receipts that were handed out.
    let operator: Operator = world.find(&world.operator()).unwrap();
    let mut next = 0;
    let mut bonds = 0;
    for sequence in 0..operator.next_sequence {
        let report = world.report(sequence);
        bonds += world.find::<Report>(&report).unwrap().bond_units;
        let collection = at::revenue_escrow::collection(&report, &world.lane());
        let Some(collection) = world.find::<Collection>(&collection) else {
            continue;
        };
        assert_eq!(collection.first_sequence, next);
        let end = next + u64::from(collection.count);
        let tree = ReceiptTree::over(next, &receipts[next as usize..end as usize]).unwrap();
        assert_eq!(collection.receipts_root, tree.root());
        next = end;
    }
    assert_eq!(next, count);
    assert_eq!(operator.stake_units, STAKE);
    assert_eq!(operator.locked_units, bonds);

    // Told to stop, it stops by itself, and its store agrees with the chain.
    world.until("the store has noted it", || {
        let owed = world.runtime.block_on(async {
            let url = format!("sqlite://{}", folder.path().join("data/operator.db").display());
            Store::open(&url).await.unwrap().owed_units().await.unwrap()
        });
        (owed == 0).then_some(())
    });
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(process.wait().unwrap().success());
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn given_a_configuration_when_checked_then_told_what_is_missing_until_nothing_is() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let config = configure(&world, folder.path(), "127.0.0.1:0");
    let before = node("check", &config).output().unwrap();
    assert_eq!(before.status.code(), Some(1));
    assert!(
        text(&before).contains("MISSING The operator is not registered"),
        "{}",
        text(&before)
    );
    let refused = node("operate", &config).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("The operator is not registered"),
        "{}",
        text(&refused)
    );

    world.open_business("http://127.0.0.1:1");
    let hasty = node("check", &config).output().unwrap();
    assert_eq!(hasty.status.code(), Some(1));
    assert!(
        text(&hasty).contains("MISSING With a report every 2 seconds"),
        "{}",
        text(&hasty)
    );
    let calm = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, calm.replace("report_seconds = 2", "report_seconds = 60")).unwrap();
    let after = node("check", &config).output().unwrap();
    assert_eq!(after.status.code(), Some(0), "{}", text(&after));
    assert!(text(&after).contains("digits is version 1"), "{}", text(&after));

    let other = serde_json::to_string(&key("somebody").to_bytes().to_vec()).unwrap();
    let wrong_key = node("operate", &config)
        .env("IMO_NODE_ANSWER_KEY", other)
        .output()
        .unwrap();
    assert_eq!(wrong_key.status.code(), Some(1));
    assert!(
        text(&wrong_key).contains("names another key for answers"),
        "{}",
        text(&wrong_key)
    );

    let unreachable = node("check", &config)
        .args(["--rpc", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(unreachable.status.code(), Some(1));
    assert!(
        text(&unreachable).contains("RPC does not answer"),
        "{}",
        text(&unreachable)
    );
}
