//! Buying what a decoder makes of a prompt, token by token.
//!
//! A step is a question like any other ([`crate::decoder`]): the payer makes it from the outputs before it, signs for it alone, and takes nothing for its answer but the receipt of this very
//! question. Which token follows is read from the output that was signed, not from what the operator says beside it. So an operator can be paid for the prompt's continuation and for nothing else.
//!
//! Each answer is in the [`Record`] before the next question is signed. A run that broke off is gone on with from there: the question that has no answer yet is asked once more, with the same
//! voucher amounts, and nothing is paid twice.

use std::time::{Duration, Instant};

use anyhow::Context;
use imo_client::payer::{Evidence, PaidQuestion, Purse};
use imo_protocol::Request;
use opml::{ElementType, Hash, TensorSpec};
use opml_runtime::{Model, Tensor, fast::Plan};
use serde_json::json;

use super::{
    Buyer, INFER, NOT_UNDERSTOOD, Offer, check, check_evidence, evidence,
    operator::{Gateway, Later, Part, Refusal, Sent},
    purse::HeldPurse,
    record::{About, Answered, Record, row},
};
use crate::{
    decoder::{DecoderError, Generation, Layout},
    gateway::completions::{BEGIN, CompletionChunk},
};

/// How long is waited before a question is sent again, at first and at most, where the operator does not say.
const PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// However soon an operator wants to be asked again.
const MIN_PAUSE: Duration = Duration::from_millis(100);

/// What is wanted.
pub struct Wish {
    /// Token numbers, one at least.
    pub prompt: Vec<u32>,
    /// How many tokens are to follow at most.
    pub max_tokens: usize,
    /// Most that this run may cost.
    pub budget_units: Option<u64>,
    /// Where the model has its token, scores and caches: [`Buyer::layout`], or from whoever made the model.
    pub layout: Layout,
    /// Recomputes every answer, on the calling thread.
    pub verifier: Option<Model>,
    /// How long one question is asked again and again before the run ends, to be gone on with later.
    pub patience: Duration,
}

/// Why no further token comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The last token ends answers.
    EndToken,
    MaxTokens,
    /// The model takes no more tokens.
    CacheFull,
    /// The next step costs more than is left of the budget.
    Budget,
    /// The next step costs more than the lane's money and the session's limit leave.
    Money,
    /// The operator signed an output that the model does not give; its root is this.
    Wrong(Hash),
}

/// One answer, whose receipt and signature hold.
pub struct Step {
    /// What follows the tokens so far; none while the prompt is fed.
    pub token: Option<u32>,
    pub output: Tensor,
    pub evidence: Evidence,
    pub price_units: u64,
    /// Whether it was paid for before this run.
    pub from_record: bool,
}

/// A completion that goes on. Nobody else has the purse until it is dropped.
pub struct Completion<'a> {
    asker: Asker<'a>,
    held: HeldPurse,
    record: Record,
    /// How many of the record's answers were handed out, and how many there were before this run.
    taken: usize,
    before: usize,
    text: Text,
    max_tokens: usize,
    budget_units: u64,
    spent_units: u64,
    verifier: Option<Plan>,
    stopped: Option<Stop>,
}

impl Buyer {
    /// How the operator says that the model has its token, scores and caches. It is checked against the model's input; whether it means what it says is known to whoever made the model.
    pub async fn layout(&self, offer: &Offer) -> anyhow::Result<Layout> {
        let served = Gateway::new(&offer.endpoint)?.model(&self.model.to_string()).await?;
        anyhow::ensure!(
            !served["decoder"].is_null(),
            "The operator does not serve the model as a decoder: give its layout."
        );
        let layout: Layout = serde_json::from_value(served["decoder"].clone())
            .context("The operator's layout of the decoder is none")?;
        layout.check_input(&offer.input)?;
        Ok(layout)
    }

