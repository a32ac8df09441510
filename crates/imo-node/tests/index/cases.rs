use anchor_lang::prelude::Pubkey;
use imo_node::index::{Database, Progress};
use model_token::{events::ModelRegistered, state::Metadata};
use opml_oracle::events::{ReportFinalised, ReportPosted, ReportRejected};
use revenue_escrow::events::{BucketSplit, Collected, RetractionAnnounced};
use serde_json::json;
use yield_distributor::events::{Deposited, PoolCreated};

use crate::{
    chain::{Chain, Index, Transaction, logs},
    postgres::Postgres,
};

const ESCROW: Pubkey = revenue_escrow::ID;
const ORACLE: Pubkey = opml_oracle::ID;

fn key(name: &str) -> Pubkey {
    Pubkey::new_from_array(opml::hashv(&[name.as_bytes()]))
}

fn registered() -> ModelRegistered {
    ModelRegistered {
        model: key("model"),
        developer: key("developer"),
        index: 0,
        payment_mint: key("dollars"),
        metadata: Metadata {
            name: "Model".into(),
            symbol: "MODEL".into(),
            licence: "MIT".into(),
            uri: "card".into(),
            uri_hash: [1; 32],
        },
    }
}

fn posted(report: &str) -> ReportPosted {
    ReportPosted {
        report: key(report),
        operator: key("operator"),
        model: key("model"),
        version_number: 1,
        sequence: 0,
        bond_units: 100,
        max_collect_units: 50,
        period_start_unix: 1,
        period_end_unix: 2,
    }
}

fn collected(report: &str, lane: &str, amount_units: u64, count: u32) -> Collected {
    Collected {
        report: key(report),
        collection: key(&format!("{report} {lane}")),
        lane: key(lane),
        lane_generation: 1,
        session: key("session"),
        amount_units,
        count,
        first_sequence: 0,
        receipts_root: [0; 32],
        requests_root: [0; 32],
        bucket_units: amount_units,
        private: false,
    }
}

fn split(report: &str, amount_units: u64) -> BucketSplit {
    BucketSplit {
        report: key(report),
        model: key("model"),
        amount_units,
        holders_units: amount_units / 2,
        redeem_units: 0,
        developer_units: amount_units - amount_units / 2,
        operator_units: 0,
        protocol_units: 0,
        contributors_units: 0,
        others_units: 0,
        fee_units: 0,
        audit_units: 0,
    }
}

/// Plays a case on every kind of database that is there.
async fn on_each_database<F: Future<Output = ()>>(case: impl Fn(Database) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("index.db").display());
    case(Database::open(&file).await.unwrap()).await;
    if let Some(server) = Postgres::start().await {
        let url = server.database("index").await;
        case(Database::open(&url).await.unwrap()).await;
    }
}

