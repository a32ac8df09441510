//! Clients that pay wrongly, or do not mean to.

use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use imo_client::{challenge::Answer, payer::PaidQuestion, voucher::SignedVoucher};
use imo_node::{
    gateway::{Limits, pay::payment_header},
    model::{Executor, Fast},
    store::Blobs,
};
use imo_protocol::{Deadline, Now};
use opml_runtime::{Tensor, execute::ExecuteError};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::world::{EXPIRES, LANE, NOW, PRICE, World, digits};

type Forge = fn(&World, &mut PaidQuestion);

/// The code of the refusal.
async fn refused(world: &World, header: &str, input: &Tensor) -> String {
    let response = world.infer(header, world.values(input).to_string()).await;
    assert_eq!(response.status(), 402);
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    body["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn given_a_voucher_with_one_wrong_field_when_paid_with_then_the_fields_own_refusal_and_nothing_is_stored() {
    let world = World::new().await;
    let mut purse = world.purse();
    world.ask(&mut purse, &world.input(0)).await;
    let forgeries: [(&str, Forge); 12] = [
        ("wrong_cluster", |_, question| question.voucher.cluster = [8; 32]),
        ("wrong_program", |world, question| {
            question.voucher.escrow = world.operator
        }),
        ("no_lane", |world, question| question.voucher.lane = world.operator),
        ("old_lane", |_, question| question.voucher.lane_generation -= 1),
        ("old_session", |_, question| question.voucher.session_generation -= 1),
        ("not_next", |_, question| question.voucher.cumulative_count += 1),
        ("not_next", |_, question| question.voucher.cumulative_count -= 2),
        ("not_next", |_, question| question.voucher.cumulative_amount_units -= 1),
        ("not_next", |_, question| question.voucher.cumulative_amount_units += 1),
        ("wrong_requests", |_, question| question.voucher.requests_root = [9; 32]),
        ("outlives_session", |_, question| question.voucher.expires_unix += 1),
        ("expires_too_soon", |_, question| {
            question.voucher.expires_unix = NOW + 60
        }),
    ];
    for (seed, (code, forge)) in (1..).zip(forgeries) {
        let input = world.input(seed);
        let mut purse = purse.clone();
        let mut question = world.question(&mut purse, &input);
        forge(&world, &mut question);
        assert_eq!(refused(&world, &world.header(&question), &input).await, code);
    }
    assert_eq!(world.store.lane(&world.lane(), 11).await.unwrap().unwrap().count(), 1);
    assert_eq!(world.store.owed_units().await.unwrap(), PRICE);
}

#[tokio::test]
async fn given_a_signature_of_somebody_else_when_paid_with_then_refused() {
    let world = World::new().await;
    let input = world.input(0);
    let question = world.question(&mut world.purse(), &input);
    let stranger = Keypair::new_from_array([77; 32]);
    let forged = SignedVoucher {
        voucher: question.voucher,
        signature: stranger.sign_message(&question.voucher.message()).into(),
    };
    assert_eq!(
        refused(&world, &payment_header(&forged, &[0; 32]), &input).await,
        "wrong_signature"
    );

    // A key of their own that nobody granted anything.
    let mut voucher = question.voucher;
    voucher.session = stranger.pubkey();
    let own = SignedVoucher {
        voucher,
        signature: stranger.sign_message(&voucher.message()).into(),
    };
    assert_eq!(
        refused(&world, &payment_header(&own, &[0; 32]), &input).await,
        "no_session"
    );
}

#[tokio::test]
async fn given_another_question_or_salt_than_was_signed_for_when_paid_then_refused() {
    let world = World::new().await;
    let (signed_for, asked) = (world.input(0), world.input(1));
    let question = world.question(&mut world.purse(), &signed_for);
    assert_eq!(
        refused(&world, &world.header(&question), &asked).await,
        "wrong_requests"
    );
    let header = payment_header(&world.sign(&question), &[1; 32]);
    assert_eq!(refused(&world, &header, &signed_for).await, "wrong_requests");
}

#[tokio::test]
async fn given_an_older_voucher_when_paid_with_again_then_refused() {
    let world = World::new().await;
    let mut purse = world.purse();
    let input = world.input(0);
    let first = world.question(&mut purse, &input);
    assert_eq!(
        world
            .infer(&world.header(&first), world.values(&input).to_string())
            .await
            .status(),
        200
    );
    world.ask(&mut purse, &world.input(1)).await;
    assert_eq!(refused(&world, &world.header(&first), &input).await, "not_next");
}

#[tokio::test]
async fn given_accounts_that_cover_nothing_when_paid_then_their_own_refusals() {
    let world = World::new().await;
    let input = world.input(0);
    let header = world.header(&world.question(&mut world.purse(), &input));
    let now = Now {
        slot: 1_000,
        unix: NOW,
        last_restart_slot: 0,
    };
    let notice = Deadline::after(&now, 100);

    let mut lane = world.lane_account();
    lane.operator = world.payer;
    world.chain.put(world.lane(), &lane);
    assert_eq!(refused(&world, &header, &input).await, "foreign_lane");

    let mut lane = world.lane_account();
    (lane.reserved_units, lane.releasing_units, lane.release_deadline) = (PRICE - 1, LANE, notice);
    world.chain.put(world.lane(), &lane);
    assert_eq!(refused(&world, &header, &input).await, "lane_overdrawn");

    let mut lane = world.lane_account();
    lane.collected_count = 1;
    world.chain.put(world.lane(), &lane);
    assert_eq!(refused(&world, &header, &input).await, "history_missing");
    world.chain.put(world.lane(), &world.lane_account());

    let mut session = world.session_account();
    session.spent_units = LANE - PRICE + 1;
    world.chain.put(world.session_address(), &session);
    assert_eq!(refused(&world, &header, &input).await, "limit_exceeded");

    let mut session = world.session_account();
    session.revoke_deadline = notice;
    world.chain.put(world.session_address(), &session);
    assert_eq!(refused(&world, &header, &input).await, "session_over");
    world.chain.put(world.session_address(), &world.session_account());

    let mut credit = world.credit_account();
    credit.model = world.payer;
    world.chain.put(world.credit(), &credit);
    assert_eq!(refused(&world, &header, &input).await, "wrong_model");
    world.chain.put(world.credit(), &world.credit_account());

    // An account with the right bytes of another program is no lane.
    let mut data = Vec::new();
    anchor_lang::AccountSerialize::try_serialize(&world.lane_account(), &mut data).unwrap();
    world.chain.put_raw(world.lane(), world.operator, data);
    assert_eq!(refused(&world, &header, &input).await, "no_lane");
}

#[tokio::test]
async fn given_a_stake_that_covers_no_more_when_paid_then_told_to_come_back() {
    let world = World::new().await;
    let mut operator = world.operator_account();
    operator.stake_units = 2 * PRICE;
    world.chain.put(world.operator, &operator);
    let mut purse = world.purse();
    world.ask(&mut purse, &world.input(0)).await;
    let input = world.input(1);
    let question = world.question(&mut purse, &input);
    let response = world
        .infer(&world.header(&question), world.values(&input).to_string())
        .await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "60");
}

