//! What there is to look at: receipts and inputs, from an endpoint or from the chain.

use std::sync::Arc;

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use bytes::Bytes;
use imo_client::{instructions::opml_oracle::Place, trees::ReceiptTree};
use imo_protocol::{Collection, Receipt};
use opml::Hash;
use opml_oracle::{instructions::ShownReceipt, state::Report};
use opml_runtime::Tensor;

use super::{WatchedModel, WatcherLoop, demand::Subject, own_lanes::Asked, shown::Shown};
use crate::{metrics::Metrics, receipts};

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

impl WatcherLoop {
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
        let at = (look.collection.lane, index);
        let is_demanded = self.progress(&look.report_address, |progress| progress.is_demanded(at));
        let withheld = match (look.collection.private, is_demanded) {
            (true, _) => anyhow::anyhow!("private inputs are shown on chain only"),
            (false, Some(true)) => anyhow::anyhow!("the endpoint withheld it, and the chain does not show it yet"),
            (false, _) => match self.fetch_input(look.endpoint, root, length).await {
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
}

pub(super) fn place_of(look: &Look<'_>, index: u32, receipt: &Receipt) -> anyhow::Result<Place> {
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
