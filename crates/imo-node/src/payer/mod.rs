//! Buying answers: the purse on disk, the request, and everything that can be checked about what comes back.
//!
//! The question is on disk before its voucher leaves: whoever forgets what it has signed for can sign no further voucher on that lane. Price, model and operator are
//! taken from the chain, not from the operator.

mod completion;
mod operator;
mod purse;
mod record;
mod tell;

use std::path::PathBuf;

use ::model_token::state::{Model, ModelVersion, Protocol};
use ::revenue_escrow::state::Lane;
use anchor_lang::{AccountDeserialize, Discriminator, Owner, prelude::Pubkey};
use anyhow::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_client::{
    addresses::{model_token, revenue_escrow},
    answer::SignedAnswer,
    payer::{Entry, Evidence, PaidQuestion, PayingLane, Purse},
    voucher::SignedVoucher,
};
use imo_protocol::{Answer, PUBLIC_SALT, Receipt, Request, Session, ids};
use opml::{Claim, Hash, TensorSpec};
use opml_oracle::state::Operator;
use opml_runtime::Tensor;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    chain::{Accounts, ChainError, TIME, now},
    gateway::{
        infer::{EvidenceBody, InferResponse, OutputBody},
        pay::payment_header,
    },
};
use operator::{Gateway, Part, Sent};
use purse::HeldPurse;

pub use completion::{Completion, Step, Stop, Wish};
pub use purse::purse_requests;
pub use tell::tell;

/// How long a voucher can be collected, in seconds, where the session lasts as long.
const VOUCHER_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Who buys from whom.
pub struct Buyer {
    /// Signs vouchers.
    pub session: Keypair,
    /// Whose credit pays.
    pub payer: Pubkey,
    pub model: Pubkey,
    /// The operator account.
    pub operator: Pubkey,
    /// Where the operator is asked, when not where its account says.
    pub endpoint: Option<String>,
    /// File of what was asked so far on this lane.
    pub purse: PathBuf,
}

/// What the chain says about a purchase.
pub struct Offer {
    /// The model's input.
    pub input: TensorSpec,
    pub model_root: Hash,
    pub price_units: u64,
    endpoint: String,
    lane: PayingLane,
    private: bool,
    expires_unix: i64,
    collected_count: u64,
    collected_units: u64,
    /// What the lane holds and nobody has announced to take out, beyond what was collected.
    reserved_units: u64,
    /// What of the session's limit was not collected yet.
    session_units: u64,
}

/// An answer whose receipt and signature hold. Whether the model gives this output is another question.
pub struct Bought {
    pub output: Tensor,
    pub evidence: Evidence,
}

impl Buyer {
    /// Reads what a purchase needs from the chain.
    pub async fn look_up(&self, chain: &impl Accounts) -> anyhow::Result<Offer> {
        let protocol: Protocol = get(chain, &model_token::protocol()).await?;
        let model: Model = get(chain, &self.model).await.context("The model was not found")?;
        anyhow::ensure!(model.live_version > 0, "No version of the model is live.");
        let version: ModelVersion = get(chain, &model_token::model_version(&self.model, model.live_version)).await?;
        let operator: Operator = get(chain, &self.operator).await.context("The operator was not found")?;
        let credit = revenue_escrow::credit(&self.payer, &self.model);
        let lane_address = revenue_escrow::lane(&credit, &self.operator);
        let lane: Lane = get(chain, &lane_address)
            .await
            .context("The payer has no lane to this operator: open_lane makes one")?;
        let key = self.session.pubkey();
        let session: Session = get(chain, &revenue_escrow::session(&credit, &key))
            .await
            .context("The payer granted this session key nothing: grant_session does")?;
        let now = now(&chain.accounts(&TIME).await?)?;
        anyhow::ensure!(session.is_live(&now), "The session is revoked or expired.");
        Ok(Offer {
            input: version.header().map_err(|error| anyhow::anyhow!("{error}"))?.input,
            model_root: version.model_root,
            price_units: version.price_units,
            endpoint: self.endpoint.clone().unwrap_or(operator.endpoint),
            private: lane.private,
            expires_unix: session.expires_unix.min(now.unix.saturating_add(VOUCHER_SECONDS)),
            collected_count: lane.collected_count,
            collected_units: lane.collected_units,
            reserved_units: lane.reserved_units,
            session_units: session.limit_units.saturating_sub(session.spent_units),
            lane: PayingLane {
                cluster: protocol.cluster,
                lane: lane_address,
                lane_generation: lane.generation,
                session: key,
                session_generation: session.generation,
                operator: self.operator,
                answer_key_hash: operator.endpoint_key_hash,
            },
        })
    }

