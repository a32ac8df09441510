//! From a voucher to an answer that is stored.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::revenue_escrow::state::Lane;
use anchor_lang::prelude::Pubkey;
use axum::{
    body::Body,
    http::{HeaderMap, header::CONTENT_LENGTH},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use imo_client::{answer::SignedAnswer, signature::VerifyingKey, voucher::SignedVoucher};
use imo_protocol::{Answer, Request, ids};
use opml::Claim;
use opml_runtime::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use solana_signer::Signer;

use super::{
    Gateway,
    lanes::{Lane as KnownLane, Session, Slot, State},
    payment::{self, Asked, Payer, PaymentError, Wait},
    refusal::{Refusal, code},
};
use crate::{
    chain::{self, TIME},
    clock,
    metrics::Metrics,
    model::ServedModel,
    store::{Accepted, StoredLane, StoredRequest},
    text::{hex, parse_hash},
};

/// The header that carries a payment, and how x402 calls ours.
pub const PAYMENT_HEADER: &str = "x-payment";
pub const SCHEME: &str = "imo-voucher";

/// Longest payment header that is looked at.
const MAX_HEADER: usize = 4_096;

/// Bytes up to which an input is kept in the database.
const SMALL_INPUT: usize = 4_096;

/// Requests that are read from the database at once.
const PAGE: u64 = 4_096;

/// Seconds after which a lane that owes too much may have been collected.
const COLLECTION_SECONDS: u32 = 60;

/// What the header holds, as base64 of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PaymentHeader {
    x402_version: u32,
    scheme: String,
    payload: PaymentPayload,
}

#[derive(Debug, Serialize, Deserialize)]
struct PaymentPayload {
    /// Base64: the message, then its signature.
    voucher: String,
    /// Of the request, as hexadecimal digits.
    salt: String,
}

/// The header's value for a voucher and the salt of the request that it pays for.
pub fn payment_header(voucher: &SignedVoucher, salt: &[u8; 32]) -> String {
    let header = json!({
        "x402Version": 1,
        "scheme": SCHEME,
        "payload": { "voucher": STANDARD.encode(voucher.bytes()), "salt": hex(salt) },
    });
    STANDARD.encode(header.to_string())
}

/// A payment that its accounts cover as far as can be said before the question is known.
pub struct Payment {
    voucher: SignedVoucher,
    salt: [u8; 32],
    payer: Arc<Payer>,
    slot: Slot,
    began: Instant,
}

impl Payment {
    pub fn lane(&self) -> Pubkey {
        self.voucher.voucher.lane
    }

    /// How many questions the voucher is for.
    pub fn count(&self) -> u64 {
        self.voucher.voucher.cumulative_count
    }
}

/// An answer, stored.
pub struct Served {
    pub output: Tensor,
    pub stored: StoredRequest,
    pub answer: SignedAnswer,
}

impl Gateway {
    /// What a client has to pay, in x402's form, for each model.
    pub fn terms(&self, error: &str, code: &'static str, resource: &str) -> Value {
        let accepts: Vec<_> = self
            .models
            .iter()
            .map(|model| self.model_terms(model, resource))
            .collect();
        json!({ "x402Version": 1, "error": error, "code": code, "accepts": accepts })
    }

    fn model_terms(&self, model: &ServedModel, resource: &str) -> Value {
        json!({
            "scheme": SCHEME,
            "network": format!("solana:{}", Pubkey::new_from_array(self.identity.cluster)),
            "maxAmountRequired": model.price_units.to_string(),
            "resource": resource,
            "description": format!("One answer of {}", model.name),
            "mimeType": "application/json",
            "payTo": self.identity.operator.to_string(),
            "maxTimeoutSeconds": self.limits.request_seconds,
            "asset": self.identity.mint.to_string(),
            "extra": {
                "name": model.name,
                "model": model.address.to_string(),
                "version": model.version,
                "modelRoot": hex(&model.model.model_root()),
                "creditProgram": ids::REVENUE_ESCROW.to_string(),
                "operator": self.identity.operator.to_string(),
                "operatorAuthority": self.identity.authority.to_string(),
                "answerKey": self.identity.answer_key.pubkey().to_string(),
                "cluster": hex(&self.identity.cluster),
                "lane": "the program's address for the seeds \"lane\", credit, operator; credit: \"credit\", payer, model",
                "minVoucherSeconds": self.limits.min_voucher_seconds,
            },
        })
    }

    fn unpaid(&self, resource: &str, error: PaymentError) -> Refusal {
        let (reason, code) = (error.to_string(), code(&error));
        let mut terms = self.terms(&reason, code, resource);
        if let PaymentError::NotNext {
            expected_count,
            expected_units,
        } = error
        {
            terms["lane"] = json!({ "count": expected_count, "nextAmount": expected_units.to_string() });
        }
        Refusal::Payment(terms)
    }

