//! The watcher's loop: looks at what operators reported, recomputes it, and proves what is wrong.

mod audit;
mod check;
mod demand;
mod evidence;
mod fetch;
mod look;
mod model;
mod own_lanes;
mod progress;
mod prove;
mod pursue;
mod sample;
mod shown;

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use futures_util::{StreamExt, stream};
use imo_client::challenge::staging::transaction_bytes;
use imo_protocol::Now;
use opml::Hash;
use opml_oracle::state::{Audit, AuditEntry, Dispute, Inquiry, Report};
use opml_runtime::Execution;
use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use self::progress::Progress;
use crate::{
    chain::{FeePolicy, Follow, Rpc, SendError, Wake, places},
    metrics::Metrics,
    rounds::repeat,
    store::{Blobs, Store},
    text::hex,
};

pub use {model::WatchedModel, own_lanes::OwnLane, sample::Sample};

/// Reports that are checked, and disputes that are pursued, at the same time.
const AT_ONCE: usize = 8;

/// Enough for every instruction but a proof.
const COMPUTE_UNITS: u32 = 400_000;

/// The most that a transaction may ask for: a proof recomputes an element.
const PROOF_COMPUTE_UNITS: u32 = 1_400_000;

/// What to look at, and what it may cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchPolicy {
    /// The part of all answers that is recomputed, 0 to 1.
    pub share: f64,
    /// Milliseconds between two rounds.
    pub round_ms: u64,
    /// How long an endpoint may take for one answer, in seconds.
    pub fetch_seconds: u64,
    /// How long a round may take for one report, in seconds.
    pub report_seconds: u64,
    /// How long after the seal an endpoint may withhold something before it is demanded on chain, in slots.
    pub patience_slots: u64,
    /// Most that demands on one report may cost, in units of its mint. 0: nothing is demanded.
    pub demand_units: u64,
    /// Whether to take part in audits.
    pub audits: bool,
    /// Most signed answers of one operator that are kept to compare.
    pub max_answers: u64,
    pub fees: FeePolicy,
}

impl Default for WatchPolicy {
    fn default() -> Self {
        Self {
            share: 1.0,
            round_ms: 10_000,
            fetch_seconds: 30,
            report_seconds: 600,
            patience_slots: 150,
            demand_units: 5_000_000,
            audits: true,
            max_answers: 10_000,
            fees: FeePolicy::default(),
        }
    }
}

/// How many things of a round did not get on.
#[derive(Debug, Default)]
struct Failures(AtomicU64);

impl Failures {
    fn note(&self, what: &'static str, address: &Pubkey, error: &anyhow::Error) {
        self.0.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%address, error = format!("{error:#}"), "{what} did not get on");
    }

    fn none(self) -> anyhow::Result<()> {
        anyhow::ensure!(self.0.into_inner() == 0, "not everything got on");
        Ok(())
    }
}

/// A watcher that works by itself.
pub struct WatcherLoop {
    rpc: Arc<Rpc>,
    store: Store,
    blobs: Blobs,
    http: reqwest::Client,
    models: Vec<Arc<WatchedModel>>,
    key: Keypair,
    policy: WatchPolicy,
    sample: Sample,
    metrics: Arc<Metrics>,
    /// What the own copy of the model gives for the disputes that go on.
    truths: Mutex<HashMap<Pubkey, Arc<Execution>>>,
    /// One for each core: more answers at once would only take memory.
    computing: Semaphore,
    /// How far the look at reports has come, by report.
    progress: Mutex<HashMap<Pubkey, Progress>>,
    /// Rung when a dispute is prepared.
    prepared: Arc<Notify>,
    /// Addresses of equivocations that were shown already, by whomever.
    punished: Mutex<HashSet<Pubkey>>,
    /// Lanes whose payer lets this watcher see what it asked.
    lanes: Vec<OwnLane>,
    /// Hides what this watcher commits to in audits.
    secret: [u8; 32],
}