#[tokio::test]
async fn given_bodies_that_are_no_input_when_paid_then_refused_and_nothing_is_charged() {
    let world = World::new().await;
    let input = world.input(0);
    let header = world.header(&world.question(&mut world.purse(), &input));
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let nans = "NaN,".repeat(64);
    for body in [
        String::new(),
        "{".into(),
        "null".into(),
        r#"{"input":{"values":[NaN]}}"#.into(),
        format!(r#"{{"input":{{"values":[{nans}NaN]}}}}"#),
        r#"{"input":{"values":[1e999]}}"#.into(),
        r#"{"input":{"values":[1.5]}}"#.into(),
        r#"{"input":{"values":[128]}}"#.into(),
        r#"{"input":{"values":[99999999999]}}"#.into(),
        r#"{"input":{"values":[1,2,3]}}"#.into(),
        r#"{"input":{"data":"*"}}"#.into(),
        r#"{"input":{"data":"AAAA"}}"#.into(),
        format!(r#"{{"input":{deep}}}"#),
        format!(r#"{{"input":{{"values":{deep}}}}}"#),
        "\u{0}\u{1}\u{2}".into(),
    ] {
        let status = world.infer(&header, body.clone()).await.status();
        assert_eq!(status, 400, "{}", &body[..body.len().min(60)]);
    }
    let unknown = serde_json::json!({ "model": "other", "input": { "values": input.values() } });
    assert_eq!(world.infer(&header, unknown.to_string()).await.status(), 404);
    assert_eq!(world.store.owed_units().await.unwrap(), 0);
    assert_eq!(
        world.infer(&header, world.values(&input).to_string()).await.status(),
        200
    );
}

#[tokio::test]
async fn given_headers_that_are_no_payment_when_sent_then_the_terms() {
    let world = World::new().await;
    let long = "A".repeat(8_000);
    for header in ["", "e30=", "*", "eyJ4NDAyVmVyc2lvbiI6MX0=", long.as_str()] {
        assert_eq!(refused(&world, header, &world.input(0)).await, "payment_malformed");
    }
}

#[tokio::test]
async fn given_a_body_that_is_too_large_when_sent_then_refused_before_it_is_read() {
    let world = World::new().await;
    let input = world.input(0);
    let header = world.header(&world.question(&mut world.purse(), &input));
    let address = world.url.strip_prefix("http://").unwrap();

    // It only says that a gigabyte follows.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("POST /v1/infer HTTP/1.1\r\nhost: x\r\nx-payment: {header}\r\ncontent-length: 1000000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(first_line(&mut stream).await.contains("413"));

    // It does not say, and goes on and on.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("POST /v1/infer HTTP/1.1\r\nhost: x\r\nx-payment: {header}\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..4 {
        let _ = stream.write_all(chunk.as_bytes()).await;
    }
    assert!(first_line(&mut stream).await.contains("413"));
}

#[tokio::test]
async fn given_a_body_or_headers_that_dawdle_when_the_time_is_over_then_the_connection_is_free_again() {
    let limits = Limits {
        read_seconds: 1,
        ..Limits::default()
    };
    let world = World::with(limits, None).await;
    let input = world.input(0);
    let header = world.header(&world.question(&mut world.purse(), &input));
    let address = world.url.strip_prefix("http://").unwrap();
    let began = Instant::now();

    let mut body = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /v1/infer HTTP/1.1\r\nhost: x\r\nx-payment: {header}\r\ncontent-length: 100\r\n\r\n{{");
    body.write_all(head.as_bytes()).await.unwrap();
    let mut headers = TcpStream::connect(address).await.unwrap();
    headers.write_all(b"POST /v1/infer HTTP/1.1\r\nhost").await.unwrap();

    assert!(first_line(&mut body).await.contains("408"));
    let mut rest = Vec::new();
    let _ = headers.read_to_end(&mut rest).await;
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(
        world.infer(&header, world.values(&input).to_string()).await.status(),
        200
    );
}

#[tokio::test]
async fn given_clients_that_take_nothing_of_what_they_asked_for_when_the_time_is_over_then_their_places_are_free_again()
{
    const CLIENTS: usize = 8;
    let limits = Limits {
        connections: CLIENTS,
        read_seconds: 1,
        ..Limits::default()
    };
    let world = World::with(limits, None).await;
    let blobs = Blobs::in_folder(&world.folder.path().join("blobs")).unwrap();
    // More than a socket takes in by itself.
    let (report, lane, length) = (world.payer, world.lane(), 64 << 20);
    blobs
        .put_receipts(&report, &lane, vec![7; length].into())
        .await
        .unwrap();
    let before = memory_kib();
    let address = world.url.strip_prefix("http://").unwrap();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!("GET /v1/receipts/{report}/{lane} HTTP/1.1\r\nhost: x\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        clients.push(client);
    }
    // The only connections are theirs until they are closed.
    let whole = reqwest::get(format!("{}/v1/receipts/{report}/{lane}", world.url))
        .await
        .unwrap();
    assert_eq!(whole.content_length(), Some(length as u64));
    drop(whole);
    let grown = memory_kib().saturating_sub(before);
    assert!(grown < 64 << 10, "{CLIENTS} slow clients took {grown} KiB of memory");
    // Whose place it was got no more than what was on its way. The others have their time, too.
    let mut cut_off = 0;
    for mut client in clients {
        let mut taken = Vec::new();
        let _ = client.read_to_end(&mut taken).await;
        cut_off += usize::from(taken.len() < length);
    }
    assert!(cut_off > 0);
}

/// What the process has in memory.
fn memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn given_more_connections_than_allowed_when_the_idle_ones_time_out_then_others_are_served() {
    let limits = Limits {
        connections: 32,
        read_seconds: 1,
        ..Limits::default()
    };
    let world = World::with(limits, None).await;
    let address = world.url.strip_prefix("http://").unwrap().to_owned();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(TcpStream::connect(&address).await.unwrap());
    }
    world.ask(&mut world.purse(), &world.input(0)).await;
}

/// Answers when it is told to.
struct Held {
    fast: Fast,
    go: Mutex<Receiver<()>>,
}

impl Executor for Held {
    fn output(&self, input: &Tensor) -> Result<Tensor, ExecuteError> {
        let _ = self.go.lock().unwrap().recv();
        self.fast.output(input)
    }

    fn answer(&self, input: &Tensor) -> Result<Answer, ExecuteError> {
        self.fast.answer(input)
    }
}

fn held() -> (Arc<Held>, Sender<()>) {
    let (sender, go) = channel();
    let held = Held {
        fast: Fast::new(&digits(), 1),
        go: Mutex::new(go),
    };
    (Arc::new(held), sender)
}

#[tokio::test]
async fn given_a_lane_with_as_many_requests_as_allowed_when_one_more_comes_then_too_many_and_when() {
    let (executor, go) = held();
    let limits = Limits {
        requests_per_lane: 1,
        ..Limits::default()
    };
    let world = Arc::new(World::with(limits, Some(executor)).await);
    let mut purse = world.purse();
    let input = world.input(0);
    let header = world.header(&world.question(&mut purse, &input));
    let first = tokio::spawn({
        let (world, header, body) = (world.clone(), header.clone(), world.values(&input).to_string());
        async move { world.infer(&header, body).await.status() }
    });
    // Until the first one is in.
    let refused = loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let response = reqwest::Client::new()
            .post(format!("{}/v1/infer", world.url))
            .timeout(Duration::from_millis(300))
            .header("x-payment", &header)
            .body("{}")
            .send()
            .await;
        match response {
            Ok(response) if response.status() == 429 => break response,
            _ => {}
        }
    };
    assert_eq!(refused.headers()["retry-after"], "1");
    go.send(()).unwrap();
    assert_eq!(first.await.unwrap(), 200);
}

#[tokio::test]
async fn given_a_client_that_leaves_before_its_answer_when_it_is_computed_then_it_has_paid_and_can_ask_again() {
    let (executor, go) = held();
    let world = World::with(Limits::default(), Some(executor)).await;
    let mut purse = world.purse();
    let input = world.input(0);
    let question = world.question(&mut purse, &input);
    let left = reqwest::Client::new()
        .post(format!("{}/v1/infer", world.url))
        .timeout(Duration::from_millis(500))
        .header("x-payment", world.header(&question))
        .body(world.values(&input).to_string())
        .send()
        .await;
    assert!(left.is_err());
    go.send(()).unwrap();
    while world.store.owed_units().await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    go.send(()).unwrap();
    let again = purse.ask_again(EXPIRES).unwrap();
    let response = world
        .infer(&world.header(&again), world.values(&input).to_string())
        .await;
    assert_eq!(response.status(), 200);
    assert_eq!(world.store.owed_units().await.unwrap(), PRICE);
}

async fn first_line(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 64];
    let count = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}
