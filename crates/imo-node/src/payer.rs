//! Buying answers: the purse on disk, the request, and everything that can be checked about what comes back.
//!
//! The question is on disk before its voucher leaves: whoever forgets what it has signed for can sign no further voucher on that lane. Price, model and operator are
//! taken from the chain, not from the operator.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use ::model_token::state::{Model, ModelVersion, Protocol};
use ::revenue_escrow::state::Lane;
use anchor_lang::prelude::Pubkey;
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
use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    chain::Rpc,
    gateway::{
        infer::{InferResponse, OutputBody},
        pay::{PAYMENT_HEADER, payment_header},
    },
    text::{hex, parse_hash},
};

/// How long a voucher can be collected, in seconds, where the session lasts as long.
const VOUCHER_SECONDS: i64 = 7 * 24 * 60 * 60;

/// How long an operator may take to answer.
const TIMEOUT: Duration = Duration::from_secs(150);

/// Most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 256 << 20;

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

/// What was asked on a lane, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct PurseFile {
    lane: String,
    generation: u64,
    /// Whether the last question has no answer yet.
    asking: bool,
    entries: Vec<EntryRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EntryRecord {
    model_root: String,
    input_root: String,
    price_units: u64,
    salt: String,
}

impl Buyer {
    /// Reads what a purchase needs from the chain.
    pub async fn look_up(&self, rpc: &Rpc) -> anyhow::Result<Offer> {
        let protocol: Protocol = rpc.get(&model_token::protocol()).await?;
        let model: Model = rpc.get(&self.model).await.context("The model was not found")?;
        anyhow::ensure!(model.live_version > 0, "No version of the model is live.");
        let version: ModelVersion = rpc
            .get(&model_token::model_version(&self.model, model.live_version))
            .await?;
        let operator: Operator = rpc.get(&self.operator).await.context("The operator was not found")?;
        let credit = revenue_escrow::credit(&self.payer, &self.model);
        let lane_address = revenue_escrow::lane(&credit, &self.operator);
        let lane: Lane = rpc
            .get(&lane_address)
            .await
            .context("The payer has no lane to this operator: open_lane makes one")?;
        let key = self.session.pubkey();
        let session: Session = rpc
            .get(&revenue_escrow::session(&credit, &key))
            .await
            .context("The payer granted this session key nothing: grant_session does")?;
        let now = rpc.now().await?;
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
        let _lock = lock(&self.purse)?;
        let (mut purse, asking) = self.open_purse(offer)?;
        let last = purse.entries().last().filter(|_| asking).copied();
        let question = match last {
            Some(last) => {
                anyhow::ensure!(
                    last.input_root == input.root(),
                    "The last question on this lane has no answer yet: ask it again first, then this one."
                );
                purse.ask_again(offer.expires_unix).context("a purse with entries")?
            }
            None => {
                let left_units = offer.left_units(&purse);
                anyhow::ensure!(
                    offer.price_units <= left_units,
                    "An answer costs {} units, and of the lane's money and the session's limit {left_units} are left.",
                    offer.price_units
                );
                let entry = Entry {
                    model_root: offer.model_root,
                    input_root: input.root(),
                    price_units: offer.price_units,
                    salt: if offer.private { rand::random() } else { PUBLIC_SALT },
                };
                let question = purse.ask(entry, offer.expires_unix)?;
                self.save(&purse, true)?;
                question
            }
        };
        match self.send(offer, &question, input).await? {
            Sent::Answered(response) => {
                let bought = check(&purse, &question, &response)?;
                self.save(&purse, false)?;
                Ok(bought)
            }
            // An earlier try may have been taken: then the operator holds a voucher for the question, and whatever is signed next has to contain it.
            Sent::Refused(refusal) if last.is_some() && !refusal.says_not_taken() => {
                anyhow::bail!(
                    "The operator refuses, and may have the question already: {}",
                    refusal.why
                )
            }
            Sent::Refused(refusal) => {
                // An honest operator has not taken the question. Whatever it keeps, it can collect one voucher of this count, not two.
                let entries = purse.entries();
                let kept = Purse::restore(offer.lane, entries[..entries.len() - 1].to_vec())?;
                self.save(&kept, false)?;
                anyhow::bail!("The operator refuses: {}", refusal.why);
            }
            Sent::Later(why) => anyhow::bail!("No answer yet, ask the same again later: {why}"),
        }
    }