    /// Everything that can be said from the headers alone.
    pub async fn admit(&self, headers: &HeaderMap, resource: &str) -> Result<Payment, Refusal> {
        let began = Instant::now();
        let Some(header) = headers.get(PAYMENT_HEADER) else {
            let reason = "This answer is paid for with a voucher in the X-PAYMENT header.";
            return Err(Refusal::Payment(self.terms(reason, "payment_missing", resource)));
        };
        let (voucher, salt) = parse_header(header.as_bytes()).ok_or_else(|| {
            let reason = "The X-PAYMENT header is base64 of JSON: {\"x402Version\": 1, \"scheme\": \"imo-voucher\", \
                \"payload\": {\"voucher\": base64 of 280 bytes, \"salt\": 64 hexadecimal digits}}.";
            Refusal::Payment(self.terms(reason, "payment_malformed", resource))
        })?;
        let demands = self.demands();
        let known = self.lanes.session(&voucher.voucher.lane).map(|session| session.key);
        let key = payment::check_message(&voucher, &demands, known).map_err(|error| self.unpaid(resource, error))?;
        let slot = self
            .lanes
            .enter(&voucher.voucher.lane, self.limits.requests_per_lane)
            .ok_or(Refusal::Busy {
                why: "Too many requests of this lane at once.",
                seconds: 1,
            })?;
        let payer = self.payer(voucher.voucher.lane, key, slot.lane(), resource).await?;
        payment::check_accounts(&voucher, &demands, &payer).map_err(|error| self.unpaid(resource, error))?;
        if payer.operator.require_not_jailed(&payer.now).is_err() {
            return Err(Refusal::Unavailable(
                "the operator is jailed and could not report".into(),
            ));
        }
        Ok(Payment {
            voucher,
            salt,
            payer,
            slot,
            began,
        })
    }

    /// The accounts that a voucher names, no older than allowed.
    async fn payer(
        &self,
        lane: Pubkey,
        key: VerifyingKey,
        known: &KnownLane,
        resource: &str,
    ) -> Result<Arc<Payer>, Refusal> {
        let missing = |error| self.unpaid(resource, error);
        let session = match known.session().filter(|session| session.key == key) {
            Some(session) => session,
            None => {
                let found = self.chain.accounts(&[lane]).await?;
                let found: Lane = decoded(&found[0]).ok_or_else(|| missing(PaymentError::NoLane))?;
                Session::new(found.credit, key)
            }
        };
        let addresses = [
            lane,
            session.credit,
            session.address,
            self.identity.operator,
            TIME[0],
            TIME[1],
        ];
        let found = self.chain.accounts(&addresses).await?;
        if let Some(payer) = known.payer(&session, &found) {
            return Ok(payer);
        }
        let payer = Arc::new(Payer {
            lane: decoded(&found[0]).ok_or_else(|| missing(PaymentError::NoLane))?,
            credit: decoded(&found[1]).ok_or_else(|| missing(PaymentError::NoLane))?,
            session: decoded(&found[2]).ok_or_else(|| missing(PaymentError::NoSession))?,
            operator: decoded(&found[3])
                .ok_or_else(|| Refusal::Unavailable("the operator's account is not there".into()))?,
            now: chain::now(&found[4..])?,
        });
        if payer.lane.credit != session.credit {
            return Err(missing(PaymentError::NoLane));
        }
        known.remember(session, found, payer.clone());
        Ok(payer)
    }

