//! An agent with a key of its own.

use imo_client::addresses as at;
use imo_node::{chain::Rpc, delegation};
use imo_protocol::Session;
use opml_runtime::{Model, execute};
use solana_signer::Signer;

use crate::{
    agent::{Arguments, run},
    world::{Node, PRICE, World, key, policy, port, workspace},
};

#[test]
fn given_a_key_that_may_spend_when_an_agent_buys_then_within_its_budget_and_never_beyond_what_it_was_granted() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    world.open_business(&url);
    let node = Node::new();
    world.operate(&node, listener, None, policy());

    let rpc = Rpc::new(world.url());
    let (payer, agent) = (key("payer"), key("agent"));
    let grant = |agent: &str, answers: u64| {
        let delegation = delegation::Delegation {
            payer: &payer,
            model: world.model_address,
            operator: world.operator(),
            key: key(agent).pubkey(),
            limit_units: answers * PRICE + 1,
            seconds: 86_400 * 7,
            private: false,
        };
        world.runtime.block_on(delegation.grant(&rpc))
    };
    grant("agent", 5).unwrap();
    let again = grant("agent", 5).unwrap_err();
    assert!(again.to_string().contains("has a session already"), "{again}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("agent.json");
    std::fs::write(&file, serde_json::to_string(&agent.to_bytes().to_vec()).unwrap()).unwrap();
    let texts = folder.path().join("texts.csv");
    let inputs: Vec<_> = (0..9).map(|seed| world.input(seed)).collect();
    let line = |values: Vec<i32>| values.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    let lines: Vec<String> = inputs.iter().map(|input| line(input.values())).collect();
    std::fs::write(&texts, lines.join("\n")).unwrap();
    let go = |budget: u64| {
        let arguments = Arguments {
            url: world.url().to_owned(),
            key: file.clone(),
            payer: payer.pubkey(),
            model: world.model_address,
            operator: world.operator(),
            purse: folder.path().join("agent.purse"),
            budget,
            texts: texts.clone(),
        };
        world.runtime.block_on(run(&arguments))
    };

    let first = go(3 * PRICE).unwrap();
    let truth: Vec<_> = inputs
        .iter()
        .map(|input| execute(&world.model, input).unwrap().output().values())
        .collect();
    assert_eq!(first.embeddings, truth[..3]);
    assert_eq!(first.spent_units, 3 * PRICE);
    assert!(first.stopped.unwrap().contains("budget"));

    let second = go(u64::MAX).unwrap();
    assert_eq!(
        second.embeddings,
        truth[..2],
        "five answers were granted, three were bought"
    );
    assert!(second.stopped.unwrap().contains("the payer's limit leaves 1 units"));

    let session = at::revenue_escrow::session(&world.credit(), &agent.pubkey());
    world.until("all of it is collected with the agent's signatures", || {
        let session: Session = world.find(&session)?;
        (session.spent_units == 5 * PRICE).then_some(())
    });
    assert!(go(u64::MAX).unwrap().embeddings.is_empty());

    world
        .runtime
        .block_on(delegation::revoke(&rpc, &payer, &world.model_address, agent.pubkey()))
        .unwrap();
    assert!(go(u64::MAX).unwrap_err().to_string().contains("revoked or expired"));
}