    /// What this key can still sign for, in units.
    pub fn left_units(&self, offer: &Offer) -> anyhow::Result<u64> {
        let _lock = lock(&self.purse)?;
        let (purse, _) = self.open_purse(offer)?;
        Ok(offer.left_units(&purse))
    }

    async fn send(&self, offer: &Offer, question: &PaidQuestion, input: &Tensor) -> anyhow::Result<Sent> {
        let signature = self.session.sign_message(&question.voucher.message());
        let voucher = SignedVoucher {
            voucher: question.voucher,
            signature: signature.into(),
        };
        let body =
            serde_json::json!({ "model": self.model.to_string(), "input": { "data": STANDARD.encode(input.bytes()) } });
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let url = format!("{}/v1/infer", offer.endpoint.trim_end_matches('/'));
        let request = client
            .post(&url)
            .header(PAYMENT_HEADER, payment_header(&voucher, &question.request.salt))
            .header("content-type", "application/json")
            .body(body.to_string());
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ok(Sent::Later(format!("{url} does not answer ({error})"))),
        };
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            anyhow::ensure!(
                bytes.len() + chunk.len() <= MAX_ANSWER_BYTES,
                "{url} sends no end of bytes"
            );
            bytes.extend_from_slice(&chunk);
        }
        Ok(match status {
            200 => {
                let response = serde_json::from_slice(&bytes);
                Sent::Answered(response.context("The operator's answer is not understood")?)
            }
            408 | 409 | 429 | 500.. => Sent::Later(told(&bytes)),
            _ => Sent::Refused(Refusal {
                why: told(&bytes),
                code: refusal_code(&bytes),
            }),
        })
    }

    fn open_purse(&self, offer: &Offer) -> anyhow::Result<(Purse, bool)> {
        let text = match std::fs::read_to_string(&self.purse) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                anyhow::ensure!(
                    offer.collected_count == 0,
                    "{} answers were collected from this lane, but there is no purse {} that knows the questions.",
                    offer.collected_count,
                    self.purse.display()
                );
                return Ok((Purse::new(offer.lane), false));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("The purse {} cannot be read", self.purse.display()));
            }
        };
        let malformed = || format!("{} is not a purse", self.purse.display());
        let file: PurseFile = serde_json::from_str(&text).with_context(malformed)?;
        if (file.lane.as_str(), file.generation) != (offer.lane.lane.to_string().as_str(), offer.lane.lane_generation) {
            anyhow::bail!(
                "The purse {} is of another lane, or of one that was closed since.",
                self.purse.display()
            );
        }
        let entries: Option<Vec<Entry>> = file.entries.iter().map(EntryRecord::entry).collect();
        let purse = Purse::restore(offer.lane, entries.with_context(malformed)?)?;
        Ok((purse, file.asking))
    }

    /// Replaces the file, so that a crash leaves the old one or the new one.
    fn save(&self, purse: &Purse, asking: bool) -> anyhow::Result<()> {
        let file = PurseFile {
            lane: purse.lane().lane.to_string(),
            generation: purse.lane().lane_generation,
            asking,
            entries: purse.entries().iter().map(EntryRecord::of).collect(),
        };
        let next = self.purse.with_extension("next");
        let written = || -> std::io::Result<()> {
            let mut out = File::create(&next)?;
            out.write_all(serde_json::to_string(&file)?.as_bytes())?;
            out.sync_all()?;
            std::fs::rename(&next, &self.purse)
        };
        written().with_context(|| format!("The purse {} cannot be written", self.purse.display()))
    }
}

