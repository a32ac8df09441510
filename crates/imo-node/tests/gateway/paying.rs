use anchor_lang::prelude::Pubkey;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_client::{
    answer::SignedAnswer,
    payer::{Evidence, Purse},
};
use imo_node::{
    gateway::{
        Limits,
        infer::{EvidenceBody, InferResponse},
    },
    store::Blobs,
};
use imo_protocol::{Answer, PUBLIC_SALT, Receipt, Request};
use opml::Claim;
use opml_runtime::{Tensor, execute};
use serde_json::{Value, json};
use solana_signer::Signer;

use crate::world::{CLUSTER, LANE, PRICE, World};

/// What a client makes of an answer's evidence.
fn evidence(world: &World, request: &Request, body: &EvidenceBody, output: &Tensor) -> Evidence {
    let claim = Claim {
        model_root: world.model.model_root(),
        input_root: request.input_root,
        output_root: output.root(),
    };
    let receipt = Receipt {
        lane: request.lane,
        sequence: body.sequence,
        claim,
        salt: PUBLIC_SALT,
    };
    assert_eq!(STANDARD.decode(&body.receipt).unwrap(), receipt.bytes());
    Evidence {
        receipt,
        answer: SignedAnswer {
            answer: Answer {
                cluster: CLUSTER,
                oracle: imo_protocol::ids::OPML_ORACLE,
                operator: world.operator,
                claim,
            },
            key: body.answer_key.parse().unwrap(),
            signature: STANDARD.decode(&body.answer_signature).unwrap().try_into().unwrap(),
        },
    }
}

#[tokio::test]
async fn given_no_payment_when_asked_then_the_terms_of_every_model() {
    let world = World::new().await;
    let response = reqwest::Client::new()
        .post(format!("{}/v1/infer", world.url))
        .body(world.values(&world.input(0)).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 402);
    let terms: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(terms["x402Version"], 1);
    assert_eq!(terms["code"], "payment_missing");
    let accepted = &terms["accepts"][0];
    assert_eq!(accepted["scheme"], "imo-voucher");
    assert_eq!(accepted["maxAmountRequired"], PRICE.to_string());
    assert_eq!(accepted["payTo"], world.operator.to_string());
    assert_eq!(accepted["resource"], "/v1/infer");
    assert_eq!(accepted["asset"], Pubkey::new_from_array([9; 32]).to_string());
    assert_eq!(
        accepted["extra"]["creditProgram"],
        imo_protocol::ids::REVENUE_ESCROW.to_string()
    );
    assert_eq!(accepted["extra"]["answerKey"], world.answer_key.pubkey().to_string());
}

#[tokio::test]
async fn given_a_voucher_when_asked_then_the_models_answer_with_evidence_that_holds() {
    let world = World::new().await;
    let mut purse = world.purse();
    for seed in 0..3 {
        let input = world.input(seed);
        let question = world.question(&mut purse, &input);
        let response = world
            .infer(&world.header(&question), world.values(&input).to_string())
            .await;
        assert_eq!(response.status(), 200);
        let answer: InferResponse = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let truth = execute(&world.model, &input).unwrap();
        assert_eq!(answer.output.values, truth.output().values());
        let evidence = evidence(&world, &question.request, &answer.evidence, truth.output());
        assert_eq!(purse.check(&question.request, truth.output().root(), &evidence), Ok(()));
    }
    let stored = world.store.lane(&world.lane(), 11).await.unwrap().unwrap();
    assert_eq!((stored.count(), stored.amount_units()), (3, 3 * PRICE));
    assert_eq!(world.store.owed_units().await.unwrap(), 3 * PRICE);
    let requests = world.store.requests(&world.lane(), 11, 0..9).await.unwrap();
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn given_bytes_when_asked_then_bytes_with_the_evidence_in_headers() {
    let world = World::new().await;
    let input = world.input(1);
    let question = world.question(&mut world.purse(), &input);
    let response = reqwest::Client::new()
        .post(format!("{}/v1/infer?model=digits", world.url))
        .header("x-payment", world.header(&question))
        .header("content-type", "application/octet-stream")
        .header("accept", "application/octet-stream")
        .body(input.bytes().to_vec())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("x-imo-sequence"), "0");
    assert_eq!(header("x-imo-answer-key"), world.answer_key.pubkey().to_string());
    assert_eq!(STANDARD.decode(header("x-imo-receipt")).unwrap().len(), 168);
    assert_eq!(STANDARD.decode(header("x-imo-answer-signature")).unwrap().len(), 64);
    let truth = execute(&world.model, &input).unwrap();
    assert_eq!(response.bytes().await.unwrap(), truth.output().bytes());
}