fn read(added: u64, finalised: u64, forgotten: u64) -> Progress {
    Progress {
        added,
        finalised,
        forgotten,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn given_revenue_when_read_again_and_again_then_counted_once_and_what_is_not_final_apart() {
    on_each_database(async |database| {
        let chain = Chain::default();
        chain.emit(1, 10, model_token::ID, &registered());
        for (number, report, units) in [(2, "first", 100), (3, "second", 40), (4, "third", 7)] {
            chain.emit(number * 10, 10 + number, ORACLE, &posted(report));
            chain.emit(
                number * 10 + 1,
                11 + number,
                ESCROW,
                &collected(report, "lane", units, 3),
            );
        }
        chain.emit(100, 30, ESCROW, &split("first", 100));
        let rejected = ReportRejected {
            report: key("third"),
            operator: key("operator"),
            dispute: key("dispute"),
            slashed_units: 60,
        };
        chain.emit(101, 31, ORACLE, &rejected);
        chain.finalise(30);

        let follower = chain.follower(database.clone());
        assert_eq!(follower.round().await.unwrap(), read(9, 0, 0));
        assert_eq!(follower.round().await.unwrap(), Progress::default());
        // Another process, which knows nothing but the database.
        assert_eq!(
            chain.follower(database.clone()).round().await.unwrap(),
            Progress::default()
        );

        let index = Index::serve(database).await;
        let path = format!("/v1/models/{}", key("model"));
        let model = index.get(&path).await;
        assert_eq!(model["revenue"]["final_units"], "100");
        assert_eq!(model["revenue"]["pending_units"], "40");
        assert_eq!(model["revenue"]["holders_units"], "50");
        assert_eq!(model["answers"], json!({ "final": 3, "pending": 3, "rejected": 3 }));
        assert_eq!(model["reports"], json!({ "posted": 3, "final": 0, "rejected": 1 }));
        // The rejection can still be dropped by the cluster.
        let model = index.get(&format!("{path}?finalised=true")).await;
        assert_eq!(model["revenue"]["pending_units"], "47");

        chain.finalise(31);
        assert_eq!(follower.round().await.unwrap(), read(0, 1, 0));
        let status = index.get("/v1/status").await;
        assert_eq!((&status["transactions"], &status["pending"]), (&json!(9), &json!(0)));
        assert_eq!(chain.fetched(100), 1, "nothing is fetched twice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_a_fork_when_it_is_dropped_then_its_events_are_forgotten() {
    on_each_database(async |database| {
        let chain = Chain::default();
        chain.emit(1, 10, ORACLE, &posted("report"));
        chain.emit(2, 11, ESCROW, &collected("report", "lane", 100, 3));
        chain.emit(3, 12, ESCROW, &collected("report", "other", 11, 1));
        chain.finalise(10);
        let follower = chain.follower(database.clone());
        assert_eq!(follower.round().await.unwrap(), read(3, 0, 0));

        // The other fork has it in another slot, and not the first one.
        chain.drop(2);
        assert_eq!(
            follower.round().await.unwrap(),
            Progress::default(),
            "it may still come back"
        );
        chain.finalise(12);
        assert_eq!(follower.round().await.unwrap(), read(0, 1, 1));
        let index = Index::serve(database).await;
        let report = index.get(&format!("/v1/reports/{}", key("report"))).await;
        assert_eq!(
            (&report["collected_units"], &report["collections"]),
            (&json!("11"), &json!(1))
        );
        assert_eq!(report["events"].as_array().unwrap().len(), 2);

        chain.emit(4, 20, ESCROW, &collected("report", "lane", 90, 2));
        assert_eq!(follower.round().await.unwrap(), read(1, 0, 0));
        let report = index.get(&format!("/v1/reports/{}", key("report"))).await;
        assert_eq!(report["collected_units"], "101");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_a_long_absence_and_an_rpc_that_fails_when_read_then_everything_once() {
    on_each_database(async |database| {
        const COUNT: u64 = 1_234;
        let chain = Chain::default();
        chain.emit(1, 1, ORACLE, &posted("report"));
        chain.finalise(1);
        let follower = chain.follower(database.clone());
        assert_eq!(follower.round().await.unwrap(), read(1, 0, 0));
        // More than a page, of which a part is final.
        for number in 0..COUNT {
            chain.emit(
                10 + number,
                10 + number,
                ESCROW,
                &collected("report", &format!("lane {number}"), 3, 1),
            );
        }
        chain.finalise(700);
        chain.withhold(&[600, 1_100]);
        for _ in 0..2 {
            follower.round().await.expect_err("one cannot be fetched");
        }
        chain.withhold(&[]);
        follower.round().await.unwrap();
        assert_eq!(follower.round().await.unwrap(), Progress::default());
        let index = Index::serve(database).await;
        let report = index.get(&format!("/v1/reports/{}", key("report"))).await;
        assert_eq!(report["collections"], COUNT);
        assert_eq!(report["collected_units"], (COUNT * 3).to_string());

        // All pages together are all events, each once.
        let mut seen = std::collections::HashSet::new();
        let mut path = "/v1/events?limit=100".to_owned();
        loop {
            let page = index.get(&path).await;
            for event in page["items"].as_array().unwrap() {
                assert!(seen.insert(event["signature"].as_str().unwrap().to_owned()));
            }
            let Some(next) = page["next"].as_i64() else { break };
            path = format!("/v1/events?limit=100&before={next}");
        }
        assert_eq!(seen.len() as u64, COUNT + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_failed_cut_and_foreign_logs_when_read_then_left_out_and_told() {
    on_each_database(async |database| {
        let chain = Chain::default();
        let transaction = |logs, failed| Transaction {
            slot: 5,
            program: ESCROW,
            logs,
            failed,
        };
        let data = |units| vec![anchor_lang::Event::data(&collected("report", "lane", units, 1))];
        chain.add(1, transaction(logs(&ESCROW, &data(1)), true));
        let mut cut = logs(&ESCROW, &data(2));
        cut.push("Log truncated".into());
        chain.add(2, transaction(cut, false));
        chain.add(3, transaction(logs(&key("another program"), &data(4)), false));
        chain.add(4, transaction(logs(&ESCROW, &[vec![9; 40]]), false));
        let follower = chain.follower(database.clone());
        assert_eq!(follower.round().await.unwrap(), read(3, 0, 0));
        let index = Index::serve(database).await;
        let status = index.get("/v1/status").await;
        assert_eq!((&status["incomplete"], &status["unknown"]), (&json!(1), &json!(1)));
        let events = index.get("/v1/events?name=Collected").await;
        let amounts: Vec<_> = events["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| &event["fields"]["amount_units"])
            .collect();
        assert_eq!(amounts, ["2"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_a_retraction_and_deposits_when_asked_then_revenue_without_it_and_yield_per_token() {
    on_each_database(async |database| {
        let chain = Chain::default();
        chain.emit(1, 1, model_token::ID, &registered());
        chain.emit(2, 2, ORACLE, &posted("report"));
        chain.emit(3, 3, ESCROW, &collected("report", "kept", 100, 4));
        chain.emit(4, 4, ESCROW, &collected("report", "retracted", 60, 2));
        let retraction = RetractionAnnounced {
            report: key("report"),
            collection: key("report retracted"),
            credit: key("credit"),
            amount_units: 60,
            fee_units: 6,
        };
        chain.emit(5, 5, ESCROW, &retraction);
        let last = ReportFinalised {
            report: key("report"),
            operator: key("operator"),
            bond_units: 100,
        };
        chain.emit(6, 6, ORACLE, &last);
        let pool = PoolCreated {
            pool: key("pool"),
            model: key("model"),
            token_mint: key("token"),
            revenue_mint: key("dollars"),
            epoch_slots: 10,
            vesting_units: 0,
        };
        chain.emit(7, 7, yield_distributor::ID, &pool);
        for (number, holders_units, supply_units) in [(8, 3_000_000, 1_000_000), (9, 1_000_000, 500_000)] {
            let deposit = Deposited {
                pool: key("pool"),
                holders_units,
                redeem_units: 1,
                stakers_units: 2,
                active_units: 400_000,
                supply_units,
            };
            chain.emit(number, number, yield_distributor::ID, &deposit);
        }
        chain.follower(database.clone()).round().await.unwrap();
        let index = Index::serve(database).await;
        let model = &index.get("/v1/models").await["items"][0];
        assert_eq!(model["revenue"]["pending_units"], "100");
        assert_eq!(model["answers"]["pending"], 4);
        assert_eq!(model["yield"]["units_per_token"], 5_000_000.0);
        assert_eq!(model["yield"]["supply_units"], "500000");
        let finals = index.get("/v1/reports?state=final").await;
        assert_eq!(finals["items"].as_array().unwrap().len(), 1);
        let open = index.get("/v1/reports?state=open").await;
        assert_eq!(open["items"], json!([]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_questions_that_make_no_sense_when_asked_then_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("index.db").display());
    let index = Index::serve(Database::open(&file).await.unwrap()).await;
    for (path, status, about) in [
        ("/v1/models/nobody", 400, "not an address"),
        ("/v1/models/11111111111111111111111111111111", 404, "no such model"),
        ("/v1/reports?state=odd", 400, "open, sealed, final, rejected"),
        ("/v1/reports?limit=0", 400, "1 to 100"),
        ("/v1/events?limit=101", 400, "1 to 100"),
        ("/v1/events?before=x", 400, "before"),
        ("/v1/owners/x/history", 400, "not an address"),
        ("/v1/disputes/11111111111111111111111111111111", 404, "no such dispute"),
        (
            "/v1/operators/11111111111111111111111111111111",
            404,
            "no such operator",
        ),
    ] {
        let (given, answer) = index.ask(path).await;
        let sentence = answer["error"].as_str().unwrap();
        assert!(
            given == status && sentence.contains(about),
            "{path}: {given} {sentence}"
        );
    }
    let document = index.get("/openapi.json").await;
    assert_eq!(document["paths"].as_object().unwrap().len(), 11);
}
