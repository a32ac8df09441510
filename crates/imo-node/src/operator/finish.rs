//! The end of a report: final, split, paid, closed.

use ::revenue_escrow::state::Earnings;
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{
    addresses,
    instructions::{
        audit as audits, data as data_instructions, opml_oracle as oracle,
        revenue_escrow::{self, SplitReport},
        yield_distributor::due_marks,
    },
};
use imo_protocol::{Bucket, Collection, Now};
use model_token::state::{Model, Protocol};
use opml_oracle::{
    game::Side,
    state::{Audit, Dispute, Inquiry, Report, ReportStatus, Trace},
};
use solana_signer::Signer;
use yield_distributor::state::Pool;

use super::{OperatorLoop, epoch};
use crate::chain::pack;

impl OperatorLoop {
    /// Makes a sealed report final once nothing is in its way.
    pub(super) async fn finalise(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<()> {
        if !report.is_settled() {
            self.settle_disputes(address, report, now).await?;
        }
        let report: Report = self.rpc.get(address).await?;
        if report.window.is_past(now) && report.is_settled() && report.demands_pending == 0 {
            self.send("finalise_report", &[oracle::finalise_report(&report)])
                .await?;
        }
        Ok(())
    }

    /// Settles disputes that are over, in their order, as far as it goes.
    async fn settle_disputes(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<()> {
        let mut disputes: Vec<(Pubkey, Dispute)> = self.rpc.of_report(address).await?;
        disputes.retain(|(_, dispute)| !dispute.settled && dispute.order >= report.disputes_settled);
        disputes.sort_by_key(|(_, dispute)| dispute.order);
        for ((_, dispute), turn) in disputes.iter().zip(report.disputes_settled..) {
            if dispute.order != turn {
                break;
            }
            if !dispute.is_finished() {
                // A challenger that says nothing more keeps the report from its end until somebody says so.
                if dispute.game.phase.turn() == Some(Side::Challenger) && dispute.game.clocks.is_late(now) {
                    self.send("timeout", &[oracle::timeout(dispute)]).await?;
                }
                break;
            }
            self.send("settle_dispute", &[oracle::settle_dispute(dispute)]).await?;
        }
        Ok(())
    }

    /// Does everything that anybody may once a report has ended: payments first, then what gives rent back.
    pub(super) async fn wind_up(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<()> {
        if !report.is_settled() {
            self.settle_disputes(address, report, now).await?;
        }
        for (_, inquiry) in self.rpc.of_report::<Inquiry>(address).await? {
            let turn = inquiry.order.is_none_or(|order| order == report.disputes_settled);
            if !inquiry.settled && turn {
                self.send("settle_inquiry", &[data_instructions::settle_inquiry(&inquiry)])
                    .await?;
            }
        }
        let rejected = report.status == ReportStatus::Rejected;
        for (_, audit) in self.rpc.of_report::<Audit>(address).await? {
            if !audit.settled && audit.game.require_over_with(now, true, rejected).is_ok() {
                self.send("settle_audit", &[audits::settle_audit(&audit)]).await?;
            }
        }
        let bucket: Option<Bucket> = self.rpc.find(&addresses::revenue_escrow::bucket(address)).await?;
        if report.status == ReportStatus::Final {
            if let Some(bucket) = bucket.as_ref().filter(|bucket| !bucket.settled) {
                self.split(address, report, bucket, now).await?;
            }
            if self.policy.withdraw {
                self.withdraw(report).await?;
            }
        }
        self.close(address, report, bucket.is_some()).await
    }

    async fn split(&self, address: &Pubkey, report: &Report, bucket: &Bucket, now: &Now) -> anyhow::Result<()> {
        let protocol: Protocol = self.rpc.get(&addresses::model_token::protocol()).await?;
        let model: Model = self.rpc.get(&report.model).await?;
        let pool: Option<Pool> = self
            .rpc
            .find(&addresses::yield_distributor::pool(&report.model))
            .await?;
        let authority = self.authority.pubkey();
        let split = revenue_escrow::split(SplitReport {
            rent_payer: authority,
            report: *address,
            operator: report.operator,
            operator_authority: authority,
            model: report.model,
            developer: model.developer,
            model_version: report.model_version,
            treasury: protocol.treasury,
            mint: report.mint,
            due_marks: pool.map_or([None; 2], |pool| due_marks(&pool, epoch(now, pool.epoch_slots))),
        });
        tracing::info!(report = %address, units = bucket.collected_units, "the revenue of a report is split");
        self.send("split", &[split]).await?;
        Ok(())
    }

    async fn withdraw(&self, report: &Report) -> anyhow::Result<()> {
        let authority = self.authority.pubkey();
        let vault = addresses::revenue_escrow::vault(&report.model);
        let address = addresses::revenue_escrow::earnings(&vault, &authority);
        let owed = async || -> anyhow::Result<u64> {
            let earnings: Option<Earnings> = self.rpc.find(&address).await?;
            Ok(earnings.map_or(0, |earnings| earnings.owed_units))
        };
        let units = owed().await?;
        if units > 0 {
            tracing::info!(units, "earnings are withdrawn");
            let withdraw = revenue_escrow::withdraw_earnings(authority, report.model, authority, report.mint);
            self.send("withdraw_earnings", &[withdraw]).await?;
            // The report is what reminds of them: it is not closed on the RPC's word alone.
            anyhow::ensure!(
                owed().await? == 0,
                "a withdrawal was confirmed, and the earnings are still there"
            );
        }
        Ok(())
    }

    /// Closes what is over; what is not yet closable is tried again.
    async fn close(&self, address: &Pubkey, report: &Report, has_bucket: bool) -> anyhow::Result<()> {
        let mut closing: Vec<Vec<Instruction>> = Vec::new();
        let collections: Vec<(Pubkey, Collection)> = self.rpc.of_report(address).await?;
        let report: Report = match self.rpc.find(address).await? {
            Some(newer) => newer,
            None => report.clone(),
        };
        let rejected = report.status == ReportStatus::Rejected;
        for (_, collection) in &collections {
            let refundable = rejected || collection.retracted;
            closing.extend(match (refundable, collection.amount_units > 0, report.is_settled()) {
                // A refund closes it where nobody has yet to point into it.
                (true, true, _) => Some(vec![revenue_escrow::refund(collection)]),
                (true, false, true) | (false, _, _) => Some(vec![revenue_escrow::close_collection(collection)]),
                (true, false, false) => None,
            });
        }
        if report.is_settled() {
            for (_, trace) in self.rpc.of_report::<Trace>(address).await? {
                closing.push(vec![oracle::close_trace(&trace)]);
            }
        }
        let payer = self.authority.pubkey();
        for transaction in pack(&closing, &payer) {
            self.send("close", &transaction).await?;
        }
        if has_bucket {
            let bucket: Option<Bucket> = self.rpc.find(&addresses::revenue_escrow::bucket(address)).await?;
            match bucket {
                Some(bucket) if bucket.open_collections == 0 => {
                    self.send("close", &[revenue_escrow::close_bucket(&bucket)]).await?;
                }
                _ => return Ok(()),
            }
        }
        let report: Report = self.rpc.get(address).await?;
        if report.is_settled() && report.open_traces == 0 && report.open_inquiries == 0 && report.open_audits == 0 {
            self.send("close_report", &[oracle::close_report(&report)]).await?;
        }
        Ok(())
    }
}