#[tokio::test]
async fn given_the_shapes_of_openai_clients_when_asked_then_answered_in_theirs() {
    let world = World::new().await;
    let mut purse = world.purse();
    for (seed, resource) in [(1, "embeddings"), (2, "classify")] {
        let input = world.input(seed);
        let question = world.question(&mut purse, &input);
        let body = serde_json::json!({ "model": "digits", "input": [input.values()] });
        let response = reqwest::Client::new()
            .post(format!("{}/v1/{resource}", world.url))
            .header("x-payment", world.header(&question))
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let truth = execute(&world.model, &input).unwrap().output().values();
        assert_eq!(body["object"], "list");
        assert_eq!(body["usage"]["prompt_tokens"], 64);
        let shown = match resource {
            "embeddings" => &body["data"][0]["embedding"],
            _ => &body["data"][0]["scores"],
        };
        assert_eq!(*shown, serde_json::json!(truth));
        assert_eq!(body["imo"]["sequence"], seed - 1);
    }
}

#[tokio::test]
async fn given_a_lost_answer_when_asked_again_then_the_same_for_nothing_but_not_for_ever() {
    let world = World::new().await;
    let input = world.input(1);
    let mut purse = world.purse();
    let first = world.ask(&mut purse, &input).await;
    let again = purse.ask_again(crate::world::EXPIRES).unwrap();
    for _ in 0..Limits::default().repeats {
        let response = world
            .infer(&world.header(&again), world.values(&input).to_string())
            .await;
        assert_eq!(response.status(), 200);
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body, first);
    }
    let response = world
        .infer(&world.header(&again), world.values(&input).to_string())
        .await;
    assert_eq!(response.status(), 409);
    assert_eq!(world.store.owed_units().await.unwrap(), PRICE);
}

#[tokio::test]
async fn given_a_restart_when_the_purse_is_restored_too_then_both_go_on() {
    let mut world = World::new().await;
    let mut purse = world.purse();
    for seed in 0..4 {
        world.ask(&mut purse, &world.input(seed)).await;
    }
    world.stop().await;
    world.store = crate::world::open(&world.folder).await;
    world.start(Limits::default(), None).await;
    let mut restored = Purse::restore(*purse.lane(), purse.entries().to_vec()).unwrap();
    let answer = world.ask(&mut restored, &world.input(9)).await;
    assert_eq!(answer["evidence"]["sequence"], 4);
}

#[tokio::test]
async fn given_a_lane_when_all_of_it_is_owed_then_not_one_answer_more() {
    let world = World::new().await;
    let mut purse = world.purse();
    for seed in 0..(LANE / PRICE) as i32 {
        world.ask(&mut purse, &world.input(seed)).await;
    }
    let input = world.input(99);
    let question = world.question(&mut purse, &input);
    let response = world
        .infer(&world.header(&question), world.values(&input).to_string())
        .await;
    assert_eq!(response.status(), 402);
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(body["code"], "lane_overdrawn");
}

