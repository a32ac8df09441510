//! Signed answers that payers hand in, and what becomes of an operator that signed two.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
    routing::{get, post},
};
use imo_client::{
    addresses,
    answer::{SIGNED_ANSWER_BYTES, SignedAnswer},
    instructions::opml_oracle as oracle,
    signature::is_signed,
};
use imo_protocol::{Answer, Now, answer_key_hash, question_hash};
use model_token::state::Protocol;
use opml::Hash;
use opml_oracle::state::{Equivocation, Operator};
use solana_signer::Signer;

use super::{COMPUTE_UNITS, WatcherLoop};
use crate::{
    chain::{Cache, Rpc, TIME, now, places},
    metrics::Metrics,
    store::Store,
};

/// Operators that may be looked up at once, and how old what is known of one may be.
const LOOK_UPS: usize = 8;
const AGE: Duration = Duration::from_secs(10);

/// What takes answers in.
struct Intake {
    cluster: [u8; 32],
    models: Vec<Hash>,
    store: Store,
    chain: Cache,
    metrics: Arc<Metrics>,
    max_answers: u64,
}

/// Why an answer is not taken, with what it means for who sent it.
type Refusal = (StatusCode, &'static str);

impl WatcherLoop {
    /// What the watcher serves: its metrics, and a place to hand in signed answers.
    pub async fn router(&self) -> anyhow::Result<Router> {
        let protocol: Protocol = self.rpc.get(&addresses::model_token::protocol()).await?;
        let rpc: Arc<Rpc> = self.rpc.clone();
        let intake = Arc::new(Intake {
            cluster: protocol.cluster,
            models: self.models.iter().map(|model| model.root()).collect(),
            store: self.store.clone(),
            chain: Cache::new(rpc, AGE, LOOK_UPS),
            metrics: self.metrics.clone(),
            max_answers: self.policy.max_answers,
        });
        let metrics = self.metrics.clone();
        Ok(Router::new()
            .route("/v1/answers", post(hand_in))
            .layer(DefaultBodyLimit::max(SIGNED_ANSWER_BYTES))
            .with_state(intake)
            .route("/metrics", get(move || async move { metrics.text() })))
    }

    /// Shows equivocations, and takes what showing them earns.
    pub(super) async fn pursue_equivocations(&self, now: &Now) -> anyhow::Result<()> {
        for answers in self.store.equivocations().await? {
            self.punish(&answers, now).await?;
        }
        let me = self.key.pubkey();
        let own = self.rpc.having::<Equivocation>(places::EQUIVOCATION_PROVER, &me);
        for (address, equivocation) in own.await? {
            if equivocation.payout_units > 0 {
                tracing::info!(equivocation = %address, units = equivocation.payout_units, "an equivocation is paid out");
                let withdraw = oracle::withdraw_reward(me, &equivocation);
                self.send("withdraw_reward", &[withdraw], COMPUTE_UNITS, &[]).await?;
                continue;
            }
            let operator: Operator = self.rpc.get(&equivocation.operator).await?;
            let is_due = equivocation.slashed_units < equivocation.due_units;
            if is_due && operator.unlocked_units().unwrap_or(0) > 0 {
                let settle = oracle::settle_equivocation(&equivocation);
                self.send("settle_equivocation", &[settle], COMPUTE_UNITS, &[]).await?;
            } else if equivocation.require_over(&operator, now).is_ok() {
                let close = oracle::close_equivocation(&equivocation);
                self.send("close_equivocation", &[close], COMPUTE_UNITS, &[]).await?;
            }
        }
        Ok(())
    }

    async fn punish(&self, answers: &[SignedAnswer; 2], now: &Now) -> anyhow::Result<()> {
        let [first, second] = answers;
        let operator_address = first.answer.operator;
        let question = question_hash(&first.answer.claim);
        let address = addresses::opml_oracle::equivocation(&operator_address, &question);
        if self.punished.lock().is_ok_and(|punished| punished.contains(&address)) {
            return Ok(());
        }
        let operator: Operator = self.rpc.get(&operator_address).await?;
        let counts = [first, second]
            .iter()
            .all(|answer| operator.answers_with(&answer_key_hash(&answer.key), now));
        let shown = self.rpc.find::<Equivocation>(&address).await?.is_some();
        if shown || !counts {
            // Shown by somebody, or too late to be.
            if let Ok(mut punished) = self.punished.lock() {
                punished.insert(address);
            }
            return Ok(());
        }
        tracing::warn!(operator = %operator_address, "an operator signed two answers to one question");
        let punish = oracle::punish_equivocation(self.key.pubkey(), operator.mint, answers);
        // Two signatures and their messages leave no room for a budget, and need none.
        self.send_bare("punish_equivocation", &punish, &[]).await?;
        Ok(())
    }
}

async fn hand_in(State(intake): State<Arc<Intake>>, body: Bytes) -> Result<StatusCode, Refusal> {
    let taken = intake.take(&body).await;
    let outcome = match &taken {
        Ok(()) => "answer_handed_in",
        Err(_) => "answer_refused",
    };
    Metrics::count(&intake.metrics.watcher, outcome);
    taken.map(|()| StatusCode::NO_CONTENT)
}

impl Intake {
    async fn take(&self, body: &[u8]) -> Result<(), Refusal> {
        let bad = |why| (StatusCode::BAD_REQUEST, why);
        let later = |why| (StatusCode::SERVICE_UNAVAILABLE, why);
        let signed =
            SignedAnswer::parse(body).ok_or(bad("A signed answer is its message, the key and the signature."))?;
        let Answer {
            cluster,
            oracle,
            operator,
            claim,
        } = signed.answer;
        if cluster != self.cluster || oracle != opml_oracle::ID {
            return Err(bad("The answer is of another cluster or program."));
        }
        if !self.models.contains(&claim.model_root) {
            return Err(bad("The answer is of a model that is not watched."));
        }
        if !is_signed(&signed.key, &signed.signature, &signed.answer.message()) {
            return Err(bad("The signature is not valid."));
        }
        let looked = [operator, TIME[0], TIME[1]];
        let found = self.chain.accounts(&looked).await;
        let found = found.map_err(|_| later("The chain cannot be looked at: try again."))?;
        let account: Option<Operator> = found
            .first()
            .and_then(Option::as_ref)
            .and_then(|account| account.decode());
        let account = account.ok_or(bad("There is no such operator."))?;
        let time = now(found.get(1..).unwrap_or_default()).map_err(|_| later("The chain's clock cannot be read."))?;
        if !account.answers_with(&answer_key_hash(&signed.key), &time) {
            return Err(bad("The key is not the operator's, or not any more."));
        }
        let failed = |_| later("The answer cannot be stored: try again.");
        if self.store.count_answers(&operator).await.map_err(failed)? >= self.max_answers {
            return Err((
                StatusCode::TOO_MANY_REQUESTS,
                "Enough answers of this operator are kept.",
            ));
        }
        self.store.add_answer(&signed).await.map_err(failed)
    }
}
