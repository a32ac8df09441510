//! The operator's loop: reports what was served, collects, defends, is paid.
//!
//! Every round looks at the chain and the store and does what is due, as if it were the first. So it does not matter when the node was killed, or whether a transaction
//! landed that nobody heard of: what has happened is not done again, for the chain shows it.

mod collect;
mod defend;
mod finish;
mod post;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use futures_util::{StreamExt, stream};
use imo_client::addresses;
use imo_protocol::Now;
use opml_oracle::state::{Audit, Dispute, Inquiry, Operator, Report, ReportStatus};
use serde::{Deserialize, Serialize};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio_util::sync::CancellationToken;

pub use collect::{ROOTS_AT_ONCE, receipts_root};

use crate::{
    chain::{Accounts, FeePolicy, Follow, RawAccount, Rpc, SendError, Wake, places},
    metrics::Metrics,
    model::ServedModel,
    rounds::repeat,
    store::{Blobs, Store},
};

/// Reports that are defended at the same time.
const DEFENDED_AT_ONCE: usize = 8;

/// Enough for every instruction that the operator sends.
const COMPUTE_UNITS: u32 = 400_000;

/// When to report, and what to pay for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// An answer is reported at the latest so many seconds after it was given.
    pub report_seconds: i64,
    /// Reports at once when so much is owed, in units.
    pub exposure_units: u64,
    /// What is bonded beyond what is owed when a report is posted, for answers that are given until it is collected, in basis points.
    pub bond_margin_bps: u16,
    /// Milliseconds between two rounds.
    pub round_ms: u64,
    /// Whether earnings are withdrawn to the authority's associated account after each split.
    pub withdraw: bool,
    pub fees: FeePolicy,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            report_seconds: 60 * 60,
            exposure_units: u64::MAX,
            bond_margin_bps: 2_500,
            round_ms: 5_000,
            withdraw: true,
            fees: FeePolicy::default(),
        }
    }
}

/// An operator that works by itself.
pub struct OperatorLoop {
    rpc: Arc<Rpc>,
    store: Store,
    blobs: Blobs,
    models: Vec<Arc<ServedModel>>,
    authority: Keypair,
    /// The mint of stake and revenue.
    mint: Pubkey,
    policy: Policy,
    metrics: Arc<Metrics>,
    /// Reports before this one are closed.
    first_open: AtomicU64,
    /// Lanes that a program refused to collect for a report: they wait for the next one.
    refused: Mutex<HashSet<(Pubkey, Pubkey)>>,
}

