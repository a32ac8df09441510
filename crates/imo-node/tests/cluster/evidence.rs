//! Fraud that two records show by themselves: the wrong question, two answers to one, a model that is none. And lanes that are nobody's business.

use imo_client::{
    addresses as at,
    answer::SignedAnswer,
    instructions::{self as send, opml_oracle::ReportTerms},
    payer::Entry,
};
use imo_node::{
    chain::places,
    operator::Policy,
    payer::{Buyer, tell},
};
use imo_protocol::{Answer, ids, question_hash, share_floor};
use opml::{ARITHMETIC_VERSION, Claim, ElementType, NodeRecord, Operand, TensorSpec, model::MAX_OPERANDS};
use opml_oracle::state::{Dispute, Equivocation, Operator, Report};
use opml_runtime::{Model, execute, malformed::Records};
use solana_signer::Signer;

use crate::{
    cheats::{Liar, lie_in},
    process::{Process, Watching},
    world::{Node, STAKE, TERMS, World, answer_key, key, policy, port, workspace},
};

/// All that is asked is in one report.
fn patient() -> Policy {
    Policy {
        report_seconds: 3,
        ..policy()
    }
}

impl World {
    /// The payer buys with a purse on disk.
    fn buy(&self, name: &str, url: &str, purse: &std::path::Path, seeds: &[u64]) {
        let buyer = Buyer {
            session: key("session"),
            payer: key("payer").pubkey(),
            model: self.model_address,
            operator: self.operator_of(name),
            endpoint: Some(url.to_owned()),
            purse: purse.to_owned(),
        };
        let rpc = imo_node::chain::Rpc::new(self.url());
        self.runtime.block_on(async {
            for seed in seeds {
                let offer = buyer.look_up(&rpc).await.unwrap();
                buyer.buy(&offer, &self.input(*seed)).await.unwrap();
            }
        });
    }

    /// An answer that an operator signs, whether it is true or not.
    fn sign(&self, name: &str, claim: Claim) -> SignedAnswer {
        let answer = Answer {
            cluster: self.cluster(),
            oracle: ids::OPML_ORACLE,
            operator: self.operator_of(name),
            claim,
        };
        let key = answer_key(name);
        SignedAnswer {
            answer,
            key: key.pubkey(),
            signature: key.sign_message(&answer.message()).into(),
        }
    }

    /// Hands an answer in at the watcher's.
    fn hand_in(&self, watcher: &str, signed: &SignedAnswer) -> (u16, String) {
        self.post_bytes(&format!("{watcher}/v1/answers"), signed.bytes())
    }
}

#[test]
fn given_answers_to_questions_that_nobody_asked_when_their_payer_watches_then_slashed_and_private_lanes_are_looked_into_by_permission_alone()
 {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    world.open_credit();
    let folder = tempfile::tempdir().unwrap();
    let nodes = [Node::new(), Node::new(), Node::new(), Node::new()];
    let purse = |name: &str| folder.path().join(format!("{name}.purse.json"));
    let (input, lie) = lie_in(&world, 1, 1);
    let open = |name: &str, node: &Node, private: bool| {
        let (listener, url) = port();
        world.open_another_business(name, &url, private);
        let liar = (name == "whisperer").then(|| Liar::about(&world.model, [(input.root(), lie.clone())]) as _);
        world.operate_as(name, node, listener, liar, patient(), world.url());
        url
    };
    // Answers the second question twice, each time rightly.
    let url = open("evader", &nodes[0], false);
    world.buy("evader", &url, &purse("evader"), &[1, 2, 3]);
    world.runtime.block_on(nodes[0].answer_another_question(0, 1));
    // Answers as it was asked, on lanes of which one is the watching payer's.
    let url = open("discreet", &nodes[1], true);
    world.buy("discreet", &url, &purse("discreet"), &[1, 2]);
    let url = open("unseen", &nodes[2], true);
    world.buy("unseen", &url, &folder.path().join("elsewhere.json"), &[4]);
    // Lies where it thinks that nobody may look.
    let url = open("whisperer", &nodes[3], true);
    world.buy("whisperer", &url, &purse("whisperer"), &[1, 2]);
    for name in ["evader", "discreet", "unseen", "whisperer"] {
        world.sealed(name);
    }

    let watching = Watching {
        purses: ["evader", "discreet", "whisperer"].map(purse).to_vec(),
        ..Watching::new(&world)
    };
    let (config, metrics) = watching.configure(folder.path());
    let watcher = Process::start("watch", &config);
    for name in ["evader", "whisperer"] {
        world.slashed(name);
    }
    for name in ["discreet", "unseen"] {
        world.checked(&watcher, name);
        let report: Report = world.find(&world.report_of(name, 0)).unwrap();
        assert_eq!(report.disputes_opened, 0, "{name}");
        assert_eq!(
            report.demands_made > 0,
            name == "discreet",
            "private receipts are shown on chain only"
        );
    }
    // What lands is counted once its confirmation is heard of.
    let counted = world.until("both proofs are counted", || {
        let text = world.get(&format!("{metrics}/metrics"))?;
        let count = |outcome| crate::figures::sum(&text, "imo_node_watcher_actions_total", &[outcome]);
        let proofs = [count("prove"), count("prove_wrong_question")];
        (proofs == [1, 1]).then(|| [count("answer_private"), count("question_wrong")])
    });
    assert_eq!(counted, [1, 1]);
}

