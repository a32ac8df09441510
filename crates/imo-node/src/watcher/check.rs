//! Recomputing a report.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use bytes::Bytes;
use imo_client::{
    addresses,
    answer::SignedAnswer,
    challenge::{
        audit::{self, Finding},
        evidence,
    },
    instructions::opml_oracle::Place,
    trees::ReceiptTree,
};
use imo_protocol::{Collection, Deadline, Now, Receipt, answer_key_hash, question_hash};
use opml::{Claim, Hash};
use opml_oracle::{
    instructions::ShownReceipt,
    state::{Audit, Operator, Report},
};
use opml_runtime::{Execution, Tensor};
use solana_signer::Signer;

use super::{
    WatchedModel, WatcherLoop,
    demand::{Missing, Subject},
    own_lanes::Asked,
    shown::Shown,
};
use crate::{
    metrics::Metrics,
    receipts,
    store::{Fraud, StoredDispute},
};

/// How far the look at a report has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Until when it can be disputed, as it was when last looked at.
    window: Deadline,
    /// Indices of receipts whose answers were found right, by lane.
    right: HashMap<Pubkey, HashSet<u32>>,
    /// Receipts that an endpoint gave and that are those that were collected, by lane.
    published: HashMap<Pubkey, Arc<(ReceiptTree, Vec<Receipt>)>>,
    /// How many answers were found right of lanes that nothing is left to look at.
    done: HashMap<Pubkey, u64>,
    /// Collections that this watcher may not look into.
    private: HashSet<Pubkey>,
    /// What could not be looked at in the last round.
    missing: u64,
}

impl Progress {
    fn is_right(&self, lane: &Pubkey, index: u32) -> bool {
        self.right.get(lane).is_some_and(|right| right.contains(&index))
    }

    /// Nothing is left to look at in a lane: only how many answers were right is kept, for reports can be large.
    fn finish(&mut self, lane: &Pubkey) {
        let right = self.right.remove(lane).map_or(0, |right| right.len() as u64);
        self.published.remove(lane);
        self.done.insert(*lane, right);
    }

    /// How many answers were found right.
    fn checked(&self) -> u64 {
        let going_on: u64 = self.right.values().map(|right| right.len() as u64).sum();
        going_on + self.done.values().sum::<u64>()
    }
}

/// The receipts of a Collection, as far as they are known.
#[derive(Debug)]
pub(super) enum Receipts {
    /// From an endpoint.
    All(Arc<(ReceiptTree, Vec<Receipt>)>),
    /// From the chain.
    Shown(Shown),
    None,
}

impl Receipts {
    pub(super) fn get(&self, index: u32) -> Option<Receipt> {
        match self {
            Self::All(all) => all.1.get(index as usize).copied(),
            Self::Shown(shown) => shown.receipt_at(index).copied(),
            Self::None => None,
        }
    }

    fn path(&self, index: u32) -> Option<Vec<Hash>> {
        match self {
            Self::All(all) => all.0.path(index),
            Self::Shown(shown) => shown.path(index),
            Self::None => None,
        }
    }

    /// What shows a receipt to the chain.
    pub(super) fn shown(&self, index: u32) -> Option<ShownReceipt> {
        let receipt = self.get(index)?;
        Some(ShownReceipt {
            index,
            input_root: receipt.claim.input_root,
            output_root: receipt.claim.output_root,
            salt: receipt.salt,
            path: self.path(index)?,
        })
    }
}

/// A Collection with all that helps to look into it.
pub(super) struct Look<'a> {
    pub report_address: Pubkey,
    pub report: &'a Report,
    pub collection: &'a Collection,
    pub endpoint: &'a str,
    /// What its payer asked, where the payer says so.
    pub asked: Option<Asked>,
    pub receipts: Receipts,
}

impl Look<'_> {
    /// Whether its receipts and inputs may be had.
    pub(super) fn is_permitted(&self) -> bool {
        !self.collection.private || self.asked.as_ref().is_some_and(|asked| asked.session().is_some())
    }
}

