//! Decoders: one server-sent event for each step, each step paid by itself.
//!
//! `POST /v1/completions` takes the prompt, begins the stream and answers the first step. The payer makes the next step's question from the answer, as [`crate::decoder`] says,
//! signs for it and sends the voucher to `POST /v1/completions/{id}`; what it pays for comes back there and on the stream. What is kept between two steps only saves sending the cache: every
//! step could be asked at `/v1/infer` as well, which is what a payer does when the operator has forgotten.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::stream;
use opml_runtime::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::{
    Gateway,
    infer::{EvidenceBody, bad},
    openai::values,
    pay::{Payment, Served},
    refusal::Refusal,
};
use crate::{
    clock,
    decoder::{DecoderError, Generation, Layout},
    model::ServedModel,
    text::hex,
};

pub const BEGIN: &str = "/v1/completions";
const STEP: &str = "/v1/completions/{id}";

/// How long a stream waits for the next voucher.
const IDLE: Duration = Duration::from_secs(60);

/// Events that wait for a slow reader. One that is slower has the answers to its payments alone.
const EVENTS: usize = 64;

/// Tokens of an answer where nobody says how many.
const MAX_TOKENS: usize = 16;

#[derive(Debug, Deserialize, ToSchema)]
pub struct CompletionRequest {
    model: Option<String>,
    /// Token numbers; as the only element of a list, too.
    #[schema(value_type = Vec<i32>)]
    prompt: Value,
    max_tokens: Option<usize>,
    /// Has to be true: steps are paid one by one.
    #[serde(default)]
    stream: bool,
    /// Has to be 0 or left out: the token with the highest score is taken.
    temperature: Option<f64>,
    n: Option<u32>,
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CompletionChunk {
    pub id: String,
    pub object: String,
    pub created: i64,
    pub model: String,
    /// Empty while the prompt is fed.
    pub choices: Vec<CompletionChoice>,
    /// What the payer keeps, and makes the next question of.
    pub imo: StepEvidence,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CompletionChoice {
    pub index: usize,
    /// The token's number and a space: words are the client's part.
    pub text: String,
    pub token_ids: Vec<u32>,
    /// `stop` behind a token that ends answers, `length` when no further one is wanted or fits.
    pub finish_reason: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StepEvidence {
    #[serde(flatten)]
    pub evidence: EvidenceBody,
    /// Base64 of the output's elements.
    pub output: String,
}

/// Completions that go on.
#[derive(Default)]
pub struct Completions(Mutex<HashMap<String, Arc<Completion>>>);

/// One of them.
struct Completion {
    id: String,
    created: i64,
    /// Who pays.
    lane: Pubkey,
    model: Arc<ServedModel>,
    layout: Layout,
    progress: tokio::sync::Mutex<Progress>,
    used: Mutex<Instant>,
}

struct Progress {
    generation: Generation,
    /// The prompt, and behind it what was generated.
    tokens: Vec<u32>,
    prompt: usize,
    max_tokens: usize,
    /// The newest step: count of its voucher, its question and answer.
    last: Option<(u64, Tensor, CompletionChunk)>,
    /// The stream; none when nobody reads it or it is over.
    events: Option<mpsc::Sender<Event>>,
    finished: bool,
}

impl Completions {
    /// Whether there is room for one more, once those are gone that nobody pays for any more.
    fn make_room(&self, limit: usize) -> bool {
        let Ok(mut known) = self.0.lock() else {
            return false;
        };
        known.retain(|_, completion| completion.used.lock().is_ok_and(|used| used.elapsed() < IDLE));
        known.len() < limit
    }

    fn keep(&self, completion: Arc<Completion>) {
        if let Ok(mut known) = self.0.lock() {
            known.insert(completion.id.clone(), completion);
        }
    }

    fn get(&self, id: &str, lane: &Pubkey) -> Option<Arc<Completion>> {
        let known = self.0.lock().ok()?;
        known.get(id).filter(|completion| completion.lane == *lane).cloned()
    }
}

/// Begins an answer of a decoder; the voucher pays for its first step.
#[utoipa::path(
    post, path = "/v1/completions", request_body = CompletionRequest, params(("X-PAYMENT" = String, Header, description = "The voucher of the first step")),
    responses(
        (status = 200, description = "Server-sent events, each a CompletionChunk, then [DONE]", content_type = "text/event-stream", body = CompletionChunk),
        (status = 402, description = "The terms, in x402's form"), (status = 429, description = "Come back after Retry-After")
    )
)]
pub async fn begin(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let payment = gateway.admit(&headers, BEGIN).await?;
    let body = gateway.body(&headers, body, gateway.body_limit()).await?;
    let request: CompletionRequest = serde_json::from_slice(&body).map_err(bad)?;
    let model = gateway.model(request.model.as_deref())?;
    let layout = model
        .decoder
        .clone()
        .ok_or_else(|| bad("This model is not served as a decoder."))?;
    let tokens = prompt(&request, &layout)?;
    if !gateway.completions.make_room(gateway.limits.completions) {
        return Err(Refusal::Busy {
            why: "Too many completions go on at once.",
            seconds: 1,
        });
    }
    let (events, stream) = mpsc::channel(EVENTS);
    let completion = Arc::new(Completion {
        id: format!("cmpl-{}", hex(&rand::random::<[u8; 16]>())),
        created: clock::unix(),
        lane: payment.lane(),
        progress: tokio::sync::Mutex::new(Progress {
            generation: Generation::new(model.model.input_spec()),
            prompt: tokens.len(),
            tokens,
            max_tokens: request.max_tokens.unwrap_or(MAX_TOKENS),
            last: None,
            events: Some(events),
            finished: false,
        }),
        model,
        layout,
        used: Mutex::new(Instant::now()),
    });
    step_on(&gateway, &completion, payment, BEGIN).await?;
    gateway.completions.keep(completion);
    Ok(Sse::new(read(stream)).keep_alive(KeepAlive::default()).into_response())
}

/// Pays for the next step of an answer that was begun.
#[utoipa::path(
    post, path = "/v1/completions/{id}", params(("id" = String, Path, description = "Of the stream's chunks"), ("X-PAYMENT" = String, Header, description = "The voucher of the next step")),
    responses(
        (status = 200, body = CompletionChunk), (status = 402, description = "The terms, in x402's form"), (status = 404, description = "Not known any more, or another lane's"),
        (status = 409, description = "The answer is complete"), (status = 429, description = "Come back after Retry-After")
    )
)]
pub async fn step(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<CompletionChunk>, Refusal> {
    let payment = gateway.admit(&headers, STEP).await?;
    let unknown =
        Refusal::NotFound("There is no such completion of this lane: ask its next step at /v1/infer, or begin again.");
    let completion = gateway.completions.get(&id, &payment.lane()).ok_or(unknown)?;
    step_on(&gateway, &completion, payment, STEP).await.map(Json)
}

fn prompt(request: &CompletionRequest, layout: &Layout) -> Result<Vec<u32>, Refusal> {
    if !request.stream {
        return Err(bad("Each step is paid for by itself: set stream to true."));
    }
    if request.temperature.is_some_and(|temperature| temperature != 0.0) || request.n.is_some_and(|n| n != 1) {
        return Err(bad(
            "The token with the highest score is taken: leave temperature and n out.",
        ));
    }
    if request.max_tokens == Some(0) {
        return Err(bad("An answer has one token at least."));
    }
    let tokens: Option<Vec<u32>> = values(&request.prompt)?
        .into_iter()
        .map(|token| u32::try_from(token).ok().filter(|token| *token < layout.vocabulary))
        .collect();
    let tokens = tokens.ok_or_else(|| bad(format!("A token of this model is 0 to {}.", layout.vocabulary - 1)))?;
    if tokens.len() > layout.capacity() {
        return Err(bad(DecoderError::Full(layout.capacity())));
    }
    Ok(tokens)
}

/// Answers the next step, or the newest one once more to whoever lost it.
async fn step_on(
    gateway: &Arc<Gateway>,
    completion: &Completion,
    payment: Payment,
    resource: &'static str,
) -> Result<CompletionChunk, Refusal> {
    if let Ok(mut used) = completion.used.lock() {
        *used = Instant::now();
    }
    let (model, layout) = (&completion.model, &completion.layout);
    let mut progress = completion.progress.lock().await;
    let count = payment.count();
    if let Some((_, question, chunk)) = progress.last.as_ref().filter(|(last, _, _)| *last == count) {
        gateway
            .answer(payment, model.clone(), question.clone(), resource)
            .await?;
        return Ok(chunk.clone());
    }
    if progress.finished {
        return Err(Refusal::Conflict("This completion is complete."));
    }
    let token = progress.tokens.get(progress.generation.length()).copied();
    let token = token.ok_or(Refusal::Conflict("This completion is complete."))?;
    let question = progress.generation.question(layout, token).map_err(bad)?;
    let served = gateway
        .answer(payment, model.clone(), question.clone(), resource)
        .await?;
    progress.generation.take(layout, &served.output).map_err(bad)?;
    let choice = progress.choose(layout, &served.output);
    let chunk = completion.chunk(choice, &served);
    progress.tell(&chunk);
    progress.last = Some((count, question, chunk.clone()));
    Ok(chunk)
}

impl Progress {
    /// What follows the tokens so far, once the prompt is through.
    fn choose(&mut self, layout: &Layout, output: &Tensor) -> Option<CompletionChoice> {
        if self.generation.length() < self.prompt {
            return None;
        }
        let token = layout.next_token(output);
        self.tokens.push(token);
        let enough =
            self.tokens.len() - self.prompt >= self.max_tokens || self.generation.length() >= layout.capacity();
        let finish_reason = match () {
            () if layout.end_tokens.contains(&token) => Some("stop"),
            () if enough => Some("length"),
            () => None,
        };
        self.finished = finish_reason.is_some();
        Some(CompletionChoice {
            index: 0,
            text: format!("{token} "),
            token_ids: vec![token],
            finish_reason: finish_reason.map(str::to_owned),
        })
    }

    fn tell(&mut self, chunk: &CompletionChunk) {
        let Some(events) = &self.events else {
            return;
        };
        // Numbers, strings and lists of them are JSON.
        let text = serde_json::to_string(chunk).unwrap_or_default();
        let mut told = events.try_send(Event::default().data(text)).is_ok();
        if self.finished {
            told = told && events.try_send(Event::default().data("[DONE]")).is_ok();
        }
        if !told || self.finished {
            self.events = None;
        }
    }
}

impl Completion {
    fn chunk(&self, choice: Option<CompletionChoice>, served: &Served) -> CompletionChunk {
        CompletionChunk {
            id: self.id.clone(),
            object: "text_completion".into(),
            created: self.created,
            model: self.model.name.clone(),
            choices: choice.into_iter().collect(),
            imo: StepEvidence {
                evidence: EvidenceBody::from(served),
                output: STANDARD.encode(served.output.bytes()),
            },
        }
    }
}

/// The events, until the last one or until nobody pays any more.
fn read(stream: mpsc::Receiver<Event>) -> impl stream::Stream<Item = Result<Event, Infallible>> {
    stream::unfold(stream, async |mut stream| {
        let event = tokio::time::timeout(IDLE, stream.recv()).await.ok()??;
        Some((Ok(event), stream))
    })
}