#[test]
fn given_two_signed_answers_to_one_question_when_handed_in_then_punished_outside_and_inside_of_reports() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    world.open_credit();
    let folder = tempfile::tempdir().unwrap();
    let (config, watcher_url) = Watching::new(&world).configure(folder.path());
    let _watcher = Process::start("watch", &config);
    world.until("the watcher listens", || world.get(&format!("{watcher_url}/metrics")));
    let before = world.dollars("watcher");
    let truth = execute(&world.model, &world.input(1)).unwrap().claim();
    let other = |byte| Claim {
        output_root: [byte; 32],
        ..truth
    };

    // What is no evidence is refused, with the reason.
    world.enrol("two-faced");
    world.register("two-faced", "http://127.0.0.1:1");
    let good = world.sign("two-faced", other(1));
    let mut forged = good;
    forged.signature[3] ^= 1;
    let unwatched = world.sign(
        "two-faced",
        Claim {
            model_root: [9; 32],
            ..truth
        },
    );
    let mut strange = world.sign("nobody", truth);
    for (bad, why) in [
        (forged, "signature is not valid"),
        (unwatched, "not watched"),
        (strange, "no such operator"),
    ] {
        let (status, said) = world.hand_in(&watcher_url, &bad);
        assert_eq!(status, 400, "{said}");
        assert!(said.contains(why), "{said}");
    }
    strange.answer.operator = world.operator_of("two-faced");
    strange.signature = answer_key("nobody").sign_message(&strange.answer.message()).into();
    assert_eq!(world.hand_in(&watcher_url, &strange).0, 400, "signed by somebody else");
    assert_eq!(
        world.post_bytes(&format!("{watcher_url}/v1/answers"), vec![1; 3]).0,
        400
    );
    assert_eq!(
        world.post_bytes(&format!("{watcher_url}/v1/answers"), vec![1; 3_000]).0,
        413
    );

    // Two payers were told different things, and nothing is reported.
    assert_eq!(world.hand_in(&watcher_url, &good).0, 204);
    assert_eq!(world.hand_in(&watcher_url, &good).0, 204, "the same twice is one");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let operator = |name: &str| world.find::<Operator>(&world.operator_of(name)).unwrap();
    assert!(!operator("two-faced").jail.is_set());
    // As `imo pay` does with --tell.
    let answers = [strange, world.sign("two-faced", other(2))];
    let told = world.runtime.block_on(tell(&watcher_url, &answers)).unwrap();
    let refused = "400 Bad Request: The key is not the operator's, or not any more.";
    assert_eq!(told, (1, Some(refused.to_owned())));
    let jailed = world.until("the equivocator is jailed", || {
        let found = operator("two-faced");
        found.jail.is_set().then_some(found)
    });
    let cost = TERMS.min_bond_units;
    assert_eq!(STAKE - jailed.stake_units, cost);
    let reward = share_floor(cost, TERMS.prover_share_bps).unwrap();
    world.until("showing it was paid", || {
        (world.dollars("watcher") == before + reward).then_some(())
    });
    let address = at::opml_oracle::equivocation(&world.operator_of("two-faced"), &question_hash(&truth));
    let shown: Equivocation = world.find(&address).unwrap();
    assert_eq!((shown.prover, shown.payout_units), (key("watcher").pubkey(), 0));

    // One reports the right answer to a question to which it had given another one.
    let (listener, url) = port();
    world.open_another_business("fickle", &url, false);
    assert_eq!(world.hand_in(&watcher_url, &world.sign("fickle", other(3))).0, 204);
    let node = Node::new();
    world.operate_as("fickle", &node, listener, None, patient(), world.url());
    world.ask(&url, &mut world.purse_of("fickle"), &world.input(1));
    let before = world.dollars("watcher");
    let bond = STAKE - world.slashed("fickle").stake_units;
    let share = share_floor(bond, TERMS.prover_share_bps).unwrap();
    world.until("the watcher is paid", || {
        (world.dollars("watcher") == before + share + TERMS.move_cost_units - TERMS.open_fee_units).then_some(())
    });
    let disputes: Vec<(_, Dispute)> = world.having(places::SECOND_KEY, &key("watcher").pubkey());
    assert!(disputes.is_empty());
}

