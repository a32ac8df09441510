//! Recomputing a report.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use imo_client::{
    addresses,
    answer::SignedAnswer,
    challenge::{
        audit::{self, Finding},
        evidence,
    },
    instructions::opml_oracle::Place,
};
use imo_protocol::{Collection, Now, Receipt, answer_key_hash, question_hash};
use opml::{Claim, Hash};
use opml_oracle::state::{Audit, Operator, Report};
use opml_runtime::Execution;
use rand::seq::SliceRandom;
use solana_signer::Signer;

use super::{
    WatchedModel, WatcherLoop,
    demand::Missing,
    look::{Look, place_of},
    progress::Progress,
};
use crate::{
    metrics::Metrics,
    store::{Fraud, StoredDispute},
};

/// Answers of a Collection that are fetched and recomputed at the same time.
const ANSWERS_AT_ONCE: usize = 16;

/// Inputs that an endpoint may fail to give before the rest of a Collection is left to the next round.
const FAILURES_A_ROUND: usize = 32;

/// What a round finds.
#[derive(Default)]
struct Found {
    wrong: Option<Wrong>,
    /// What could not be had.
    missing: Vec<Missing>,
    /// Answers that are left to the next round.
    untried: u64,
    why: Option<anyhow::Error>,
}

impl Found {
    /// Whether all was seen.
    fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.untried == 0
    }

    /// Adds what is not seen of another Collection.
    fn add(&mut self, other: Self) {
        self.missing.extend(other.missing);
        self.untried += other.untried;
        self.why = other.why.or(self.why.take());
    }
}

/// An answer that does not hold.
struct Wrong {
    place: Place,
    fraud: Fraud,
    /// What the model gives, where that is what shows it.
    truth: Option<Box<Execution>>,
}

impl WatcherLoop {
    /// Recomputes what the sample picks of a report, and prepares a dispute about the first wrong answer.
    pub(super) async fn check(
        &self,
        address: &Pubkey,
        report: &Report,
        model: &Arc<WatchedModel>,
        now: &Now,
    ) -> anyhow::Result<()> {
        // The rest of a round's time is for what is demanded on chain.
        let until = Instant::now() + Duration::from_secs(self.policy.report_seconds) / 2;
        self.progress(address, |progress| progress.window = report.window);
        if model.malformed().is_some() {
            let nothing = Claim {
                model_root: model.root(),
                input_root: [0; 32],
                output_root: [0; 32],
            };
            let place = Place {
                collection: Pubkey::default(),
                receipt_index: 0,
                salt: rand::random(),
                claim: nothing,
                receipt_salt: [0; 32],
                path: Vec::new(),
            };
            tracing::warn!(report = %address, "a report is on a malformed model");
            let wrong = Wrong {
                place,
                fraud: Fraud::Malformed,
                truth: None,
            };
            return self.conclude(address, Some(wrong)).await;
        }
        let operator: Operator = self.rpc.get(&report.operator).await?;
        let mut collections: Vec<(Pubkey, Collection)> = self.rpc.of_report(address).await?;
        let drawn = self.drawn(address, report).await?;
        let mut signed: HashMap<Hash, Vec<SignedAnswer>> = HashMap::new();
        for answer in self.store.answers_of(&report.operator).await? {
            if operator.answers_with(&answer_key_hash(&answer.key), now) {
                signed
                    .entry(question_hash(&answer.answer.claim))
                    .or_default()
                    .push(answer);
            }
        }
        // So that no Collection is always behind one that takes long.
        collections.shuffle(&mut rand::rng());
        let mut found = Found::default();
        let mut private = 0u64;
        for (collection_address, collection) in &collections {
            let mut look = self.look(*address, report, collection, &operator.endpoint)?;
            if !look.is_permitted() {
                private += u64::from(collection.count);
                let new = self.progress(address, |progress| progress.private.insert(*collection_address));
                if new == Some(true) {
                    Metrics::count_by(&self.metrics.watcher, "answer_private", collection.count.into());
                    tracing::info!(report = %address, lane = %collection.lane, answers = collection.count, "a private lane is not looked into");
                }
                continue;
            }
            let is_drawn = drawn.iter().any(|(collection, _)| collection == collection_address);
            let is_done = self.progress(address, |progress| progress.is_done(&collection.lane));
            if is_done == Some(true) && !is_drawn {
                continue;
            }
            let picked: Vec<u32> = (0..collection.count)
                .filter(|index| {
                    self.sample.picks(address, &collection.lane, *index)
                        || drawn.contains(&(*collection_address, *index))
                })
                .collect();
            if Instant::now() >= until {
                found.untried += picked.len() as u64;
                continue;
            }
            if let Err(error) = self.find_receipts(&mut look).await {
                found.why = Some(error);
            }
            let mut here = self.look_into(&look, model, &signed, picked, until).await?;
            if here.wrong.is_some() {
                return self.conclude(address, here.wrong).await;
            }
            if here.is_complete() {
                self.progress(address, |progress| progress.finish(&collection.lane));
            } else if let Err(error) = self.demand(&look, &here.missing, now).await {
                here.why = Some(error);
            }
            found.add(here);
        }
        let unseen = found.missing.len() as u64 + found.untried;
        self.progress(address, |progress| progress.missing = unseen);
        if !found.is_complete() {
            let why = found
                .why
                .unwrap_or_else(|| anyhow::anyhow!("this round's time is over"));
            let such = found.missing.first().map(|first| format!(", such as {first}"));
            return Err(why.context(format!(
                "{unseen} answers cannot be looked at yet{}",
                such.unwrap_or_default()
            )));
        }
        if private > 0 {
            tracing::info!(report = %address, private, "answers of private lanes were not looked at");
        }
        self.conclude(address, None).await
    }