/// What was asked on the lane of a purse, in order, with the lane's address and generation.
pub fn purse_requests(purse: &Path) -> anyhow::Result<(Pubkey, u64, Vec<Request>)> {
    let malformed = || format!("{} is not a purse", purse.display());
    let text =
        std::fs::read_to_string(purse).with_context(|| format!("The purse {} cannot be read", purse.display()))?;
    let file: PurseFile = serde_json::from_str(&text).with_context(malformed)?;
    let lane: Pubkey = file.lane.parse().with_context(malformed)?;
    let request = |(sequence, record): (u64, &EntryRecord)| {
        let entry = record.entry()?;
        Some(Request {
            lane,
            sequence,
            model_root: entry.model_root,
            input_root: entry.input_root,
            price_units: entry.price_units,
            salt: entry.salt,
        })
    };
    let requests: Option<Vec<Request>> = (0u64..).zip(&file.entries).map(request).collect();
    Ok((lane, file.generation, requests.with_context(malformed)?))
}

impl Offer {
    /// Both limits count what was collected; what was signed for and is not collected yet counts as well.
    fn left_units(&self, purse: &Purse) -> u64 {
        let owed_units = purse.amount_units().saturating_sub(self.collected_units);
        self.reserved_units.min(self.session_units).saturating_sub(owed_units)
    }
}

/// What became of a request.
enum Sent {
    Answered(Box<InferResponse>),
    /// This try was not taken.
    Refused(Refusal),
    /// Whether it was taken is not known, or it will be.
    Later(String),
}

struct Refusal {
    why: String,
    code: Option<String>,
}

impl Refusal {
    /// Whether the operator has exactly the questions before this one: it looks at these things only then.
    fn says_not_taken(&self) -> bool {
        let code = self.code.as_deref();
        code.is_some_and(|code| ["lane_overdrawn", "limit_exceeded", "wrong_requests"].contains(&code))
    }
}

impl EntryRecord {
    fn of(entry: &Entry) -> Self {
        Self {
            model_root: hex(&entry.model_root),
            input_root: hex(&entry.input_root),
            price_units: entry.price_units,
            salt: hex(&entry.salt),
        }
    }

    fn entry(&self) -> Option<Entry> {
        Some(Entry {
            model_root: parse_hash(&self.model_root)?,
            input_root: parse_hash(&self.input_root)?,
            price_units: self.price_units,
            salt: parse_hash(&self.salt)?,
        })
    }
}

/// One process at a time has the purse.
fn lock(purse: &Path) -> anyhow::Result<File> {
    let path = purse.with_extension("lock");
    let failed = || format!("{} cannot be locked", path.display());
    let file = File::create(&path).with_context(failed)?;
    file.lock().with_context(failed)?;
    Ok(file)
}

/// The operator's words, in one line.
fn told(bytes: &[u8]) -> String {
    let body: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let said = body["error"]["message"].as_str().or(body["error"].as_str());
    said.unwrap_or("it does not say why")
        .chars()
        .filter(|c| !c.is_control())
        .take(400)
        .collect()
}

/// The name of a refusal, which no rewording changes.
fn refusal_code(bytes: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    body["code"].as_str().map(str::to_owned)
}

fn check(purse: &Purse, question: &PaidQuestion, response: &InferResponse) -> anyhow::Result<Bought> {
    let output = tensor(&response.output)?;
    let body = &response.evidence;
    let claim = Claim {
        model_root: question.request.model_root,
        input_root: question.request.input_root,
        output_root: output.root(),
    };
    // Nothing of a receipt is the operator's to say but the output's root, and that follows from the output.
    let receipt = Receipt {
        lane: question.request.lane,
        sequence: question.request.sequence,
        claim,
        salt: question.request.salt,
    };
    anyhow::ensure!(
        STANDARD
            .decode(&body.receipt)
            .is_ok_and(|bytes| bytes == receipt.bytes()),
        "The receipt is not the one of this question and answer."
    );
    let signature = STANDARD.decode(&body.answer_signature).ok();
    let signature = signature.and_then(|bytes| <[u8; 64]>::try_from(bytes).ok());
    let evidence = Evidence {
        receipt,
        answer: SignedAnswer {
            answer: Answer {
                cluster: purse.lane().cluster,
                oracle: ids::OPML_ORACLE,
                operator: purse.lane().operator,
                claim,
            },
            key: body.answer_key.parse().context("The answer's key is not one")?,
            signature: signature.context("The answer's signature is not one")?,
        },
    };
    purse.check(&question.request, output.root(), &evidence)?;
    Ok(Bought { output, evidence })
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
