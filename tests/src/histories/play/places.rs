//! Where things are: which report, collection, receipt or dispute a step is about.

use ::opml_oracle::state::Dispute as DisputeAccount;
use imo_client::instructions::opml_oracle::Place as PlaceShown;
use imo_client::trees::ReceiptTree;
use imo_protocol::Receipt;

use crate::histories::{
    stage::{Place, Stage},
    step::Step,
};

/// The salt of every place that a challenger commits to.
const SALT: [u8; 32] = [0x5A; 32];

impl Stage {
    /// A dispute that is not paid out.
    pub(super) fn dispute(&self, step: &Step) -> Option<usize> {
        let open: Vec<usize> = (0..self.ledger.disputes.len())
            .filter(|dispute| !self.ledger.disputes[*dispute].closed)
            .collect();
        step.one_of(open.len()).map(|place| open[place])
    }

    /// A dispute in which somebody has to move.
    pub(super) fn running(&self, step: &Step) -> Option<usize> {
        let running: Vec<usize> = (0..self.ledger.disputes.len())
            .filter(|dispute| self.ledger.disputes[*dispute].is_running())
            .collect();
        step.one_of(running.len()).map(|place| running[place])
    }

    /// A report whose account is there.
    pub(super) fn report(&self, step: &Step) -> Option<usize> {
        let live: Vec<usize> = (0..self.ledger.reports.len())
            .filter(|report| !self.ledger.reports[*report].closed)
            .collect();
        step.recent_of(live.len()).map(|place| live[place])
    }

    /// A report, and a payer of whom something was collected for it.
    pub(super) fn collection(&self, step: &Step) -> Option<(usize, usize)> {
        let report = self.report(step)?;
        let bucket = self.ledger.reports[report].bucket.as_ref()?;
        let payers: Vec<usize> = bucket.collections.keys().copied().collect();
        let place = usize::from(step.who).checked_rem(payers.len())?;
        Some((report, payers[place]))
    }

    /// A receipt of a report that a dispute can be about.
    pub(super) fn place_to_dispute(&self, report: usize, step: &Step) -> Option<Place> {
        let bucket = self.ledger.reports[report].bucket.as_ref()?;
        let payers: Vec<usize> = bucket.collections.keys().copied().collect();
        let payer = payers[usize::from(step.amount >> 8).checked_rem(payers.len())?];
        let collection = &bucket.collections[&payer];
        let receipt = u64::from(step.amount) % collection.count;
        self.place(report, payer, u32::try_from(receipt).ok()?)
    }

    /// A receipt of a collection that is not closed.
    pub(super) fn place(&self, report: usize, payer: usize, receipt: u32) -> Option<Place> {
        let collection = self.ledger.reports[report].bucket.as_ref()?.collections.get(&payer)?;
        let sequence = usize::try_from(collection.first).ok()? + usize::try_from(receipt).ok()?;
        Some(Place {
            payer,
            receipt,
            asked: *self.collected.get(&(report, payer))?.get(sequence)?,
        })
    }

    /// The receipts of a collection that is not closed, and their tree.
    pub(super) fn receipts_of(&self, report: usize, payer: usize) -> (ReceiptTree, Vec<Receipt>) {
        let bucket = self.ledger.reports[report].bucket.as_ref().expect("it is disputed");
        let lane = self.lane_account(payer, self.ledger.reports[report].operator);
        let asked = &self.collected[&(report, payer)];
        self.receipts(lane, asked, bucket.collections[&payer].first)
    }

    /// A place as a challenger shows it.
    pub(super) fn shown(&self, report: usize, place: &Place) -> PlaceShown {
        let (receipts, _) = self.receipts_of(report, place.payer);
        let asked = &self.asked(place.asked).asked;
        PlaceShown {
            collection: self.collection_account(report, place.payer),
            receipt_index: place.receipt,
            salt: SALT,
            claim: asked.claim,
            receipt_salt: asked.salt,
            path: receipts.path(place.receipt).expect("the collection has it"),
        }
    }

    pub(super) fn state(&self, dispute: usize) -> DisputeAccount {
        self.world.read(&self.dispute_account(dispute))
    }

    pub(super) fn is_report_there(&self, dispute: usize) -> Option<()> {
        (!self.ledger.reports[self.ledger.disputes[dispute].report].closed).then_some(())
    }

    pub(super) fn is_trace_there(&self, dispute: usize) -> bool {
        let dispute = &self.ledger.disputes[dispute];
        let report = &self.ledger.reports[dispute.report];
        dispute.claim.is_some_and(|claim| report.trace(&claim).is_some())
    }
}