    /// Begins a completion, or goes on with it where it is the purse's newest one. A question that has no answer yet is asked again first.
    pub async fn complete<'a>(&'a self, offer: &'a Offer, wish: Wish) -> anyhow::Result<Completion<'a>> {
        wish.check(offer)?;
        let mut asker = Asker {
            buyer: self,
            offer,
            gateway: Gateway::new(&offer.endpoint)?,
            patience: wish.patience,
            route: Route::Whole,
            max_tokens: wish.max_tokens,
        };
        let mut held = HeldPurse::open(&self.purse, offer)?;
        let path = Record::beside(&self.purse);
        let mut found = Record::open(path.clone())?.filter(|record| record.about.is_on(&offer.lane));
        let about = About::new(&offer.lane, &offer.model_root, &offer.input, &wish.layout, &wish.prompt);
        let mut settled = None;
        if let Some(request) = held.unanswered() {
            settled = asker.settle(&mut held, found.as_mut(), &request).await?;
        }
        let record = match found {
            Some(record) if record.about == about => record,
            _ => Record::begin(path, about)?,
        };
        let text = Text::new(&record.about)?;
        asker.route = Route::of(&record);
        let settled_here = settled.is_some_and(|sequence| {
            let last = record.answers.last();
            last.is_some_and(|last| last.sequence == sequence)
        });
        Ok(Completion {
            asker,
            taken: 0,
            before: record.answers.len() - usize::from(settled_here),
            spent_units: settled.map_or(0, |sequence| price_units(held.purse(), sequence)),
            held,
            record,
            text,
            max_tokens: wish.max_tokens,
            budget_units: wish.budget_units.unwrap_or(u64::MAX),
            verifier: wish.verifier.as_ref().map(Plan::new),
            stopped: None,
        })
    }
}

impl Wish {
    /// Everything that can be said before anything is signed.
    pub fn check(&self, offer: &Offer) -> anyhow::Result<()> {
        self.layout.check_input(&offer.input)?;
        anyhow::ensure!(!self.prompt.is_empty(), "A prompt has one token at least.");
        anyhow::ensure!(self.max_tokens > 0, "An answer has one token at least.");
        let vocabulary = self.layout.vocabulary;
        if let Some(token) = self.prompt.iter().find(|token| **token >= vocabulary) {
            let token = *token;
            return Err(DecoderError::NoSuchToken { token, vocabulary }.into());
        }
        if self.prompt.len() > self.layout.capacity() {
            return Err(DecoderError::Full(self.layout.capacity()).into());
        }
        if let Some(model) = &self.verifier {
            anyhow::ensure!(
                model.model_root() == offer.model_root,
                "The model to recompute with is not the live version."
            );
            let output = model.nodes().last().context("A model has a node.")?.output;
            self.layout.check_output(&output)?;
        }
        Ok(())
    }
}

impl Completion<'_> {
    /// The next step; `None` when it is over, for the reason that [`Self::stopped`] gives. After an error the same question is asked again.
    pub async fn next(&mut self) -> anyhow::Result<Option<Step>> {
        if self.stopped.is_some() {
            return Ok(None);
        }
        let input = self.text.question()?;
        let from_record = self.taken < self.before;
        if self.taken == self.record.answers.len() && !self.buy(&input).await? {
            return Ok(None);
        }
        let answered = &self.record.answers[self.taken];
        let step = open(self.held.purse(), &input, answered, from_record);
        let mut step = step.with_context(|| format!("{} does not fit the purse", self.record.path().display()))?;
        let truth = self
            .verifier
            .as_ref()
            .map(|verifier| verifier.run(&input))
            .transpose()?;
        let wrong = truth.filter(|truth| truth.bytes() != step.output.bytes());
        step.token = self.text.take(&step.output)?;
        self.taken += 1;
        self.stopped = match wrong {
            Some(truth) => Some(Stop::Wrong(truth.root())),
            None => self.text.end(self.max_tokens),
        };
        Ok(Some(step))
    }

    /// Why it is over.
    pub fn stopped(&self) -> Option<Stop> {
        self.stopped
    }

    /// The tokens so far, without the prompt's.
    pub fn tokens(&self) -> &[u32] {
        &self.text.tokens[self.text.prompt..]
    }

    /// What this run has cost.
    pub fn spent_units(&self) -> u64 {
        self.spent_units
    }

    /// The file that has every answer with its signature, until the purse's next completion.
    pub fn record(&self) -> &std::path::Path {
        self.record.path()
    }

    /// Buys the answer to the next question; false when there is no money for it.
    async fn buy(&mut self, input: &Tensor) -> anyhow::Result<bool> {
        let Asker { offer, .. } = self.asker;
        // After an error, or when nobody waited for the answer.
        let unanswered = self.held.unanswered().is_some();
        let question = if unanswered {
            ask_again(&self.held, offer, input)?
        } else {
            if offer.price_units > self.budget_units.saturating_sub(self.spent_units) {
                self.stopped = Some(Stop::Budget);
                return Ok(false);
            }
            if offer.price_units > offer.left_units(self.held.purse()) {
                self.stopped = Some(Stop::Money);
                return Ok(false);
            }
            self.held.ask(offer.entry(input), offer.expires_unix)?
        };
        let prompt = &self.text.tokens[..self.text.prompt];
        let asked = self.asker.ask(&mut self.held, &question, input, prompt, unanswered);
        let (output, evidence, completion) = asked.await?;
        self.asker.go_on_with(completion.as_deref());
        keep(&mut self.held, &mut self.record, &output, &evidence, completion)?;
        self.spent_units = self.spent_units.saturating_add(question.request.price_units);
        Ok(true)
    }
}