impl OperatorLoop {
    #[allow(clippy::too_many_arguments, reason = "each is a part of the node, made once")]
    pub fn new(
        rpc: Arc<Rpc>,
        store: Store,
        blobs: Blobs,
        models: Vec<Arc<ServedModel>>,
        authority: Keypair,
        mint: Pubkey,
        policy: Policy,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            rpc,
            store,
            blobs,
            models,
            authority,
            mint,
            policy,
            metrics,
            first_open: AtomicU64::new(0),
            refused: Mutex::default(),
        }
    }

    /// What has to be answered, to be heard of at once.
    pub fn follows(&self) -> Vec<Follow> {
        let operator = self.operator();
        vec![
            Follow::of::<Dispute>(places::DISPUTE_OPERATOR, operator),
            Follow::of::<Inquiry>(places::INQUIRY_OPERATOR, operator),
            Follow::of::<Audit>(places::AUDIT_OPERATOR, operator),
        ]
    }

    /// Works until told to stop. Nothing that takes long keeps it from defending. The bell is that of [`follows`](Self::follows).
    pub async fn run(self, wake: Wake, stop: CancellationToken) {
        let pause = Duration::from_millis(self.policy.round_ms);
        tokio::join!(
            repeat("defend", pause, &self.metrics, &stop, wake, || self.defend_all()),
            repeat("report", pause, &self.metrics, &stop, Wake::never(), || self
                .advance_all()),
        );
    }

    /// Answers everything that has a deadline.
    async fn defend_all(&self) -> anyhow::Result<()> {
        let operator: Operator = self.rpc.get(&self.operator()).await?;
        let now = self.rpc.now().await?;
        let mut reports = self.open_reports(&operator).await?;
        reports.retain(|(_, report)| report.status == ReportStatus::Sealed);
        let failed = AtomicU64::new(0);
        stream::iter(&reports)
            .for_each_concurrent(DEFENDED_AT_ONCE, async |(address, report)| {
                if let Err(error) = self.defend(address, report, &now).await {
                    failed.fetch_add(1, Ordering::Relaxed);
                    tracing::error!(report = %address, error = format!("{error:#}"), "a report was not defended");
                }
            })
            .await;
        anyhow::ensure!(failed.into_inner() == 0, "not every report was defended");
        Ok(())
    }

    /// Brings every report on by what is due, and posts the next one.
    async fn advance_all(&self) -> anyhow::Result<()> {
        let operator: Operator = self.rpc.get(&self.operator()).await?;
        let now = self.rpc.now().await?;
        let reports = self.open_reports(&operator).await?;
        self.sync_lanes().await?;
        let mut failed = None;
        for (address, report) in &reports {
            let advanced = match report.status {
                ReportStatus::Open => self.collect_and_seal(address, report, &now).await,
                ReportStatus::Sealed => self.finalise(address, report, &now).await,
                ReportStatus::Final | ReportStatus::Rejected => self.wind_up(address, report, &now).await,
            };
            if let Err(error) = advanced {
                tracing::warn!(report = %address, error = format!("{error:#}"), "a report did not get on");
                failed = Some(error);
            }
        }
        // One at a time, so that nobody has to guess which report a lane is collected for.
        if !reports.iter().any(|(_, report)| report.status == ReportStatus::Open) {
            if let Ok(mut refused) = self.refused.lock() {
                refused.clear();
            }
            self.post_if_due(&operator, &now).await?;
        }
        failed.map_or(Ok(()), Err)
    }

    fn operator(&self) -> Pubkey {
        addresses::opml_oracle::operator(&self.authority.pubkey(), &self.mint)
    }

    /// Reports that are not closed, in order.
    async fn open_reports(&self, operator: &Operator) -> anyhow::Result<Vec<(Pubkey, Report)>> {
        let account = self.operator();
        let first = self.first_open.load(Ordering::Relaxed);
        let sequences: Vec<u64> = (first..operator.next_sequence).collect();
        let addresses: Vec<Pubkey> = sequences
            .iter()
            .map(|sequence| addresses::opml_oracle::report(&account, *sequence))
            .collect();
        let found = self.rpc.accounts(&addresses).await?;
        let decoded: Vec<Option<Report>> = found
            .iter()
            .map(|account| account.as_ref().and_then(RawAccount::decode))
            .collect();
        // A report that was posted is there until it is closed, and never comes back.
        let closed = decoded.iter().take_while(|report| report.is_none()).count();
        self.first_open.fetch_max(first + closed as u64, Ordering::Relaxed);
        let reports = addresses.into_iter().zip(decoded);
        Ok(reports
            .filter_map(|(address, report)| Some((address, report?)))
            .collect())
    }

    /// Sends one transaction, says so and counts it.
    async fn send(&self, action: &'static str, instructions: &[Instruction]) -> Result<(), SendError> {
        let sent = self
            .rpc
            .send(instructions, COMPUTE_UNITS, &self.policy.fees, &[&self.authority])
            .await;
        match &sent {
            Ok(signature) => {
                Metrics::count(&self.metrics.operator, action);
                tracing::info!(%signature, action, "the operator's transaction is confirmed");
            }
            Err(error) => tracing::warn!(%error, action, "the operator's transaction did not land"),
        }
        sent.map(|_| ())
    }

    fn served(&self, model_root: &opml::Hash) -> Option<&Arc<ServedModel>> {
        self.models.iter().find(|model| model.model.model_root() == *model_root)
    }
}

/// The staking epoch of a pool.
fn epoch(now: &Now, epoch_slots: u64) -> u64 {
    now.slot.checked_div(epoch_slots).unwrap_or(0)
}
