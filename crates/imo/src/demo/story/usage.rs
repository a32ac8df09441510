//! A payer buys answers from two operators, who report what was used.

use imo_client::{
    addresses as at,
    challenge::Answer,
    instructions as send,
    trees::{ReceiptTree, RequestTree},
    voucher::SignedVoucher,
};
use imo_protocol::{PUBLIC_SALT, Receipt, Request, Voucher};
use opml::hashv;
use opml_oracle::state::{Operator, Report};
use opml_runtime::{Tensor, fast::Plan};
use revenue_escrow::{
    instructions::GrantSessionArgs,
    state::{Lane, Session},
};
use send::{
    opml_oracle::{OperatorProfile, ReportTerms},
    revenue_escrow::CollectedLane,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Story, index_of, launch::VERSION};
use crate::demo::{
    cast::{self, OPERATORS, Role},
    lie::{self, Lie},
    terms,
};

/// A question and what an operator stands by as its answer.
pub struct Answered {
    pub input: Tensor,
    pub receipt: Receipt,
    pub answer: Answer,
}

/// What was asked of each operator and answered, in the order of [`OPERATORS`].
pub struct Answers([Vec<Answered>; 2]);

impl Answers {
    pub fn of(&self, operator: Role) -> &[Answered] {
        &self.0[index_of(operator)]
    }

    /// The tree that the operator collects with.
    pub fn receipts(&self, operator: Role) -> anyhow::Result<ReceiptTree> {
        let receipts: Vec<_> = self.of(operator).iter().map(|answered| answered.receipt).collect();
        Ok(ReceiptTree::over(0, &receipts)?)
    }
}

/// A lane as the payer's client and the operator's gateway see it.
struct OpenLane {
    operator: Role,
    lane: Lane,
    session: Session,
    cluster: [u8; 32],
    requests: RequestTree,
    voucher: Option<SignedVoucher>,
}