/// The tokens so far, and what the model kept of them.
struct Text {
    layout: Layout,
    generation: Generation,
    tokens: Vec<u32>,
    prompt: usize,
}

impl Text {
    fn new(about: &About) -> anyhow::Result<Self> {
        // A root is of the elements alone, whatever their shape.
        let spec = TensorSpec::new(ElementType::Int8, &[1, about.input_bytes]);
        let spec = spec.map_err(|_| anyhow::anyhow!("A model's input is not empty."))?;
        about.layout.check_input(&spec)?;
        Ok(Self {
            layout: about.layout.clone(),
            generation: Generation::new(&spec),
            tokens: about.prompt.clone(),
            prompt: about.prompt.len(),
        })
    }

    fn question(&self) -> anyhow::Result<Tensor> {
        let token = self.tokens.get(self.generation.length()).copied();
        let token = token.context("The completion is complete.")?;
        Ok(self.generation.question(&self.layout, token)?)
    }

    /// Takes an answer, and says what follows once the prompt is through.
    fn take(&mut self, output: &Tensor) -> anyhow::Result<Option<u32>> {
        self.generation.take(&self.layout, output)?;
        if self.generation.length() < self.prompt {
            return Ok(None);
        }
        let token = self.layout.next_token(output);
        self.tokens.push(token);
        Ok(Some(token))
    }

    fn end(&self, max_tokens: usize) -> Option<Stop> {
        let last = self.tokens[self.prompt..].last();
        if last.is_some_and(|token| self.layout.end_tokens.contains(token)) {
            Some(Stop::EndToken)
        } else if self.tokens.len() - self.prompt >= max_tokens {
            Some(Stop::MaxTokens)
        } else if self.generation.length() >= self.layout.capacity() {
            Some(Stop::CacheFull)
        } else {
            None
        }
    }
}

/// Where the next step is asked.
enum Route {
    Begin,
    /// The operator has the cache of this completion.
    Step(String),
    /// The whole row is sent.
    Whole,
}

impl Route {
    fn of(record: &Record) -> Self {
        match record.answers.last() {
            None => Self::Begin,
            Some(Answered {
                completion: Some(id), ..
            }) => Self::Step(id.clone()),
            Some(_) => Self::Whole,
        }
    }
}

/// An output with the evidence for it, and what the operator calls the completion.
type Answer = (Tensor, Evidence, Option<String>);

/// Asks until there is an answer.
struct Asker<'a> {
    buyer: &'a Buyer,
    offer: &'a Offer,
    gateway: Gateway,
    patience: Duration,
    route: Route,
    max_tokens: usize,
}

