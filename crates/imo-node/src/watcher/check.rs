//! Recomputing a report.

use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_client::{
    addresses,
    challenge::audit::{self, Finding},
    instructions::opml_oracle::Place,
    trees::ReceiptTree,
};
use imo_protocol::{Collection, Receipt};
use opml_oracle::state::{Operator, Report};
use opml_runtime::{Execution, Tensor};
use solana_signer::Signer;

use super::{WatchedModel, WatcherLoop};
use crate::{
    metrics::Metrics,
    receipts::{self, CollectionReceipts},
    store::StoredDispute,
};

/// The first answer that does not hold.
struct Wrong {
    place: Place,
    truth: Box<Execution>,
}

impl WatcherLoop {
    /// Recomputes what the sample picks of a report, and prepares a dispute about the first wrong answer.
    pub(super) async fn check(
        &self,
        address: &Pubkey,
        report: &Report,
        model: &Arc<WatchedModel>,
    ) -> anyhow::Result<()> {
        let operator: Operator = self.rpc.get(&report.operator).await?;
        let collections: Vec<(Pubkey, Collection)> = self.rpc.of_report(address).await?;
        let public: Vec<&Collection> = collections
            .iter()
            .map(|(_, collection)| collection)
            .filter(|collection| !collection.private)
            .collect();
        let wrong = match public.is_empty() {
            true => None,
            false => {
                let path = format!("/v1/receipts/{address}");
                let bytes = self.fetch(&operator.endpoint, &path).await?;
                let published = receipts::decode(&bytes, report.model_root).context("these are no receipts")?;
                self.first_wrong(address, &operator.endpoint, model, &public, &published)
                    .await?
            }
        };
        let count = u64::from(wrong.is_some());
        let checked = self.right.lock().ok().and_then(|mut right| right.remove(address));
        let checked = checked.map_or(0, |right| right.len() as u64) + count;
        tracing::info!(report = %address, checked, wrong = count, "a report was checked");
        if let Some(Wrong { place, truth }) = wrong {
            self.prepare(address, place, truth).await?;
        }
        self.store.add_watched(address, checked, count).await?;
        Ok(())
    }

    /// The first answer that is found wrong: one proof rejects the whole report. What is withheld does not keep the rest from being looked at; it is an error only when
    /// nothing wrong was found.
    async fn first_wrong(
        &self,
        address: &Pubkey,
        endpoint: &str,
        model: &Arc<WatchedModel>,
        collections: &[&Collection],
        published: &[CollectionReceipts],
    ) -> anyhow::Result<Option<Wrong>> {
        let mut withheld = None;
        for collection in collections {
            let (tree, receipts) = match collected(collection, published) {
                Ok(found) => found,
                Err(error) => {
                    withheld = Some(error);
                    continue;
                }
            };
            let picked = (0u32..)
                .zip(receipts)
                .filter(|(index, _)| self.sample.picks(address, &collection.lane, *index));
            for (index, receipt) in picked {
                if self.is_right(address, &collection.lane, index) {
                    continue;
                }
                match self.recompute(endpoint, model, receipt).await {
                    Ok(Finding::WrongOutput(truth)) => {
                        Metrics::count(&self.metrics.watcher, "answer_wrong");
                        tracing::warn!(report = %address, lane = %collection.lane, index, "an answer is wrong");
                        let path = tree.path(index).context("a receipt is in its tree")?;
                        let salt = rand::random();
                        let place = Place::in_collection(collection, index, salt, receipt.claim, receipt.salt, path);
                        return Ok(Some(Wrong { place, truth }));
                    }
                    Ok(_) => {
                        Metrics::count(&self.metrics.watcher, "answer_right");
                        if let Ok(mut right) = self.right.lock() {
                            right.entry(*address).or_default().insert((collection.lane, index));
                        }
                    }
                    Err(error) => withheld = Some(error),
                }
            }
        }
        withheld.map_or(Ok(None), Err)
    }

    fn is_right(&self, report: &Pubkey, lane: &Pubkey, index: u32) -> bool {
        let right = self.right.lock().ok();
        right.is_some_and(|right| right.get(report).is_some_and(|right| right.contains(&(*lane, index))))
    }

    async fn recompute(&self, endpoint: &str, model: &Arc<WatchedModel>, receipt: &Receipt) -> anyhow::Result<Finding> {
        let bytes = self.fetch_input(endpoint, &receipt.claim.input_root).await?;
        let input = Tensor::new(*model.model.input_spec(), bytes)?;
        let own = execute(model, input).await?;
        match audit::judge(own, receipt) {
            Finding::NotComparable => anyhow::bail!("the endpoint shows another input than the receipt's"),
            finding => Ok(finding),
        }
    }

    /// Stores all that the dispute needs before anybody hears of it.
    async fn prepare(&self, report: &Pubkey, place: Place, truth: Box<Execution>) -> anyhow::Result<()> {
        const NONCE: u64 = 0;
        let dispute = addresses::opml_oracle::dispute(report, &self.key.pubkey(), NONCE);
        if self
            .store
            .disputes(true)
            .await?
            .iter()
            .any(|known| known.dispute == dispute)
        {
            return Ok(());
        }
        let bytes = bytes::Bytes::copy_from_slice(truth.input().bytes());
        self.blobs.put_input(&place.claim.input_root, bytes).await?;
        let stored = StoredDispute {
            dispute,
            report: *report,
            nonce: NONCE,
            place,
            witness_key: rand::random(),
            over: false,
        };
        self.store.add_dispute(&stored).await?;
        if let Ok(mut truths) = self.truths.lock() {
            truths.insert(dispute, Arc::new(*truth));
        }
        Ok(())
    }
}

/// The published receipts of a Collection with their tree, if they are the ones that were collected.
fn collected<'a>(
    collection: &Collection,
    published: &'a [CollectionReceipts],
) -> anyhow::Result<(ReceiptTree, &'a [Receipt])> {
    let found = published.iter().find(|published| published.lane == collection.lane);
    let receipts = &found.context("the receipts of a lane are left out")?.receipts;
    let tree = ReceiptTree::over(collection.first_sequence, receipts)?;
    anyhow::ensure!(
        (tree.count(), tree.root()) == (collection.count.into(), collection.receipts_root),
        "the receipts of the lane {} are not those that were collected",
        collection.lane
    );
    Ok((tree, receipts))
}

/// Runs the own copy of the model.
pub(super) async fn execute(model: &Arc<WatchedModel>, input: Tensor) -> anyhow::Result<Execution> {
    let model = model.clone();
    Ok(tokio::task::spawn_blocking(move || model.plan.execute(&input)).await??)
}