    /// A body, no larger and no slower than allowed.
    pub async fn body(&self, headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Refusal::TooLarge(limit));
        }
        match tokio::time::timeout(self.read_time(), axum::body::to_bytes(body, limit)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) => Err(Refusal::TooLarge(limit)),
            Err(_) => Err(Refusal::TooSlow),
        }
    }

    /// Bytes that a question to any of the models needs at most, written as JSON.
    pub fn body_limit(&self) -> usize {
        let longest = self
            .models
            .iter()
            .map(|model| model.model.input_spec().byte_len())
            .max();
        usize::try_from(longest.unwrap_or(0).saturating_mul(8).saturating_add(16_384)).unwrap_or(usize::MAX)
    }

    pub fn model(&self, name: Option<&str>) -> Result<Arc<ServedModel>, Refusal> {
        match (name, self.models.as_slice()) {
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(Refusal::BadRequest(
                "Say which model: GET /v1/models lists them.".into(),
            )),
            (Some(name), models) => {
                models
                    .iter()
                    .find(|model| model.is_called(name))
                    .cloned()
                    .ok_or(Refusal::NotFound(
                        "This operator serves no such model: GET /v1/models lists them.",
                    ))
            }
        }
    }

    /// Computes and stores the answer, in a task of its own: a client that leaves meanwhile has paid all the same, and can ask again.
    pub async fn answer(
        self: &Arc<Self>,
        payment: Payment,
        model: Arc<ServedModel>,
        input: Tensor,
        resource: &'static str,
    ) -> Result<Served, Refusal> {
        let gateway = self.clone();
        tokio::spawn(async move { gateway.serve(payment, &model, input, resource).await })
            .await
            .map_err(|error| Refusal::Unavailable(error.to_string()))?
    }

    async fn serve(
        &self,
        payment: Payment,
        model: &Arc<ServedModel>,
        input: Tensor,
        resource: &str,
    ) -> Result<Served, Refusal> {
        let Payment {
            voucher,
            salt,
            payer,
            slot,
            began,
        } = payment;
        let lane = voucher.voucher.lane;
        let generation = voucher.voucher.lane_generation;
        let mut state = slot.lane().state.lock().await;
        let remembered = state.stored.take().filter(|stored| {
            stored.generation() == generation && stored.count() + 1 == voucher.voucher.cumulative_count
        });
        let stored = match remembered {
            Some(stored) => Some(stored),
            None => self.store.lane(&lane, generation).await?,
        };
        let count = stored.as_ref().map_or(0, StoredLane::count);
        self.catch_up(&mut state, &lane, generation, count).await?;

        let input_root = hashed(&input).await;
        let mut request = Request {
            lane,
            sequence: count,
            model_root: model.model.model_root(),
            input_root,
            price_units: model.price_units,
            salt,
        };
        // The newest question once more: its answer may have got lost.
        if let Some(stored) = stored
            .as_ref()
            .filter(|stored| stored.count() == voucher.voucher.cumulative_count)
        {
            request.sequence = count.saturating_sub(1);
            let newest = self.store.requests(&lane, generation, request.sequence..count).await?;
            let newest = newest.first().filter(|newest| newest.request == request);
            let (Some(newest), true) = (
                newest,
                voucher.voucher.requests_root == stored.voucher.voucher.requests_root,
            ) else {
                return Err(self.unpaid(resource, not_next(stored, model)));
            };
            if state.repeated >= self.limits.repeats {
                return Err(Refusal::Conflict("This question was answered again often enough."));
            }
            let output = self.compute(model, input).await?;
            state.repeated += 1;
            return Ok(self.served(output, *newest));
        }

        let mut requests = state.requests.clone();
        let leaf = request
            .leaf()
            .map_err(|_| Refusal::Conflict("The lane is full: open it again."))?;
        if !requests.push(leaf) {
            return Err(Refusal::Conflict("The lane is full: open it again."));
        }
        let asked = Asked {
            model: model.address,
            price_units: model.price_units,
            requests_root: requests.root(),
        };
        let wait = payment::check_step(&voucher, &self.demands(), &payer, stored.as_ref(), &asked)
            .map_err(|error| self.unpaid(resource, error))?;
        self.check_exposure(wait, &payer, model, stored.as_ref()).await?;

        let elements = Bytes::copy_from_slice(input.bytes());
        let output = self.compute(model, input).await?;
        let answered = StoredRequest {
            request,
            output_root: hashed(&output).await,
        };
        let small = elements.len() <= SMALL_INPUT;
        // Once known it is kept already, under the hash of what it holds.
        if !small && self.store.input(&input_root).await?.is_none() {
            self.blobs.put_input(&input_root, elements.clone()).await?;
        }
        let now_unix = clock::unix();
        let accepted = Accepted {
            lane: StoredLane {
                credit: payer.lane.credit,
                model: model.address,
                model_root: request.model_root,
                private: payer.lane.private,
                collected_count: payer.lane.collected_count,
                collected_units: payer.lane.collected_units,
                first_owed_unix: now_unix,
                voucher,
            },
            answered,
            input: small.then_some(elements),
        };
        let lane = accepted.lane.clone();
        self.store.accept(accepted, now_unix).await?;
        self.exposure.add(model.price_units).await;
        state.stored = Some(lane);
        state.requests = requests;
        state.repeated = 0;
        self.metrics.answered_after(began.elapsed());
        Metrics::count(&self.metrics.requests, "answered");
        Ok(self.served(output, answered))
    }

    /// Brings the tree of a lane's questions to where the database is.
    async fn catch_up(&self, state: &mut State, lane: &Pubkey, generation: u64, count: u64) -> Result<(), Refusal> {
        if state.generation != generation || u64::from(state.requests.count()) > count {
            *state = State {
                generation,
                ..State::default()
            };
        }
        while u64::from(state.requests.count()) < count {
            let first = u64::from(state.requests.count());
            let page = self
                .store
                .requests(lane, generation, first..count.min(first + PAGE))
                .await?;
            if page.is_empty() {
                return Err(Refusal::Unavailable(format!("requests of the lane {lane} are missing")));
            }
            for stored in page {
                let leaf = stored
                    .request
                    .leaf()
                    .map_err(|error| Refusal::Unavailable(error.to_string()))?;
                if stored.request.sequence != u64::from(state.requests.count()) || !state.requests.push(leaf) {
                    return Err(Refusal::Unavailable(format!("requests of the lane {lane} have a gap")));
                }
            }
        }
        Ok(())
    }

    /// Whether one more answer could still be collected under the operator's stake.
    async fn check_exposure(
        &self,
        wait: Option<Wait>,
        payer: &Payer,
        model: &ServedModel,
        stored: Option<&StoredLane>,
    ) -> Result<(), Refusal> {
        if wait == Some(Wait::Collection) {
            return Err(Refusal::Busy {
                why: "The lane owes as much as this operator lends: wait until it is collected.",
                seconds: COLLECTION_SECONDS,
            });
        }
        // One report is about one version.
        let other_version = stored.is_some_and(|stored| {
            stored.model_root != model.model.model_root() && payer.lane.collected_count < stored.count()
        });
        if other_version {
            return Err(Refusal::Busy {
                why: "Answers of another version wait to be collected from this lane.",
                seconds: COLLECTION_SECONDS,
            });
        }
        let free_units = payer.operator.free_units().unwrap_or(0);
        let bonded_units = u128::from(free_units) * 10_000 / u128::from(model.terms.bond_ratio_bps.max(1));
        let age = Duration::from_millis(self.limits.chain_age_ms);
        let owed_units = self.exposure.units(&self.store, age).await?;
        self.metrics
            .owed_units
            .set(i64::try_from(owed_units).unwrap_or(i64::MAX));
        if u128::from(owed_units) + u128::from(model.price_units) > bonded_units {
            return Err(Refusal::Busy {
                why: "The operator's free stake covers no further answer until it has reported.",
                seconds: COLLECTION_SECONDS,
            });
        }
        Ok(())
    }

    async fn compute(&self, model: &Arc<ServedModel>, input: Tensor) -> Result<Tensor, Refusal> {
        let executor = model.executor.clone();
        self.metrics.queued.inc();
        let output = self.engine.run(move || executor.output(&input)).await;
        self.metrics.queued.dec();
        match output {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(Refusal::BadRequest(error.to_string())),
            Err(_) => Err(Refusal::Busy {
                why: "The queue is full.",
                seconds: 1,
            }),
        }
    }

    fn served(&self, output: Tensor, stored: StoredRequest) -> Served {
        let answer = Answer {
            cluster: self.identity.cluster,
            oracle: ids::OPML_ORACLE,
            operator: self.identity.operator,
            claim: Claim {
                output_root: stored.output_root,
                ..stored.receipt().claim
            },
        };
        let key = &self.identity.answer_key;
        let answer = SignedAnswer {
            answer,
            key: key.pubkey(),
            signature: key.sign_message(&answer.message()).into(),
        };
        Served { output, stored, answer }
    }
}