    /// Notes that no more is to be found about a report; stores what a dispute needs before anybody hears of it.
    async fn conclude(&self, address: &Pubkey, wrong: Option<Wrong>) -> anyhow::Result<()> {
        let count = u64::from(wrong.is_some());
        let checked = self.progress(address, |progress| progress.checked());
        let checked = checked.unwrap_or_default() + count;
        tracing::info!(report = %address, checked, wrong = count, "a report was checked");
        if let Some(Wrong { place, fraud, truth }) = wrong {
            self.prepare(address, place, fraud, truth).await?;
        }
        self.store.add_watched(address, checked, count).await?;
        self.forget_progress(address);
        Ok(())
    }

    /// Receipts of a report that audits are about: they are recomputed, whatever the sample says.
    async fn drawn(&self, address: &Pubkey, report: &Report) -> anyhow::Result<HashSet<(Pubkey, u32)>> {
        if report.open_audits == 0 {
            return Ok(HashSet::new());
        }
        let audits = self.rpc.of_report::<Audit>(address).await?;
        Ok(audits
            .into_iter()
            .map(|(_, audit)| (audit.collection, audit.receipt_index))
            .collect())
    }

    /// Looks for a wrong answer in a Collection: one proof rejects the whole report. What is withheld does not keep the rest from being looked at.
    async fn look_into(
        &self,
        look: &Look<'_>,
        model: &Arc<WatchedModel>,
        signed: &HashMap<Hash, Vec<SignedAnswer>>,
        picked: Vec<u32>,
        until: Instant,
    ) -> anyhow::Result<Found> {
        let mut found = Found::default();
        // What two records show by themselves costs nothing to look at, so that no sample is needed.
        for index in 0..look.collection.count {
            if let Some(receipt) = look.receipts.get(index) {
                found.wrong = self.contradiction(look, index, &receipt, signed);
                if found.wrong.is_some() {
                    return Ok(found);
                }
            }
        }
        let (report, lane) = (&look.report_address, look.collection.lane);
        let mut waiting = Vec::new();
        for index in picked {
            match look.receipts.get(index) {
                None => found.missing.push(Missing::Receipt { lane, index }),
                Some(receipt) => {
                    let turn = |progress: &mut Progress| {
                        let at = (lane, index);
                        (!progress.is_right(at)).then(|| progress.turn(at))
                    };
                    waiting.extend(self.progress(report, turn).flatten().map(|turn| (turn, index, receipt)));
                }
            }
        }
        waiting.sort_by_key(|(turn, ..)| *turn);
        let failures = AtomicUsize::new(0);
        let mut findings = stream::iter(waiting)
            .map(async |(turn, index, receipt)| {
                // An endpoint that keeps failing is left alone until the next round: others wait, and demands are made in between.
                if Instant::now() >= until || failures.load(Ordering::Relaxed) >= FAILURES_A_ROUND {
                    return (index, receipt, None);
                }
                let finding = self.recompute(look, model, index, &receipt).await;
                // What is demanded is not asked of the endpoint.
                if finding.is_err() && turn > 0 {
                    failures.fetch_add(1, Ordering::Relaxed);
                }
                (index, receipt, Some(finding))
            })
            .buffer_unordered(ANSWERS_AT_ONCE);
        while let Some((index, receipt, finding)) = findings.next().await {
            let at = (lane, index);
            match finding {
                None => found.untried += 1,
                Some(Ok(Finding::WrongOutput(truth))) => {
                    Metrics::count(&self.metrics.watcher, "answer_wrong");
                    tracing::warn!(%report, %lane, index, "an answer is wrong");
                    found.wrong = Some(Wrong {
                        place: place_of(look, index, &receipt)?,
                        fraud: Fraud::WrongOutput,
                        truth: Some(truth),
                    });
                    break;
                }
                Some(Ok(_)) => {
                    Metrics::count(&self.metrics.watcher, "answer_right");
                    self.progress(report, |progress| progress.found_right(at));
                }
                Some(Err(error)) => {
                    self.progress(report, |progress| progress.failed(at));
                    found.missing.push(Missing::Input { lane, index });
                    found.why = Some(error);
                }
            }
        }
        Ok(found)
    }