/// The first answer that does not hold.
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
        let collections: Vec<(Pubkey, Collection)> = self.rpc.of_report(address).await?;
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
        let mut missing = Vec::new();
        let mut why = None;
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
            let is_done = self.progress(address, |progress| progress.done.contains_key(&collection.lane));
            if is_done == Some(true) && !is_drawn {
                continue;
            }
            if let Err(error) = self.find_receipts(&mut look).await {
                why = Some(error);
            }
            let missing_before = missing.len();
            let picked: BTreeSet<u32> = (0..collection.count)
                .filter(|index| {
                    self.sample.picks(address, &collection.lane, *index)
                        || drawn.contains(&(*collection_address, *index))
                })
                .collect();
            match self
                .first_wrong(&look, model, &signed, &picked, &mut missing, &mut why)
                .await?
            {
                Some(wrong) => return self.conclude(address, Some(wrong)).await,
                None if missing.len() == missing_before => {
                    self.progress(address, |progress| progress.finish(&collection.lane));
                }
                None => {
                    if let Err(error) = self.demand(&look, &missing, now).await {
                        why = Some(error);
                    }
                }
            }
        }
        self.progress(address, |progress| progress.missing = missing.len() as u64);
        if let Some(first) = missing.first() {
            let why = why.unwrap_or_else(|| anyhow::anyhow!("it is not shown"));
            return Err(why.context(format!(
                "{} answers cannot be looked at yet, such as {first}",
                missing.len()
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

    /// A Collection, with the purse of its payer if that is at hand. Receipts come later.
    pub(super) fn look<'a>(
        &self,
        report_address: Pubkey,
        report: &'a Report,
        collection: &'a Collection,
        endpoint: &'a str,
    ) -> anyhow::Result<Look<'a>> {
        let mut asked = None;
        for own in &self.lanes {
            match Asked::open(own, collection) {
                Ok(found) => asked = asked.or(found),
                // A purse that is being written, or of fewer questions: the operator's receipts are looked at all the same.
                Err(error) => {
                    Metrics::count(&self.metrics.watcher, "purse_unusable");
                    tracing::warn!(lane = %collection.lane, error = format!("{error:#}"), "a purse is of no use");
                }
            }
        }
        Ok(Look {
            report_address,
            report,
            collection,
            endpoint,
            asked,
            receipts: Receipts::None,
        })
    }

    /// Has the receipts of a Collection from memory, from the endpoint, or from the chain, and says why when not all of them are known.
    pub(super) async fn find_receipts(&self, look: &mut Look<'_>) -> anyhow::Result<()> {
        let lane = look.collection.lane;
        let known = self
            .progress(&look.report_address, |progress| progress.published.get(&lane).cloned())
            .flatten();
        if let Some(known) = known {
            look.receipts = Receipts::All(known);
            return Ok(());
        }
        let shown = self.shown(look, Subject::Receipts).await?;
        let withheld = match look.collection.private {
            true => anyhow::anyhow!("private receipts are shown on chain only"),
            false => match self.fetch_receipts(look).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
        };
        look.receipts = shown.map_or(Receipts::None, Receipts::Shown);
        Err(withheld)
    }

    /// Fetches the receipts of a Collection, and keeps them if they are the collected ones.
    async fn fetch_receipts(&self, look: &mut Look<'_>) -> anyhow::Result<()> {
        let collection = look.collection;
        let path = format!("/v1/receipts/{}/{}", look.report_address, collection.lane);
        let bytes = self.fetch(look.endpoint, &path, receipts::byte_len(collection)).await?;
        let all = Arc::new(collected(collection, look.report.model_root, &bytes)?);
        self.progress(&look.report_address, |progress| {
            progress.published.insert(look.collection.lane, all.clone())
        });
        look.receipts = Receipts::All(all);
        Ok(())
    }

    /// The first answer of a Collection that is found wrong: one proof rejects the whole report. What is withheld does not keep the rest from being looked at.
    async fn first_wrong(
        &self,
        look: &Look<'_>,
        model: &Arc<WatchedModel>,
        signed: &HashMap<Hash, Vec<SignedAnswer>>,
        picked: &BTreeSet<u32>,
        missing: &mut Vec<Missing>,
        why: &mut Option<anyhow::Error>,
    ) -> anyhow::Result<Option<Wrong>> {
        // What two records show by themselves costs nothing to look at, so that no sample is needed.
        for index in 0..look.collection.count {
            if let Some(receipt) = look.receipts.get(index)
                && let Some(wrong) = self.contradiction(look, index, &receipt, signed)
            {
                return Ok(Some(wrong));
            }
        }
        for index in picked.iter().copied() {
            let Some(receipt) = look.receipts.get(index) else {
                missing.push(Missing::Receipt {
                    lane: look.collection.lane,
                    index,
                });
                continue;
            };
            let lane = look.collection.lane;
            let is_right = self.progress(&look.report_address, |progress| progress.is_right(&lane, index));
            if is_right == Some(true) {
                continue;
            }
            match self.recompute(look, model, index, &receipt).await {
                Ok(Finding::WrongOutput(truth)) => {
                    Metrics::count(&self.metrics.watcher, "answer_wrong");
                    tracing::warn!(report = %look.report_address, lane = %look.collection.lane, index, "an answer is wrong");
                    return Ok(Some(Wrong {
                        place: place_of(look, index, &receipt)?,
                        fraud: Fraud::WrongOutput,
                        truth: Some(truth),
                    }));
                }
                Ok(_) => {
                    Metrics::count(&self.metrics.watcher, "answer_right");
                    self.progress(&look.report_address, |progress| {
                        progress.right.entry(lane).or_default().insert(index)
                    });
                }
                Err(error) => {
                    *why = Some(error);
                    missing.push(Missing::Input {
                        lane: look.collection.lane,
                        index,
                    });
                }
            }
        }
        Ok(None)
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
        Ok(audit::judge(model.execute(input).await?, receipt))
    }

    /// The input of a receipt: from the own folder, from the endpoint, or from the chain.
    pub(super) async fn find_input(
        &self,
        look: &Look<'_>,
        model: &Arc<WatchedModel>,
        index: u32,
        receipt: &Receipt,
    ) -> anyhow::Result<Tensor> {
        let root = &receipt.claim.input_root;
        let spec = *model.sound()?.input_spec();
        let length = usize::try_from(spec.byte_len())?;
        if let Some(bytes) = self.blobs.input(root).await? {
            let own = Tensor::new(spec, bytes)?;
            if own.root() == *root {
                return Ok(own);
            }
        }
        let withheld = match look.collection.private {
            true => anyhow::anyhow!("private inputs are shown on chain only"),
            false => match self.fetch_input(look.endpoint, root, length).await {
                Ok(bytes) => match Tensor::new(spec, bytes) {
                    Ok(input) if input.root() == *root => return Ok(input),
                    _ => anyhow::anyhow!("the endpoint shows another input than the receipt's"),
                },
                Err(error) => error,
            },
        };
        let shown = self.shown(look, Subject::Input(index)).await?;
        let Some(bytes) = shown.and_then(|shown| shown.tensor_bytes()) else {
            return Err(withheld);
        };
        // The chain's history is not asked twice.
        self.blobs.put_input(root, Bytes::from(bytes.clone())).await?;
        Ok(Tensor::new(spec, bytes)?)
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

    /// Changes the progress of a report. `None` when another thread has died with it.
    fn progress<T>(&self, report: &Pubkey, change: impl FnOnce(&mut Progress) -> T) -> Option<T> {
        let mut progress = self.progress.lock().ok()?;
        Some(change(progress.entry(*report).or_default()))
    }

    fn forget_progress(&self, report: &Pubkey) {
        if let Ok(mut progress) = self.progress.lock() {
            progress.remove(report);
        }
    }

    /// Forgets reports that nobody may dispute any more, and says what of them nobody here could look at.
    pub(super) fn forget_closed(&self, open: &[(Pubkey, Report, Arc<WatchedModel>)], now: &Now) {
        let Ok(mut progress) = self.progress.lock() else {
            return;
        };
        progress.retain(|report, progress| {
            let is_open = open.iter().any(|(address, ..)| address == report);
            if !is_open && progress.missing > 0 && progress.window.is_past(now) {
                Metrics::count_by(&self.metrics.watcher, "answer_unseen", progress.missing);
                tracing::error!(%report, answers = progress.missing, "a report became final with answers that could not be looked at");
            }
            is_open
        });
    }
}

fn place_of(look: &Look<'_>, index: u32, receipt: &Receipt) -> anyhow::Result<Place> {
    let path = look.receipts.path(index).context("a receipt is in its tree")?;
    let salt = rand::random();
    Ok(Place::in_collection(
        look.collection,
        index,
        salt,
        receipt.claim,
        receipt.salt,
        path,
    ))
}

/// The published receipts of a Collection with their tree, if they are the ones that were collected.
fn collected(
    collection: &Collection,
    model_root: Hash,
    published: &[u8],
) -> anyhow::Result<(ReceiptTree, Vec<Receipt>)> {
    let receipts = receipts::decode(published, collection, model_root).context("these are not as many receipts")?;
    let tree = ReceiptTree::over(collection.first_sequence, &receipts)?;
    anyhow::ensure!(
        (tree.count(), tree.root()) == (collection.count.into(), collection.receipts_root),
        "the receipts of the lane {} are not those that were collected",
        collection.lane
    );
    Ok((tree, receipts))
}
