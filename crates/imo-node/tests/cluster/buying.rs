//! A payer with a purse on disk.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
};

use imo_node::payer::Buyer;
use opml_runtime::{Model, execute};
use solana_signer::Signer;

use crate::world::{Node, World, key, policy, port, workspace};

#[test]
fn given_a_purse_on_disk_when_answers_are_bought_then_checked_and_the_purse_goes_on_from_where_it_was() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    world.open_business(&url);
    let node = Node::new();
    let folder = tempfile::tempdir().unwrap();
    let buyer = |endpoint: Option<&str>| Buyer {
        session: key("session"),
        payer: key("payer").pubkey(),
        model: world.model_address,
        operator: world.operator(),
        endpoint: endpoint.map(str::to_owned),
        purse: folder.path().join("purse.json"),
    };
    let buy = |buyer: &Buyer, seed| {
        let rpc = imo_node::chain::Rpc::new(world.url());
        world.runtime.block_on(async {
            let offer = buyer.look_up(&rpc).await?;
            buyer.buy(&offer, &world.input(seed)).await
        })
    };
    let said = |result: anyhow::Result<_>| match result {
        Ok(_) => String::new(),
        Err(error) => format!("{error:#}"),
    };

    // Nobody answers: the question waits, and no other is asked before it.
    let nowhere = buyer(Some("http://127.0.0.1:1"));
    assert!(said(buy(&nowhere, 0).map(|_| ())).contains("ask the same again later"));
    assert!(said(buy(&nowhere, 1).map(|_| ())).contains("ask it again first"));

    // An operator that refuses what it may have got before: the question stays, unless it says that it has not got it.
    for (code, kept) in [
        ("session_not_live", true),
        ("not_next", true),
        ("lane_overdrawn", false),
    ] {
        let operator = refusing(code);
        assert!(said(buy(&buyer(Some(&operator)), 0).map(|_| ())).contains("no, not now"));
        let asked_another = said(buy(&nowhere, 1).map(|_| ()));
        assert_eq!(
            asked_another.contains("ask it again first"),
            kept,
            "{code}: {asked_another}"
        );
    }
    // A question that was never sent before is dropped when it is refused.
    let operator = refusing("not_next");
    assert!(said(buy(&buyer(Some(&operator)), 1).map(|_| ())).contains("may have the question already"));
    forget(&folder.path().join("purse.json"));
    assert!(said(buy(&buyer(Some(&operator)), 1).map(|_| ())).contains("no, not now"));
    assert!(said(buy(&nowhere, 2).map(|_| ())).contains("ask the same again later"));
    forget(&folder.path().join("purse.json"));

    world.operate(&node, listener, None, policy());
    let buyer = buyer(None);
    for seed in 0..4 {
        let bought = buy(&buyer, seed).unwrap();
        let truth = execute(&world.model, &world.input(seed)).unwrap();
        assert_eq!(bought.output, *truth.output());
        assert_eq!(bought.evidence.receipt.sequence, seed);
        assert_eq!(bought.evidence.receipt.claim, truth.claim());
    }

    // A purse that is lost is noticed before anything is signed, at the latest when something was collected.
    world.until("something is collected", || {
        let lane: revenue_escrow::state::Lane = world.find(&world.lane())?;
        (lane.collected_count == 4).then_some(())
    });
    std::fs::rename(folder.path().join("purse.json"), folder.path().join("elsewhere")).unwrap();
    assert!(said(buy(&buyer, 9).map(|_| ())).contains("no purse"));
    std::fs::rename(folder.path().join("elsewhere"), folder.path().join("purse.json")).unwrap();
    assert_eq!(buy(&buyer, 9).unwrap().evidence.receipt.sequence, 4);
}

/// The address of an operator that refuses one request with this code.
fn refusing(code: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Head and body come in one piece or a few; all of it is read, so that the client is not cut off.
            let mut request = Vec::new();
            let mut piece = [0; 65_536];
            while !request.ends_with(b"}") {
                let length = stream.read(&mut piece).unwrap();
                assert!(length > 0, "the request ended early");
                request.extend_from_slice(&piece[..length]);
            }
            let body = format!(r#"{{"error": "no, not now", "code": "{code}"}}"#);
            let head = "HTTP/1.1 402 Payment Required\r\nconnection: close\r\ncontent-type: application/json";
            write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    url
}

/// A purse that has not been used.
fn forget(purse: &Path) {
    std::fs::remove_file(purse).unwrap();
}