    /// Whether a receipt answers what its payer asked, and as the operator answered elsewhere.
    fn contradiction(
        &self,
        look: &Look<'_>,
        index: u32,
        receipt: &Receipt,
        signed: &HashMap<Hash, Vec<SignedAnswer>>,
    ) -> Option<Wrong> {
        if let Some(asked) = &look.asked
            && let Some((request, path)) = asked.request(receipt.sequence)
            && !audit::answers(request, receipt)
        {
            Metrics::count(&self.metrics.watcher, "question_wrong");
            tracing::warn!(report = %look.report_address, lane = %look.collection.lane, index, "a receipt answers another question than the payer's");
            let place = place_of(look, index, receipt).ok()?;
            let witness = evidence::wrong_question(&place, request, &path);
            return Some(Wrong {
                place,
                fraud: Fraud::WrongQuestion { witness },
                truth: None,
            });
        }
        let mut answers = signed.get(&question_hash(&receipt.claim))?.iter();
        let answer = answers.find(|signed| signed.answer.claim.output_root != receipt.claim.output_root)?;
        Metrics::count(&self.metrics.watcher, "answer_contradicted");
        tracing::warn!(report = %look.report_address, lane = %look.collection.lane, index, "the operator signed another answer to a reported question");
        Some(Wrong {
            place: place_of(look, index, receipt).ok()?,
            fraud: Fraud::Equivocation {
                answer: Box::new(*answer),
            },
            truth: None,
        })
    }

    async fn recompute(
        &self,
        look: &Look<'_>,
        model: &Arc<WatchedModel>,
        index: u32,
        receipt: &Receipt,
    ) -> anyhow::Result<Finding> {
        let input = self.find_input(look, model, index, receipt).await?;
        let _computing = self.computing.acquire().await?;
        model.judge(input, receipt).await
    }

    async fn prepare(
        &self,
        report: &Pubkey,
        place: Place,
        fraud: Fraud,
        truth: Option<Box<Execution>>,
    ) -> anyhow::Result<()> {
        let known = self.store.disputes(true).await?;
        let mine = known.iter().filter(|known| known.report == *report);
        if mine.clone().any(|known| !known.over) {
            return Ok(());
        }
        let nonce = mine.count() as u64;
        let dispute = addresses::opml_oracle::dispute(report, &self.key.pubkey(), nonce);
        if let Some(truth) = &truth {
            let bytes = Bytes::copy_from_slice(truth.input().bytes());
            self.blobs.put_input(&place.claim.input_root, bytes).await?;
        }
        let stored = StoredDispute {
            dispute,
            report: *report,
            nonce,
            place,
            fraud,
            witness_key: rand::random(),
            over: false,
        };
        self.store.add_dispute(&stored).await?;
        if let (Ok(mut truths), Some(truth)) = (self.truths.lock(), truth) {
            truths.insert(dispute, Arc::new(*truth));
        }
        self.prepared.notify_one();
        Ok(())
    }

    /// Prepares a dispute about an answer whose output or trace is not what the own copy gives.
    pub(super) async fn dispute_trace(
        &self,
        look: &Look<'_>,
        index: u32,
        receipt: &Receipt,
        truth: Execution,
    ) -> anyhow::Result<()> {
        let place = place_of(look, index, receipt)?;
        self.prepare(&look.report_address, place, Fraud::WrongOutput, Some(Box::new(truth)))
            .await
    }
}