    /// Asks one question. When no answer comes, the same question has to be asked again before any other.
    pub async fn buy(&self, offer: &Offer, input: &Tensor) -> anyhow::Result<Bought> {
        let mut held = HeldPurse::open(&self.purse, offer)?;
        let unanswered = held.unanswered();
        let question = match &unanswered {
            Some(last) => {
                anyhow::ensure!(
                    last.input_root == input.root(),
                    "The last question on this lane has no answer yet: ask it again first, then this one."
                );
                held.purse()
                    .ask_again(offer.expires_unix)
                    .context("a purse with entries")?
            }
            None => {
                let left_units = offer.left_units(held.purse());
                anyhow::ensure!(
                    offer.price_units <= left_units,
                    "An answer costs {} units, and of the lane's money and the session's limit {left_units} are left.",
                    offer.price_units
                );
                held.ask(offer.entry(input), offer.expires_unix)?
            }
        };
        let gateway = Gateway::new(&offer.endpoint)?;
        let payment = self.payment(&question);
        match gateway.ask(INFER, &payment, &self.body(input), Part::All).await? {
            Sent::Answered(body) => {
                let bought = check(held.purse(), &question.request, &body)?;
                held.answered()?;
                Ok(bought)
            }
            Sent::Refused(refusal) => Err(held.refused(unanswered.is_some(), &refusal)),
            Sent::Later(later) => anyhow::bail!("No answer yet, ask the same again later: {}", later.why),
        }
    }

    /// What this key can still sign for, in units.
    pub fn left_units(&self, offer: &Offer) -> anyhow::Result<u64> {
        Ok(offer.left_units(HeldPurse::open(&self.purse, offer)?.purse()))
    }

    /// The value of the header that pays for a question.
    fn payment(&self, question: &PaidQuestion) -> String {
        let voucher = SignedVoucher {
            voucher: question.voucher,
            signature: self.session.sign_message(&question.voucher.message()).into(),
        };
        payment_header(&voucher, &question.request.salt)
    }

    /// What is sent to [`INFER`].
    fn body(&self, input: &Tensor) -> serde_json::Value {
        serde_json::json!({ "model": self.model.to_string(), "input": { "data": STANDARD.encode(input.bytes()) } })
    }
}

/// Where a question is asked with its whole input.
const INFER: &str = "/v1/infer";

async fn get<T: AccountDeserialize + Discriminator + Owner>(
    chain: &impl Accounts,
    address: &Pubkey,
) -> Result<T, ChainError> {
    let found = chain.accounts(std::slice::from_ref(address)).await?;
    let account = found.into_iter().flatten().next();
    account
        .and_then(|account| account.decode())
        .ok_or(ChainError::Missing(*address))
}

impl Offer {
    /// Both limits count what was collected; what was signed for and is not collected yet counts as well.
    fn left_units(&self, purse: &Purse) -> u64 {
        let owed_units = purse.amount_units().saturating_sub(self.collected_units);
        self.reserved_units.min(self.session_units).saturating_sub(owed_units)
    }

    /// A question of the live version.
    fn entry(&self, input: &Tensor) -> Entry {
        Entry {
            model_root: self.model_root,
            input_root: input.root(),
            price_units: self.price_units,
            salt: if self.private { rand::random() } else { PUBLIC_SALT },
        }
    }
}

/// An answer of [`INFER`].
fn check(purse: &Purse, request: &Request, body: &[u8]) -> anyhow::Result<Bought> {
    let response: InferResponse = serde_json::from_slice(body).context(NOT_UNDERSTOOD)?;
    let output = tensor(&response.output)?;
    let evidence = check_evidence(purse, request, &output, &response.evidence)?;
    Ok(Bought { output, evidence })
}

const NOT_UNDERSTOOD: &str = "The operator's answer is not understood";

/// What came with an output, if it is the evidence for it.
fn check_evidence(purse: &Purse, request: &Request, output: &Tensor, body: &EvidenceBody) -> anyhow::Result<Evidence> {
    let signature = STANDARD.decode(&body.answer_signature).ok();
    let signature = signature.and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    let key = body.answer_key.parse().context("The answer's key is not one")?;
    let evidence = evidence(
        purse.lane(),
        request,
        output.root(),
        key,
        signature.context("The answer's signature is not one")?,
    );
    anyhow::ensure!(
        STANDARD
            .decode(&body.receipt)
            .is_ok_and(|bytes| bytes == evidence.receipt.bytes()),
        "The receipt is not the one of this question and answer."
    );
    purse.check(request, output.root(), &evidence)?;
    Ok(evidence)
}

/// Nothing of it is the operator's to say but the output's root, which follows from the output, and the signature.
fn evidence(lane: &PayingLane, request: &Request, output_root: Hash, key: Pubkey, signature: [u8; 64]) -> Evidence {
    let claim = Claim {
        model_root: request.model_root,
        input_root: request.input_root,
        output_root,
    };
    Evidence {
        receipt: Receipt {
            lane: request.lane,
            sequence: request.sequence,
            claim,
            salt: request.salt,
        },
        answer: SignedAnswer {
            answer: Answer {
                cluster: lane.cluster,
                oracle: ids::OPML_ORACLE,
                operator: lane.operator,
                claim,
            },
            key,
            signature,
        },
    }
}

fn tensor(body: &OutputBody) -> anyhow::Result<Tensor> {
    let OutputBody { element, shape, values } = body;
    Ok(match element.as_str() {
        "int8" => {
            let values: Result<Vec<i8>, _> = values.iter().map(|value| i8::try_from(*value)).collect();
            Tensor::from_i8(shape, &values.context("an int8 element is out of range")?)?
        }
        "int32" => Tensor::from_i32(shape, values)?,
        other => anyhow::bail!("The output's elements are {other}, which is unknown."),
    })
}