#[tokio::test]
async fn given_public_and_private_inputs_when_fetched_then_only_what_anyone_may_have_and_in_parts() {
    let world = World::new().await;
    let mut purse = world.purse();
    let input = world.input(3);
    world.ask(&mut purse, &input).await;
    let get = |root: [u8; 32], range: Option<&'static str>| {
        let root: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut request = reqwest::Client::new().get(format!("{}/v1/inputs/{root}", world.url));
        if let Some(range) = range {
            request = request.header("range", range);
        }
        async { request.send().await.unwrap() }
    };
    let whole = get(input.root(), None).await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.bytes().await.unwrap(), input.bytes());
    let part = get(input.root(), Some("bytes=10-19")).await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 10-19/64");
    assert_eq!(part.bytes().await.unwrap(), input.bytes()[10..20]);
    assert_eq!(get(input.root(), Some("bytes=64-")).await.status(), 416);
    assert_eq!(get([5; 32], None).await.status(), 404);

    let mut lane = world.lane_account();
    lane.private = true;
    world.chain.put(world.lane(), &lane);
    let hidden = world.input(4);
    world.ask(&mut purse, &hidden).await;
    assert_eq!(get(hidden.root(), None).await.status(), 404);
}

#[tokio::test]
async fn given_the_receipts_of_a_report_when_fetched_then_those_of_each_lane_and_in_parts() {
    let world = World::new().await;
    let blobs = Blobs::in_folder(&world.folder.path().join("blobs")).unwrap();
    let (report, lane) = (world.payer, world.lane());
    let receipts: Vec<u8> = (0..192).collect();
    blobs
        .put_receipts(&report, &lane, receipts.clone().into())
        .await
        .unwrap();
    let get = |path: String, range: &'static str| {
        let request = reqwest::Client::new().get(format!("{}{path}", world.url));
        async move { request.header("range", range).send().await.unwrap() }
    };
    let listed = get(format!("/v1/receipts/{report}"), "").await;
    let listed: Value = serde_json::from_str(&listed.text().await.unwrap()).unwrap();
    let path = format!("/v1/receipts/{report}/{lane}");
    let expected = json!([{ "lane": lane.to_string(), "receipts": 2, "path": path }]);
    assert_eq!(listed["data"], expected);
    assert_eq!(get(path.clone(), "").await.bytes().await.unwrap(), receipts);
    let part = get(path, "bytes=96-").await;
    assert_eq!(part.status(), 206);
    assert_eq!(part.bytes().await.unwrap(), receipts[96..]);
    for (path, status) in [
        (format!("/v1/receipts/{lane}"), 404),
        (format!("/v1/receipts/{report}/{report}"), 404),
        ("/v1/receipts/..%2Fprobe".into(), 400),
        (format!("/v1/receipts/{report}/..%2F..%2Fprobe"), 400),
    ] {
        assert_eq!(get(path.clone(), "").await.status(), status, "{path}");
    }
}

#[tokio::test]
async fn given_documents_when_fetched_then_they_say_what_is_served() {
    let world = World::new().await;
    let get = |path: &str| {
        let request = reqwest::Client::new().get(format!("{}{path}", world.url));
        async { request.send().await.unwrap() }
    };
    let models: Value = serde_json::from_str(&get("/v1/models").await.text().await.unwrap()).unwrap();
    assert_eq!(models["data"][0]["id"], "digits");
    assert_eq!(models["data"][0]["price_units"], PRICE.to_string());
    let health = get("/health").await;
    assert_eq!(health.status(), 200);
    world.ask(&mut world.purse(), &world.input(0)).await;
    let metrics = get("/metrics").await.text().await.unwrap();
    assert!(
        metrics.contains("imo_node_requests_total{outcome=\"answered\"} 1"),
        "{metrics}"
    );
    let document: Value = serde_json::from_str(&get("/openapi.json").await.text().await.unwrap()).unwrap();
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    for path in [
        "/v1/infer",
        "/v1/classify",
        "/v1/embeddings",
        "/v1/completions",
        "/v1/completions/{id}",
        "/v1/models",
        "/v1/receipts/{report}",
        "/v1/receipts/{report}/{lane}",
        "/v1/inputs/{root}",
        "/health",
        "/metrics",
    ] {
        assert!(paths.iter().any(|known| known == path), "{path}");
    }
}