impl Story<'_> {
    pub fn usage(&mut self) -> anyhow::Result<Answers> {
        self.stage.chapter("Two operators register and stake");
        for operator in OPERATORS {
            self.register_operator(operator)?;
        }
        self.stage.chapter("A payer prepays and appoints a session key");
        let session = cast::keypair("session");
        self.prepay(&session)?;
        self.stage.chapter("Questions, vouchers, answers");
        let mut answers = [const { Vec::new() }; 2];
        let mut lanes = Vec::new();
        for operator in OPERATORS {
            let mut lane = self.look_up_lane(operator, &session)?;
            answers[index_of(operator)] = self.ask(&mut lane, &session)?;
            lanes.push(lane);
        }
        let answers = Answers(answers);
        self.stage.chapter("Both operators report, collect and seal");
        for lane in lanes {
            self.report(&lane, &answers)?;
        }
        Ok(answers)
    }

    fn register_operator(&mut self, operator: Role) -> anyhow::Result<()> {
        let authority = operator.address();
        let dollars = self.places.dollars;
        let profile = OperatorProfile {
            backup: cast::keypair(&format!("{operator}'s backup")).pubkey(),
            endpoint: format!(
                "https://{}.example.org",
                operator.to_string().replace(' ', "-").to_lowercase()
            ),
            endpoint_key_hash: hashv(&[authority.as_ref()]),
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

    fn look_up_lane(&self, operator: Role, session: &Keypair) -> anyhow::Result<OpenLane> {
        let cluster = &self.stage.cluster;
        let session = at::revenue_escrow::session(&self.places.credit, &session.pubkey());
        Ok(OpenLane {
            operator,
            lane: cluster.account(&self.places.lane(operator))?,
            session: cluster.account(&session)?,
            cluster: cluster.genesis_hash()?,
            requests: RequestTree::default(),
            voucher: None,
        })
    }

    /// Each question is signed for before it is answered; the last voucher covers all of them.
    fn ask(&self, lane: &mut OpenLane, session: &Keypair) -> anyhow::Result<Vec<Answered>> {
        let address = self.places.lane(lane.operator);
        let first = index_of(lane.operator) * terms::QUESTIONS;
        let images = &self.images[first..first + terms::QUESTIONS];
        let mut lie = match lane.operator {
            Role::OperatorB => {
                let questions: Vec<_> = images.iter().map(|image| image.pixels.clone()).collect();
                Some(lie::find(self.model, &questions)?)
            }
            _ => None,
        };
        // Operators answer with the fast executor, the watcher recomputes with the reference.
        let plan = Plan::new(self.model);
        let mut answers = Vec::new();
        for (question, image) in images.iter().enumerate() {
            let sequence = lane.requests.count();
            let request = Request {
                lane: address,
                sequence,
                model_root: self.model.model_root(),
                input_root: image.pixels.root(),
                price_units: terms::PRICE,
                salt: PUBLIC_SALT,
            };
            lane.requests.push(&request)?;
            let voucher = Voucher {
                cluster: lane.cluster,
                escrow: revenue_escrow::ID,
                lane: address,
                lane_generation: lane.lane.generation,
                session: session.pubkey(),
                session_generation: lane.session.generation,
                cumulative_amount_units: lane.requests.count() * terms::PRICE,
                cumulative_count: lane.requests.count(),
                requests_root: lane.requests.root(),
                expires_unix: self.stage.cluster.now()?.unix + terms::VOUCHER_SECONDS,
            };
            let signature = *session.sign_message(&voucher.message()).as_array();
            lane.voucher = Some(SignedVoucher { voucher, signature });

            let answer = match lie.take_if(|lie| lie.question == question) {
                Some(Lie {
                    question: _,
                    answer,
                    node,
                    element,
                }) => {
                    self.stage.aside(
                        lane.operator,
                        format_args!("changes element {element} of node {node}'s output"),
                    );
                    answer
                }
                None => Answer::from(&plan.execute(&image.pixels)?),
            };
            let digit = answer.output().values();
            self.stage.aside(
                lane.operator,
                format_args!(
                    "answers question {sequence} with {digit:?}; a person wrote {}",
                    image.label
                ),
            );
            let receipt = Receipt {
                lane: address,
                sequence,
                claim: answer.claim(),
                salt: request.salt,
            };
            answers.push(Answered {
                input: image.pixels.clone(),
                receipt,
                answer,
            });
        }
        Ok(answers)
    }

    fn report(&mut self, lane: &OpenLane, answers: &Answers) -> anyhow::Result<()> {
        let role = lane.operator;
        let authority = role.address();
        let places = self.places;
        let now = self.stage.cluster.now()?.unix;
        let operator: Operator = self.stage.cluster.account(&places.operator(role))?;
        let report_terms = ReportTerms {
            model: places.model,
            version: VERSION,
            bond_units: terms::BOND,
            period_start_unix: now - 3_600,
            period_end_unix: now,
        };
        let post = send::opml_oracle::post_report(authority, &operator, report_terms);
        let open = send::revenue_escrow::open_bucket(authority, places.report(role));
        self.stage
            .act(role, "posts a report with a bond of 100 dollars", &[post, open])?;

        let voucher = lane
            .voucher
            .as_ref()
            .ok_or_else(|| anyhow::anyhow!("{role} was not asked anything"))?;
        let collected = CollectedLane {
            authority,
            rent_payer: authority,
            operator: places.operator(role),
            report: places.report(role),
            credit: places.credit,
        };
        let receipts = answers.receipts(role)?;
        let collect = send::revenue_escrow::collect(collected, voucher, receipts.root());
        self.stage.act(
            role,
            format!("collects {} answers of the payer's lane", receipts.count()),
            &collect,
        )?;
        self.ledger.collect(role, receipts.count());

        let report: Report = self.stage.cluster.account(&places.report(role))?;
        let seal = send::opml_oracle::seal_report(authority, &report);
        self.stage.act(role, "seals the report; the window opens", &[seal])?;
        Ok(())
    }
}
