//! A payer buys answers from two operators, who report what was used.

use anyhow::Context;
use imo_client::instructions as send;
use imo_node::{chain::Rpc, operator::Policy, payer::Buyer};
use imo_protocol::answer_key_hash;
use opml_oracle::state::{Report, ReportStatus};
use opml_runtime::{Model, Tensor};
use revenue_escrow::instructions::GrantSessionArgs;
use send::opml_oracle::OperatorProfile;
use serde_json::json;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Story, index_of};
use crate::{
    demo::{
        cast::{self, OPERATORS, Role},
        images::Image,
        liar::LyingOperator,
        lie::{self, Liar},
        terms,
    },
    node::{self, Daemon, Served, write_key},
};

/// Milliseconds between two looks of a daemon at the chain.
const ROUND_MS: u64 = 200;

/// How long answers may wait until they are reported, in seconds: longer than the story takes. What is owed decides.
const REPORT_SECONDS: i64 = 3_600;

/// Name of the model at the gateways.
const NAME: &str = "digits";

/// The key that an operator signs its answers with.
fn answer_key(operator: Role) -> Keypair {
    cast::keypair(&format!("{operator}'s answers"))
}

impl Story<'_> {
    pub fn usage(&mut self) -> anyhow::Result<()> {
        self.stage.chapter("Two operators register and stake");
        for operator in OPERATORS {
            self.register_operator(operator)?;
        }
        self.stage.chapter("A payer prepays and appoints a session key");
        let session = cast::keypair("session");
        self.prepay(&session)?;
        self.stage.chapter("Both operators and a watcher start their nodes");
        self.start_operator()?;
        self.start_liar()?;
        self.start_watcher()?;
        self.stage
            .chapter("Questions, vouchers, answers; both operators report, collect and seal");
        for operator in OPERATORS {
            self.ask(operator, &session)?;
        }
        for operator in OPERATORS {
            let report = self.places.report(operator);
            self.stage.wait("a report is sealed", |cluster| {
                let report: Option<Report> = cluster.find_account(&report)?;
                Ok(report.is_some_and(|report| report.status != ReportStatus::Open))
            })?;
            self.ledger.collect(operator, terms::QUESTIONS as u64);
        }
        Ok(())
    }

    fn endpoint(&self, operator: Role) -> String {
        format!("http://127.0.0.1:{}", self.ports[index_of(operator)])
    }

    fn register_operator(&mut self, operator: Role) -> anyhow::Result<()> {
        let authority = operator.address();
        let dollars = self.places.dollars;
        let profile = OperatorProfile {
            backup: cast::keypair(&format!("{operator}'s backup")).pubkey(),
            endpoint: self.endpoint(operator),
            endpoint_key_hash: answer_key_hash(&answer_key(operator).pubkey()),
        };
        let register = send::opml_oracle::register_operator(authority, authority, dollars, profile);
        let stake = send::opml_oracle::stake_bond(
            authority,
            self.places.operator(operator),
            dollars,
            terms::OPERATOR_STAKE,
        );
        self.stage
            .act(operator, "registers and stakes 500 dollars", &[register, stake])?;
        self.ledger.stake_bond(operator, terms::OPERATOR_STAKE);
        Ok(())
    }

    fn prepay(&mut self, session: &Keypair) -> anyhow::Result<()> {
        let payer = Role::Payer.address();
        let places = self.places;
        let open = send::revenue_escrow::open_credit(payer, payer, places.model);
        let deposit =
            send::revenue_escrow::deposit_credit(payer, places.credit, places.model, places.dollars, terms::DEPOSIT);
        self.stage
            .act(Role::Payer, "opens a credit and deposits 20 dollars", &[open, deposit])?;
        self.ledger.deposit(terms::DEPOSIT);
        for operator in OPERATORS {
            let lane = send::revenue_escrow::open_lane(
                payer,
                payer,
                places.model,
                places.operator(operator),
                terms::LANE,
                false,
            );
            self.stage
                .act(Role::Payer, format!("sets 5 dollars aside for {operator}"), &[lane])?;
            self.ledger.open_lane(operator, terms::LANE);
        }
        let args = GrantSessionArgs {
            key: session.pubkey(),
            limit_units: terms::SESSION_LIMIT,
            expires_unix: self.stage.cluster.now()?.unix + terms::SESSION_SECONDS,
        };
        let grant = send::revenue_escrow::grant_session(payer, payer, places.model, args);
        self.stage
            .act(Role::Payer, "lets a session key sign for at most 8 dollars", &[grant])?;
        Ok(())
    }

    /// Operator A: `imo-node operate`.
    fn start_operator(&mut self) -> anyhow::Result<()> {
        let role = Role::OperatorA;
        let port = self.ports[index_of(role)];
        let keys = self.folder.join("keys");
        let config = node::Operator {
            rpc: self.stage.cluster.url(),
            websocket: self.stage.cluster.websocket(),
            port,
            mint: self.places.dollars,
            authority: &write_key(&keys, "operator", &role.keypair())?,
            answers: &write_key(&keys, "answers", &answer_key(role))?,
            models: vec![Served {
                name: NAME,
                address: self.places.model,
                file: &self.file,
            }],
            policy: json!({
                "report_seconds": REPORT_SECONDS,
                "exposure_units": terms::QUESTIONS as u64 * terms::PRICE,
                "round_ms": ROUND_MS,
            }),
        };
        let config = config.write(&self.folder.join("operator"))?;
        let log = self.folder.join("operator.log");
        let arguments = ["operate".as_ref(), "--config".as_ref(), config.as_os_str()];
        let mut daemon = Daemon::start(self.node, "operator", &arguments, log)?;
        daemon.wait_for_port(port)?;
        self.stage.aside(
            role,
            format_args!("serves at {}: imo-node operate", self.endpoint(role)),
        );
        self.stage.release(role, Some(daemon));
        Ok(())
    }

    /// The watcher: `imo-node watch`.
    fn start_watcher(&mut self) -> anyhow::Result<()> {
        let role = Role::Watcher;
        let config = node::Watcher {
            rpc: self.stage.cluster.url(),
            websocket: self.stage.cluster.websocket(),
            port: self.metrics_port,
            key: &write_key(&self.folder.join("keys"), "watcher", &role.keypair())?,
            models: vec![&self.file],
            policy: json!({ "round_ms": ROUND_MS }),
        };
        let config = config.write(&self.folder.join("watcher"))?;
        let log = self.folder.join("watcher.log");
        let arguments = ["watch".as_ref(), "--config".as_ref(), config.as_os_str()];
        let mut daemon = Daemon::start(self.node, "watcher", &arguments, log)?;
        daemon.wait_for_port(self.metrics_port)?;
        self.stage
            .aside(role, "watches with its own copy of the model: imo-node watch");
        self.stage.release(role, Some(daemon));
        Ok(())
    }

    /// Operator B, who lies once. No daemon does that.
    fn start_liar(&mut self) -> anyhow::Result<()> {
        let role = Role::OperatorB;
        let questions: Vec<Tensor> = self.questions(role).iter().map(|image| image.pixels.clone()).collect();
        let lie = lie::find(self.model, &questions)?;
        let what = format_args!(
            "will change element {} of node {}'s output when it answers question {}",
            lie.element, lie.node, lie.question
        );
        self.stage.aside(role, what);
        let operator = LyingOperator {
            rpc: self.stage.cluster.url(),
            cluster: self.stage.cluster.genesis_hash()?,
            authority: role.keypair(),
            answers: answer_key(role),
            mint: self.places.dollars,
            name: NAME,
            address: self.places.model,
            model: self.model,
            liar: Liar::new(self.model, &questions[lie.question], lie.answer),
            policy: Policy {
                report_seconds: REPORT_SECONDS,
                exposure_units: terms::QUESTIONS as u64 * terms::PRICE,
                round_ms: ROUND_MS,
                ..Policy::default()
            },
            folder: &self.folder.join("liar"),
        };
        let listener = node::listen(self.ports[index_of(role)])?;
        self.runtime.block_on(operator.start(listener, &self.stop))?;
        self.stage
            .aside(role, format_args!("serves at {}", self.endpoint(role)));
        self.stage.release(role, None);
        Ok(())
    }

    fn questions(&self, operator: Role) -> &[Image] {
        let first = index_of(operator) * terms::QUESTIONS;
        &self.images[first..first + terms::QUESTIONS]
    }

    /// Buys the answers: each question is signed for before it is answered.
    fn ask(&mut self, operator: Role, session: &Keypair) -> anyhow::Result<()> {
        let rpc = Rpc::new(self.stage.cluster.url());
        let buyer = Buyer {
            session: session.insecure_clone(),
            payer: Role::Payer.address(),
            model: self.places.model,
            operator: self.places.operator(operator),
            endpoint: None,
            purse: self.folder.join(format!("purse-{}.json", index_of(operator))),
        };
        for (number, image) in self.questions(operator).iter().enumerate() {
            let bought = self.runtime.block_on(async {
                let offer = buyer.look_up(&rpc).await?;
                buyer.buy(&offer, &image.pixels).await
            });
            let bought = bought.with_context(|| format!("{operator} did not answer question {number}"))?;
            self.stage.aside(
                operator,
                format_args!(
                    "answers question {number} with {:?}; a person wrote {}",
                    bought.output.values(),
                    image.label
                ),
            );
        }
        Ok(())
    }
}

/// Where the story's model is for daemons, which read it themselves.
pub fn write_model(model: &Model, folder: &std::path::Path) -> anyhow::Result<std::path::PathBuf> {
    let file = folder.join("digits.imo");
    model.save(&file).context("The model's file was not written")?;
    Ok(file)
}
