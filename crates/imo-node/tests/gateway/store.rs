use anchor_lang::prelude::Pubkey;
use imo_client::voucher::SignedVoucher;
use imo_node::store::{Accepted, Store, StoreError, StoredLane, StoredRequest};
use imo_protocol::{Request, Voucher};

use crate::postgres::Postgres;

/// Each case on a file of its own, and all of them on a server, each in a database of its own.
macro_rules! on_every_database {
    ($($case:ident,)+) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    let folder = tempfile::tempdir().unwrap();
                    super::$case(format!("sqlite://{}", folder.path().join("node.db").display())).await;
                }
            )+
        }

        #[tokio::test]
        async fn given_postgresql_when_used_then_every_case_holds_on_it_too() {
            let Some(server) = Postgres::start().await else {
                eprintln!("PostgreSQL is not installed here: its cases are left out");
                return;
            };
            $($case(server.database(stringify!($case)).await).await;)+
        }

        #[tokio::test]
        async fn given_postgresql_that_was_stopped_when_it_is_back_then_everything_is_there_and_it_goes_on() {
            let Some(mut server) = Postgres::start().await else {
                eprintln!("PostgreSQL is not installed here: this is left out");
                return;
            };
            let store = Store::open(&server.database("restart").await).await.unwrap();
            filled(&store).await;
            server.restart().await;
            // Connections that died with it are noticed one after the other.
            let mut tries = 0;
            while let Err(error) = store.accept(accepted(1, 3), 100).await {
                assert!(!matches!(error, StoreError::Conflict), "written all the same");
                tries += 1;
                assert!(tries < 20, "{error}");
            }
            let requests = store.requests(&Pubkey::new_from_array([1; 32]), 4, 0..9).await.unwrap();
            assert_eq!(requests.len(), 4);
        }
    };
}

on_every_database! {
    given_accepted_answers_when_read_back_then_equal_also_after_opening_again,
    given_a_step_that_was_taken_when_another_takes_it_then_conflict_and_nothing_changes,
    given_many_writers_of_one_step_when_they_race_then_one_wins,
    given_collections_when_noted_then_what_is_owed_falls_and_never_rises_again,
    given_an_input_of_a_private_and_a_public_lane_when_asked_then_public,
    given_an_input_when_some_keep_it_here_and_some_as_a_file_then_its_elements_stay,
    given_more_receipts_than_a_page_when_read_then_all_in_order_or_told_that_some_are_missing,
    given_a_lane_that_is_not_there_when_a_later_step_is_taken_then_conflict,
    given_many_answers_at_once_when_written_together_then_each_has_its_own_fate,
}

fn accepted(lane: u8, sequence: u64) -> Accepted {
    let key = |byte| Pubkey::new_from_array([byte; 32]);
    let voucher = Voucher {
        cluster: [1; 32],
        escrow: key(2),
        lane: key(lane),
        lane_generation: 4,
        session: key(5),
        session_generation: 6,
        cumulative_amount_units: 10 * (sequence + 1),
        cumulative_count: sequence + 1,
        requests_root: [9; 32],
        expires_unix: 10,
    };
    Accepted {
        lane: StoredLane {
            credit: key(10),
            model: key(11),
            model_root: [12; 32],
            private: lane == 200,
            collected_count: 0,
            collected_units: 0,
            first_owed_unix: 100,
            voucher: SignedVoucher {
                voucher,
                signature: [13; 64],
            },
        },
        answered: StoredRequest {
            request: Request {
                lane: key(lane),
                sequence,
                model_root: [12; 32],
                input_root: [14; 32],
                price_units: 10,
                salt: [15; 32],
            },
            output_root: [16; 32],
        },
        input: Some(vec![17; 3].into()),
    }
}

async fn filled(store: &Store) {
    for sequence in 0..3 {
        store
            .accept(accepted(1, sequence), 100 + sequence as i64)
            .await
            .unwrap();
    }
}

