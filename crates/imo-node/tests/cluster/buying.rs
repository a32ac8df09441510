//! A payer with a purse on disk.

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