/// A model of which node 1 cuts at a least value above its greatest one.
fn malformed() -> (Records, Vec<u8>) {
    let spec = TensorSpec::new(ElementType::Int8, &[1, 4]).unwrap();
    let clip = |least, greatest| {
        let mut operands = [Operand::None; MAX_OPERANDS];
        operands[0] = Operand::Input;
        let record = NodeRecord {
            operator: opml::ops::Clip::NUMBER,
            operands,
            output: spec,
            attributes: opml::ops::Clip::attributes(least, greatest),
        };
        record.encode()
    };
    let nodes = vec![clip(-1, 1), clip(1, -1), clip(-1, 1)];
    let mut file = b"IMOMODEL".to_vec();
    file.extend(2u16.to_le_bytes());
    file.extend(ARITHMETIC_VERSION.to_le_bytes());
    file.extend((nodes.len() as u32).to_le_bytes());
    file.extend(0u32.to_le_bytes());
    file.extend(spec.encode());
    file.extend(nodes.concat());
    (Records::new(spec, nodes, Vec::new()), file)
}

#[test]
fn given_a_report_on_a_malformed_model_when_watched_then_its_operator_is_slashed() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (records, bytes) = malformed();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("malformed.imo");
    std::fs::write(&file, bytes).unwrap();
    let model = at::model_token::model(&key("developer").pubkey(), 1);
    let register = world.register_model(1);
    let publish = world.publish_version(model, 1, records.header());
    world.send(&[register, publish], &["developer"]);
    world.enrol("careless");
    world.register("careless", "http://127.0.0.1:1");
    let operator: Operator = world.find(&world.operator_of("careless")).unwrap();
    let terms = ReportTerms {
        model,
        version: 1,
        bond_units: TERMS.min_bond_units,
        period_start_unix: 1,
        period_end_unix: 2,
    };
    let post = send::opml_oracle::post_report(key("careless").pubkey(), &operator, terms);
    world.send(&[post], &["careless"]);
    let report: Report = world.find(&world.report_of("careless", 0)).unwrap();
    let seal = send::opml_oracle::seal_report(key("careless").pubkey(), &report);
    world.send(&[seal], &["careless"]);

    let watching = Watching {
        models: vec![file],
        ..Watching::new(&world)
    };
    let (config, _) = watching.configure(folder.path());
    let _watcher = Process::start("watch", &config);
    assert_eq!(STAKE - world.slashed("careless").stake_units, TERMS.min_bond_units);
}

/// What the tests ask with is what a payer asks with.
#[test]
fn given_a_purse_on_disk_when_its_questions_are_read_then_those_that_were_asked() {
    let world = World::new(Model::open(workspace("models/digits/digits.imo")).unwrap());
    let (listener, url) = port();
    world.open_business(&url);
    let node = Node::new();
    world.operate(&node, listener, None, policy());
    let folder = tempfile::tempdir().unwrap();
    let purse = folder.path().join("purse.json");
    world.buy("operator", &url, &purse, &[5, 6]);
    let (lane, _, requests) = imo_node::payer::purse_requests(&purse).unwrap();
    assert_eq!(lane, world.lane());
    let entries: Vec<Entry> = [5, 6].map(|seed| world.entry(&world.input(seed))).to_vec();
    let asked = requests.iter().map(|request| (request.model_root, request.input_root));
    assert_eq!(
        asked.collect::<Vec<_>>(),
        entries
            .iter()
            .map(|entry| (entry.model_root, entry.input_root))
            .collect::<Vec<_>>()
    );
}