async fn given_accepted_answers_when_read_back_then_equal_also_after_opening_again(url: String) {
    let store = Store::open(&url).await.unwrap();
    filled(&store).await;
    drop(store);
    let store = Store::open(&url).await.unwrap();
    let lane = store.lane(&Pubkey::new_from_array([1; 32]), 4).await.unwrap().unwrap();
    assert_eq!(lane, accepted(1, 2).lane);
    let requests = store.requests(&lane.address(), 4, 1..3).await.unwrap();
    assert_eq!(requests, [accepted(1, 1).answered, accepted(1, 2).answered]);
    assert_eq!(store.lane(&lane.address(), 5).await.unwrap(), None);
}

async fn given_a_step_that_was_taken_when_another_takes_it_then_conflict_and_nothing_changes(url: String) {
    let store = Store::open(&url).await.unwrap();
    filled(&store).await;
    for sequence in [0, 1, 2, 4, 7] {
        let mut other = accepted(1, sequence);
        other.answered.output_root = [99; 32];
        let refused = store.accept(other, 100).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{sequence}");
    }
    let requests = store.requests(&Pubkey::new_from_array([1; 32]), 4, 0..9).await.unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.output_root == [16; 32]));
    store.accept(accepted(1, 3), 100).await.unwrap();
}

async fn given_many_writers_of_one_step_when_they_race_then_one_wins(url: String) {
    let store = Store::open(&url).await.unwrap();
    let tasks: Vec<_> = (0..16u8)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = accepted(1, 0);
                mine.answered.output_root = [number; 32];
                store.accept(mine, 100).await
            })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => won += 1,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(won, 1);
}

async fn given_collections_when_noted_then_what_is_owed_falls_and_never_rises_again(url: String) {
    let store = Store::open(&url).await.unwrap();
    filled(&store).await;
    store.accept(accepted(2, 0), 50).await.unwrap();
    let lane = Pubkey::new_from_array([1; 32]);
    let owing = |store: Store| async move {
        let lanes = store.owing_lanes().await.unwrap();
        lanes
            .iter()
            .map(|lane| (lane.address().to_bytes()[0], lane.owed_units()))
            .collect::<Vec<_>>()
    };
    assert_eq!(store.owed_units().await.unwrap(), 40);
    assert_eq!(
        owing(store.clone()).await,
        [(2, 10), (1, 30)],
        "who waits longest first"
    );
    store.note_collected(&lane, 4, 2, 20, 200).await.unwrap();
    assert_eq!(owing(store.clone()).await, [(2, 10), (1, 10)]);
    store.note_collected(&lane, 4, 1, 10, 300).await.unwrap();
    assert_eq!(store.owed_units().await.unwrap(), 20);
    store.note_collected(&lane, 4, 3, 30, 400).await.unwrap();
    assert_eq!(owing(store.clone()).await, [(2, 10)]);
    store.accept(accepted(1, 3), 500).await.unwrap();
    let lane = store.lane(&lane, 4).await.unwrap().unwrap();
    assert_eq!(lane.first_owed_unix, 500);
}

async fn public(store: &Store) -> Option<bool> {
    store.input(&[14; 32]).await.unwrap().map(|input| input.public)
}

async fn given_an_input_of_a_private_and_a_public_lane_when_asked_then_public(url: String) {
    let store = Store::open(&url).await.unwrap();
    assert_eq!(public(&store).await, None);
    store.accept(accepted(200, 0), 100).await.unwrap();
    assert_eq!(public(&store).await, Some(false));
    store.accept(accepted(1, 0), 100).await.unwrap();
    assert_eq!(public(&store).await, Some(true));
    store.accept(accepted(200, 1), 100).await.unwrap();
    assert_eq!(public(&store).await, Some(true));
}

