//! Bringing vouchers under a report, and sealing it.

use ::revenue_escrow::state::Lane;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::Context;
use imo_client::{
    addresses,
    instructions::{
        opml_oracle as oracle,
        revenue_escrow::{self, CollectedLane},
    },
    trees::ReceiptTree,
};
use imo_protocol::{Collection, Now, Session};
use opml_oracle::state::Report;
use solana_signer::Signer;

use super::OperatorLoop;
use crate::{
    chain::{Accounts, RawAccount, pack},
    clock,
    receipts::{self, CollectionReceipts},
    store::StoredLane,
};

/// A lane with what to send for it.
struct Ready {
    lane: Pubkey,
    instructions: Vec<Instruction>,
}

impl OperatorLoop {
    /// Notes what the chain has collected, whoever sent the transaction and whenever it landed.
    pub(super) async fn sync_lanes(&self) -> anyhow::Result<()> {
        for lane in self.store.owing_lanes().await? {
            let address = lane.address();
            let on_chain: Option<Lane> = self.rpc.find(&address).await?;
            let (count, units) = match on_chain.filter(|on_chain| on_chain.generation == lane.generation()) {
                Some(on_chain) => (on_chain.collected_count, on_chain.collected_units),
                None => {
                    tracing::error!(lane = %address, units = lane.owed_units(), "a lane was closed before it was collected");
                    (lane.count(), lane.amount_units())
                }
            };
            if count > lane.collected_count {
                self.store
                    .note_collected(&address, lane.generation(), count, units, clock::unix())
                    .await?;
            }
        }
        Ok(())
    }

    /// Whether money of these lanes, or the key that signs for it, is announced to leave.
    pub(super) async fn is_anybody_leaving(&self, lanes: &[&StoredLane]) -> anyhow::Result<bool> {
        let sessions = lanes
            .iter()
            .map(|lane| addresses::revenue_escrow::session(&lane.credit, &lane.voucher.voucher.session));
        let addresses: Vec<Pubkey> = lanes.iter().map(|lane| lane.address()).chain(sessions).collect();
        let found = self.rpc.accounts(&addresses).await?;
        let (lanes, sessions) = found.split_at(lanes.len());
        let decode = |account: &Option<RawAccount>| account.as_ref().and_then(RawAccount::decode::<Lane>);
        let releasing = lanes.iter().filter_map(decode).any(|lane| lane.releasing_units > 0);
        let decode = |account: &Option<RawAccount>| account.as_ref().and_then(RawAccount::decode::<Session>);
        let revoked = sessions
            .iter()
            .filter_map(decode)
            .any(|session| session.revoke_deadline.is_set());
        Ok(releasing || revoked)
    }

    /// Collects every lane that owes for the report's version, publishes the receipts, seals.
    pub(super) async fn collect_and_seal(
        &mut self,
        address: &Pubkey,
        report: &Report,
        now: &Now,
    ) -> anyhow::Result<()> {
        // Its own time is over, then nothing is collected any more.
        if !report.seal_by.is_past(now) {
            let ready = self.ready_lanes(address, report, now).await?;
            self.collect(address, ready).await?;
            self.sync_lanes().await?;
            // What could not be sent is tried again in the next round.
            if !self.ready_lanes(address, report, now).await?.is_empty() {
                return Ok(());
            }
        }
        self.publish(address).await?;
        let seal = oracle::seal_report(self.authority.pubkey(), report);
        self.send("seal_report", &[seal]).await?;
        Ok(())
    }

    async fn ready_lanes(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<Vec<Ready>> {
        let collected: Vec<(Pubkey, Collection)> = self.rpc.of_report(address).await?;
        let mut ready = Vec::new();
        for stored in self.store.owing_lanes().await? {
            let lane = stored.address();
            let concerned = (stored.model, stored.model_root) == (report.model, report.model_root);
            let done = collected.iter().any(|(_, collection)| collection.lane == lane);
            if !concerned || done || self.refused.contains(&(*address, lane)) {
                continue;
            }
            if now.is_expired(stored.voucher.voucher.expires_unix) {
                tracing::error!(%lane, units = stored.owed_units(), "a voucher expired before it was collected");
                continue;
            }
            let instructions = self.collect_instructions(address, &stored).await?;
            ready.push(Ready { lane, instructions });
        }
        Ok(ready)
    }

    async fn collect_instructions(&self, report: &Pubkey, stored: &StoredLane) -> anyhow::Result<Vec<Instruction>> {
        let (first, end) = (stored.collected_count, stored.count());
        let answered = self
            .store
            .requests(&stored.address(), stored.generation(), first..end)
            .await?;
        let receipts: Vec<_> = answered.iter().map(|answered| answered.receipt()).collect();
        let tree = ReceiptTree::over(first, &receipts)?;
        anyhow::ensure!(
            tree.count() == end - first,
            "receipts of the lane {} are missing in the store",
            stored.address()
        );
        let authority = self.authority.pubkey();
        let lane = CollectedLane {
            authority,
            rent_payer: authority,
            operator: self.operator(),
            report: *report,
            credit: stored.credit,
        };
        Ok(revenue_escrow::collect(lane, &stored.voucher, tree.root()).to_vec())
    }

    /// Several in one transaction where they fit; one by one when together they are refused.
    async fn collect(&mut self, report: &Pubkey, ready: Vec<Ready>) -> anyhow::Result<()> {
        let payer = self.authority.pubkey();
        let groups: Vec<_> = ready.iter().map(|ready| ready.instructions.clone()).collect();
        let mut ready = ready.into_iter();
        for transaction in pack(&groups, &payer) {
            // Two instructions a lane.
            let members: Vec<Ready> = ready.by_ref().take(transaction.len() / 2).collect();
            if members.len() > 1 && self.send("collect", &transaction).await.is_ok() {
                continue;
            }
            for member in members {
                match self.send("collect", &member.instructions).await {
                    Ok(()) => {}
                    Err(error) if error.refusal().is_some() => {
                        tracing::error!(lane = %member.lane, %error, "a lane is not collected for this report");
                        self.refused.insert((*report, member.lane));
                    }
                    Err(error) => return Err(error).context("a lane was not collected"),
                }
            }
        }
        Ok(())
    }

    /// Writes down the receipts of a report for whoever watches, those of private lanes left out.
    async fn publish(&self, report: &Pubkey) -> anyhow::Result<()> {
        let mut collections: Vec<(Pubkey, Collection)> = self.rpc.of_report(report).await?;
        collections.retain(|(_, collection)| !collection.private);
        collections.sort_by_key(|(address, _)| *address);
        let mut published = Vec::new();
        for (_, collection) in collections {
            published.push(CollectionReceipts {
                lane: collection.lane,
                first_sequence: collection.first_sequence,
                receipts: self.receipts_of(&collection).await?,
            });
        }
        let bytes = receipts::encode(&published);
        self.blobs.put_receipts(&report.to_string(), bytes.into()).await?;
        Ok(())
    }

    /// The receipts of a Collection, as they were collected.
    pub(super) async fn receipts_of(&self, collection: &Collection) -> anyhow::Result<Vec<imo_protocol::Receipt>> {
        let first = collection.first_sequence;
        let end = first + u64::from(collection.count);
        let answered = self
            .store
            .requests(&collection.lane, collection.lane_generation, first..end)
            .await?;
        anyhow::ensure!(
            answered.len() as u64 == u64::from(collection.count),
            "receipts of the lane {} are missing in the store",
            collection.lane
        );
        Ok(answered.iter().map(|answered| answered.receipt()).collect())
    }
}