fn decoded<T>(account: &Option<chain::RawAccount>) -> Option<T>
where
    T: anchor_lang::AccountDeserialize + anchor_lang::Discriminator + anchor_lang::Owner,
{
    account.as_ref()?.decode()
}

fn not_next(stored: &StoredLane, model: &ServedModel) -> PaymentError {
    PaymentError::NotNext {
        expected_count: stored.count(),
        expected_units: stored.amount_units().saturating_add(model.price_units),
    }
}

/// A tensor's root; that of a large one takes a while.
async fn hashed(tensor: &Tensor) -> opml::Hash {
    const SMALL: usize = 64 << 10;
    if tensor.bytes().len() <= SMALL {
        return tensor.root();
    }
    let copy = tensor.clone();
    match tokio::task::spawn_blocking(move || copy.root()).await {
        Ok(root) => root,
        Err(_) => tensor.root(),
    }
}

fn parse_header(header: &[u8]) -> Option<(SignedVoucher, [u8; 32])> {
    if header.len() > MAX_HEADER {
        return None;
    }
    let header: PaymentHeader = serde_json::from_slice(&STANDARD.decode(header).ok()?).ok()?;
    let voucher = SignedVoucher::parse(&STANDARD.decode(&header.payload.voucher).ok()?)?;
    let known = header.x402_version == 1 && header.scheme == SCHEME;
    Some((voucher, parse_hash(&header.payload.salt)?)).filter(|_| known)
}