async fn given_an_input_when_some_keep_it_here_and_some_as_a_file_then_its_elements_stay(url: String) {
    let store = Store::open(&url).await.unwrap();
    let elements = |store: Store| async move { store.input(&[14; 32]).await.unwrap().unwrap().bytes };
    let mut as_a_file = accepted(1, 0);
    as_a_file.input = None;
    store.accept(as_a_file, 100).await.unwrap();
    assert_eq!(elements(store.clone()).await, None);
    store.accept(accepted(1, 1), 100).await.unwrap();
    assert_eq!(elements(store.clone()).await.unwrap(), [17; 3].as_slice());
    let mut as_a_file = accepted(1, 2);
    as_a_file.input = None;
    store.accept(as_a_file, 100).await.unwrap();
    assert_eq!(elements(store.clone()).await.unwrap(), [17; 3].as_slice());
}

async fn given_many_answers_at_once_when_written_together_then_each_has_its_own_fate(url: String) {
    let store = Store::open(&url).await.unwrap();
    for lane in 0..200 {
        store.accept(accepted(lane, 0), 100).await.unwrap();
    }
    // Every third comes a second time, every seventh does not fit the database.
    let tasks: Vec<_> = (0..200u8)
        .map(|lane| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut mine = accepted(lane, u64::from(lane % 3 != 0));
                mine.answered.request.input_root = [lane % 5; 32];
                if lane % 7 == 0 {
                    mine.lane.voucher.voucher.cumulative_amount_units = u64::MAX;
                }
                store.accept(mine, 100).await
            })
        })
        .collect();
    for (lane, task) in (0..200u8).zip(tasks) {
        match task.await.unwrap() {
            Ok(()) => assert!(lane % 3 != 0 && lane % 7 != 0, "{lane}"),
            Err(StoreError::Conflict) => assert!(lane % 3 == 0 && lane % 7 != 0, "{lane}"),
            Err(StoreError::Range) => assert_eq!(lane % 7, 0),
            Err(error) => panic!("{error}"),
        }
        let expected = 1 + u64::from(lane % 3 != 0 && lane % 7 != 0);
        let key = Pubkey::new_from_array([lane; 32]);
        let stored = store.lane(&key, 4).await.unwrap().unwrap();
        assert_eq!(stored.count(), expected);
        let requests = store.requests(&key, 4, 0..9).await.unwrap();
        assert_eq!(requests.len() as u64, expected);
    }
}

async fn given_more_receipts_than_a_page_when_read_then_all_in_order_or_told_that_some_are_missing(url: String) {
    const COUNT: u64 = 1_050;
    let store = Store::open(&url).await.unwrap();
    let answer = |sequence: u64| {
        let mut answer = accepted(1, sequence);
        // Zeros, quotes and what is no text.
        answer.answered.output_root[..8].copy_from_slice(&sequence.to_le_bytes());
        answer.answered.output_root[8..].copy_from_slice(&[0xff, 0xc3, 0x28, b'\'', 0, 0x80].repeat(4));
        answer
    };
    for sequence in 0..COUNT {
        store.accept(answer(sequence), 100).await.unwrap();
    }
    let lane = Pubkey::new_from_array([1; 32]);
    for (first, end) in [(0, COUNT), (7, 1_031), (1_024, COUNT), (5, 5)] {
        let receipts = store.receipts(&lane, 4, first..end).await.unwrap();
        let expected: Vec<_> = (first..end)
            .map(|sequence| answer(sequence).answered.receipt())
            .collect();
        assert_eq!(receipts, expected);
    }
    for (generation, first, end) in [(4, 0, COUNT + 1), (4, COUNT, COUNT + 1), (5, 0, 1)] {
        let missing = store.receipts(&lane, generation, first..end).await;
        assert!(matches!(missing, Err(StoreError::Missing(_))), "{missing:?}");
    }
}

async fn given_a_lane_that_is_not_there_when_a_later_step_is_taken_then_conflict(url: String) {
    let store = Store::open(&url).await.unwrap();
    let later = store.accept(accepted(1, 3), 100).await;
    assert!(matches!(later, Err(StoreError::Conflict)), "{later:?}");
    assert_eq!(store.lane(&Pubkey::new_from_array([1; 32]), 4).await.unwrap(), None);
    assert_eq!(public(&store).await, None);
}