impl Asker<'_> {
    /// Has the last question of a run that broke off answered. Returns its sequence if that cost anything that the other run has not kept.
    async fn settle(
        &mut self,
        held: &mut HeldPurse,
        record: Option<&mut Record>,
        request: &Request,
    ) -> anyhow::Result<Option<u64>> {
        let foreign =
            "The last question on this lane has no answer yet, and is no step of a completion: ask it again first.";
        let record = record.context(foreign)?;
        if record
            .answers
            .last()
            .is_some_and(|last| last.sequence == request.sequence)
        {
            held.answered()?;
            return Ok(None);
        }
        let mut text = Text::new(&record.about)?;
        for answered in &record.answers {
            text.take(&answered.output()?)?;
        }
        let input = text.question()?;
        anyhow::ensure!(input.root() == request.input_root, foreign);
        let question = ask_again(held, self.offer, &input)?;
        self.route = Route::of(record);
        let asked = self.ask(held, &question, &input, &record.about.prompt, true);
        let (output, evidence, completion) = asked.await?;
        keep(held, record, &output, &evidence, completion)?;
        Ok(Some(request.sequence))
    }

    /// `tried_before` says whether the operator may have the question already.
    async fn ask(
        &mut self,
        held: &mut HeldPurse,
        question: &PaidQuestion,
        input: &Tensor,
        prompt: &[u32],
        mut tried_before: bool,
    ) -> anyhow::Result<Answer> {
        let payment = self.buyer.payment(question);
        let began = Instant::now();
        let mut pause = PAUSE;
        loop {
            let later = match self.send(&payment, input, prompt).await? {
                Sent::Answered(body) => return self.understand(held.purse(), question, &body),
                Sent::Refused(refusal) if self.is_lost(&refusal) => {
                    self.route = Route::Whole;
                    continue;
                }
                Sent::Refused(refusal) => return Err(held.refused(tried_before, &refusal)),
                Sent::Later(later) => later,
            };
            tried_before = true;
            if later.status == 409 && !matches!(self.route, Route::Whole) {
                self.route = Route::Whole;
                continue;
            }
            let Later { why, after, .. } = later;
            let wait = after.unwrap_or(pause).max(MIN_PAUSE);
            anyhow::ensure!(
                wait <= self.patience.saturating_sub(began.elapsed()),
                "No answer yet, the same again goes on from here: {why}"
            );
            tokio::time::sleep(wait).await;
            pause = (2 * pause).min(MAX_PAUSE);
        }
    }

    async fn send(&self, payment: &str, input: &Tensor, prompt: &[u32]) -> anyhow::Result<Sent> {
        let (path, body, part) = match &self.route {
            Route::Begin => {
                let model = self.buyer.model.to_string();
                let body = json!({ "model": model, "prompt": prompt, "max_tokens": self.max_tokens, "stream": true });
                // The others come back with their payments, too.
                (BEGIN.to_owned(), body, Part::FirstEvent)
            }
            Route::Step(id) => (format!("{BEGIN}/{id}"), json!({}), Part::All),
            Route::Whole => (INFER.to_owned(), self.buyer.body(input), Part::All),
        };
        self.gateway.ask(&path, payment, &body, part).await
    }

    /// Whether the operator streams nothing, does not know the completion any more, or has gone on with it in another way. The question can be asked as any other.
    fn is_lost(&self, refusal: &Refusal) -> bool {
        let streams = !matches!(self.route, Route::Whole);
        streams && (matches!(refusal.status, 400 | 404 | 405) || refusal.is_other_question())
    }

    /// Checks what came back. What the operator says to be the token is not looked at: it is what the output says.
    fn understand(&self, purse: &Purse, question: &PaidQuestion, body: &[u8]) -> anyhow::Result<Answer> {
        if matches!(self.route, Route::Whole) {
            let bought = check(purse, &question.request, body)?;
            return Ok((bought.output, bought.evidence, None));
        }
        let chunk: CompletionChunk = serde_json::from_slice(body).context(NOT_UNDERSTOOD)?;
        let output = row(&chunk.imo.output).context(NOT_UNDERSTOOD)?;
        let evidence = check_evidence(purse, &question.request, &output, &chunk.imo.evidence)?;
        let is_name = !chunk.id.is_empty()
            && chunk
                .id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        Ok((output, evidence, is_name.then_some(chunk.id)))
    }

    fn go_on_with(&mut self, completion: Option<&str>) {
        self.route = completion.map_or(Route::Whole, |id| Route::Step(id.to_owned()));
    }
}

fn price_units(purse: &Purse, sequence: u64) -> u64 {
    purse.request(sequence).map_or(0, |request| request.price_units)
}

/// The last question once more, if this is its input.
fn ask_again(held: &HeldPurse, offer: &Offer, input: &Tensor) -> anyhow::Result<PaidQuestion> {
    let question = held.purse().ask_again(offer.expires_unix);
    let question = question.filter(|question| question.request.input_root == input.root());
    question.context("The last question on this lane has no answer yet: ask it again first.")
}

/// Has an answer in the record before its question counts as answered.
fn keep(
    held: &mut HeldPurse,
    record: &mut Record,
    output: &Tensor,
    evidence: &Evidence,
    completion: Option<String>,
) -> anyhow::Result<()> {
    let fits = record.about.layout.check_output(output.spec());
    if fits.is_ok() {
        record.add(Answered::new(output, evidence, completion))?;
    }
    held.answered()?;
    fits.context("The operator's output is not one of such a decoder")
}

/// An answer of the record, if it is the purse's answer to this input.
fn open(purse: &Purse, input: &Tensor, answered: &Answered, from_record: bool) -> anyhow::Result<Step> {
    let request = purse.request(answered.sequence).context("it has another question")?;
    anyhow::ensure!(request.input_root == input.root(), "it has another question");
    let output = answered.output()?;
    let (key, signature) = answered.signed().context("it has no signature")?;
    let evidence = evidence(purse.lane(), &request, output.root(), key, signature);
    purse.check(&request, output.root(), &evidence)?;
    Ok(Step {
        token: None,
        output,
        evidence,
        price_units: request.price_units,
        from_record,
    })
}