impl WatcherLoop {
    /// Which answers it will look at is decided by a secret that is drawn once; its hash is told now.
    pub async fn new(
        rpc: Arc<Rpc>,
        store: Store,
        blobs: Blobs,
        models: Vec<Arc<WatchedModel>>,
        key: Keypair,
        policy: WatchPolicy,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let secret = store.fact_or("watch_secret", &rand::random::<[u8; 32]>()).await?;
        let secret = <[u8; 32]>::try_from(secret).map_err(|_| anyhow::anyhow!("the store's secret is not 32 bytes"))?;
        let sample = Sample::new(secret, policy.share);
        tracing::info!(
            commitment = hex(&sample.commitment()),
            share = policy.share,
            "which answers are looked at is decided"
        );
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(policy.fetch_seconds))
            // An operator's endpoint has no business to send a watcher elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            rpc,
            store,
            blobs,
            http,
            models,
            key,
            policy,
            sample,
            metrics,
            truths: Mutex::default(),
            computing: Semaphore::new(std::thread::available_parallelism().map_or(1, Into::into)),
            progress: Mutex::default(),
            prepared: Arc::default(),
            punished: Mutex::default(),
            lanes: Vec::new(),
            secret,
        })
    }

    /// Lets it see what was asked on these lanes, too.
    pub fn with_lanes(mut self, lanes: Vec<OwnLane>) -> Self {
        self.lanes = lanes;
        self
    }

    /// What each of the loops wants to hear of, in the order that [`run`](Self::run) takes their bells.
    pub fn follows(&self) -> [Vec<Follow>; 3] {
        let key = self.key.pubkey();
        [
            vec![
                Follow::of::<Dispute>(places::SECOND_KEY, key),
                Follow::of::<Inquiry>(places::SECOND_KEY, key),
            ],
            vec![Follow::all::<Report>(), Follow::of::<Inquiry>(places::SECOND_KEY, key)],
            vec![
                Follow::all::<Audit>(),
                Follow::of::<AuditEntry>(places::SECOND_KEY, key),
            ],
        ]
    }

    /// Works until told to stop. No endpoint that dawdles keeps it from making its moves, nor from looking at other reports. The bells are those of
    /// [`follows`](Self::follows).
    pub async fn run(self, [disputes, reports, audits]: [Wake; 3], stop: CancellationToken) {
        let pause = Duration::from_millis(self.policy.round_ms);
        let disputes = disputes.or(self.prepared.clone());
        tokio::join!(
            repeat("disputes", pause, &self.metrics, &stop, disputes, || self.pursue_all()),
            repeat("reports", pause, &self.metrics, &stop, reports, || self.check_all()),
            repeat("audits", pause, &self.metrics, &stop, audits, || self.audit_all()),
        );
    }

    /// Makes every move that is due.
    async fn pursue_all(&self) -> anyhow::Result<()> {
        let now = self.rpc.now().await?;
        let failures = Failures::default();
        let (disputes, inquiries, equivocations) = tokio::join!(
            self.pursue_disputes(&now, &failures),
            self.pursue_inquiries(&now, &failures),
            self.pursue_equivocations(&now),
        );
        disputes.and(inquiries).and(equivocations)?;
        failures.none()
    }

    async fn pursue_disputes(&self, now: &Now, failures: &Failures) -> anyhow::Result<()> {
        stream::iter(self.store.disputes(false).await?)
            .for_each_concurrent(AT_ONCE, async |dispute| {
                if let Err(error) = self.pursue(&dispute, now).await {
                    failures.note("a dispute", &dispute.dispute, &error);
                }
            })
            .await;
        Ok(())
    }

    /// Those of one report after the other, because they end by the same calls.
    async fn pursue_inquiries(&self, now: &Now, failures: &Failures) -> anyhow::Result<()> {
        let me = self.key.pubkey();
        let mut by_report: HashMap<Pubkey, Vec<Pubkey>> = HashMap::new();
        for (address, inquiry) in self.rpc.having::<Inquiry>(places::SECOND_KEY, &me).await? {
            by_report.entry(inquiry.report).or_default().push(address);
        }
        stream::iter(by_report.into_values())
            .for_each_concurrent(AT_ONCE, async |inquiries| {
                for address in inquiries {
                    if let Err(error) = self.pursue_inquiry(&address, now).await {
                        failures.note("an inquiry", &address, &error);
                    }
                }
            })
            .await;
        Ok(())
    }

    /// Looks at reports that nobody here has looked at.
    async fn check_all(&self) -> anyhow::Result<()> {
        let now = self.rpc.now().await?;
        let mut open = Vec::new();
        for (address, report) in self.rpc.all::<Report>().await? {
            if report.require_disputable(&now).is_ok()
                && let Some(model) = self.model(&report.model_root)
                && !self.store.is_watched(&address).await?
            {
                open.push((address, report, model));
            }
        }
        self.forget_closed(&open, &now);
        // Those that close first come first.
        open.sort_by_key(|(_, report, _)| report.window.due_slot);
        let time = Duration::from_secs(self.policy.report_seconds);
        let failed = AtomicU64::new(0);
        stream::iter(open)
            .for_each_concurrent(AT_ONCE, async |(address, report, model)| {
                let checked = tokio::time::timeout(time, self.check(&address, &report, &model, &now)).await;
                let error = match checked {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => format!("{error:#}"),
                    Err(_) => "its endpoint takes too long".into(),
                };
                failed.fetch_add(1, Ordering::Relaxed);
                Metrics::count(&self.metrics.watcher, "report_unchecked");
                tracing::warn!(report = %address, error, "a report was not checked; it is tried again");
            })
            .await;
        anyhow::ensure!(failed.into_inner() == 0, "not every report was checked");
        Ok(())
    }

    fn model(&self, model_root: &Hash) -> Option<Arc<WatchedModel>> {
        let found = self.models.iter().find(|model| model.root() == *model_root);
        found.cloned()
    }

    /// Sends one transaction, says so and counts it.
    async fn send(
        &self,
        action: &'static str,
        instructions: &[Instruction],
        compute_units: u32,
        others: &[&Keypair],
    ) -> Result<(), SendError> {
        let signers = self.signers(others);
        let sent = self
            .rpc
            .send(instructions, compute_units, &self.policy.fees, &signers)
            .await;
        self.told(action, instructions, sent)
    }

    /// The same for what anybody may send, and operators and other watchers do, too: when they were first, all is well.
    async fn send_for_all(&self, action: &'static str, instruction: Instruction) -> anyhow::Result<()> {
        match self.send(action, &[instruction], COMPUTE_UNITS, &[]).await {
            Err(error) if error.refusal().is_some() => Ok(()),
            sent => Ok(sent?),
        }
    }

    /// The same for instructions that fill their transaction.
    async fn send_bare(
        &self,
        action: &'static str,
        instructions: &[Instruction],
        others: &[&Keypair],
    ) -> Result<(), SendError> {
        let sent = self.rpc.send_bare(instructions, &self.signers(others)).await;
        self.told(action, instructions, sent)
    }

    fn signers<'a>(&'a self, others: &[&'a Keypair]) -> Vec<&'a Keypair> {
        std::iter::once(&self.key).chain(others.iter().copied()).collect()
    }

    fn told(
        &self,
        action: &'static str,
        instructions: &[Instruction],
        sent: Result<Signature, SendError>,
    ) -> Result<(), SendError> {
        match &sent {
            Ok(signature) => {
                let bytes = transaction_bytes(instructions, &self.key.pubkey());
                self.metrics.watcher_bytes.inc_by(bytes as u64);
                Metrics::count(&self.metrics.watcher, action);
                tracing::info!(%signature, action, "the watcher's transaction is confirmed");
            }
            Err(error) => {
                Metrics::count(&self.metrics.watcher, "transaction_refused");
                tracing::info!(%error, action, "the watcher's transaction did not land");
            }
        }
        sent.map(|_| ())
    }
}
