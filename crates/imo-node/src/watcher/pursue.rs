//! Driving a dispute to its end.

use std::sync::Arc;

use anchor_lang::{AccountDeserialize, prelude::Pubkey};
use anyhow::Context;
use imo_client::{
    addresses,
    challenge::{Challenge, NextMove},
    instructions::{data, opml_oracle as oracle},
};
use imo_protocol::Now;
use opml_oracle::{
    game::Side,
    state::{Dispute, Inquiry, Report, ReportStatus, Trace, Witness},
};
use opml_runtime::{Execution, Tensor};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{COMPUTE_UNITS, WatchedModel, WatcherLoop};
use crate::{
    chain::{Accounts, RawAccount},
    metrics::Metrics,
    store::{Fraud, StoredDispute},
};

impl WatcherLoop {
    /// Does the next thing about a dispute, whatever was done before.
    pub(super) async fn pursue(&self, stored: &StoredDispute, now: &Now) -> anyhow::Result<()> {
        let seen = self.store.dispute_states(&stored.dispute).await?;
        let account = self.rpc.accounts(&[stored.dispute]).await?.into_iter().flatten().next();
        let Some((account, dispute)) =
            account.and_then(|account| Some((account.clone(), account.decode::<Dispute>()?)))
        else {
            if seen.is_empty() {
                return self.open(stored, now).await;
            }
            // It was there and is closed: its payout is withdrawn, by us or by somebody else.
            tracing::info!(dispute = %stored.dispute, "a dispute is over");
            self.open_another(stored, now).await?;
            if let Ok(mut truths) = self.truths.lock() {
                truths.remove(&stored.dispute);
            }
            self.store.end_dispute(&stored.dispute).await?;
            return Ok(());
        };
        self.store
            .add_dispute_state(&stored.dispute, &dispute.game.digest, &account.data)
            .await?;
        if dispute.is_finished() {
            return self.cash(stored, &dispute, now).await;
        }
        if dispute.game.phase.turn() == Some(Side::Challenger) && dispute.game.clocks.is_late(now) {
            // This watcher was away for too long. The sooner that is over, the sooner another one can be opened.
            return self.send_for_all("timeout", oracle::timeout(&dispute)).await;
        }
        if stored.fraud != Fraud::WrongOutput {
            return self.prove_at_once(stored, &dispute).await;
        }
        self.play(stored, &dispute, &account, seen, now).await
    }

    async fn open(&self, stored: &StoredDispute, now: &Now) -> anyhow::Result<()> {
        let report: Option<Report> = self.rpc.find(&stored.report).await?;
        let Some(report) = report.filter(|report| report.require_disputable(now).is_ok()) else {
            tracing::warn!(report = %stored.report, "a wrong report cannot be disputed any more");
            self.store.end_dispute(&stored.dispute).await?;
            return Ok(());
        };
        let commitment = stored.place.commitment(&stored.dispute);
        let challenger = self.key.pubkey();
        let open = oracle::open_dispute(challenger, challenger, &report, stored.nonce, commitment);
        self.send("open_dispute", &[open], COMPUTE_UNITS, &[]).await?;
        Ok(())
    }

    async fn play(
        &self,
        stored: &StoredDispute,
        dispute: &Dispute,
        account: &RawAccount,
        seen: Vec<Vec<u8>>,
        now: &Now,
    ) -> anyhow::Result<()> {
        let model = self
            .model(&stored.place.claim.model_root)
            .context("the model's file is not configured any more")?;
        let truth = self.truth(stored, &model).await?;
        let trace = addresses::opml_oracle::trace(&stored.report, &stored.place.claim.claim_hash());
        let trace: Option<Trace> = self.rpc.find(&trace).await?;
        let next = {
            let mut challenge = Challenge::new(model.sound()?, &truth);
            // A trace that is walked is on chain in part only: what was shown before is remembered.
            for earlier in seen.iter().filter(|earlier| **earlier != account.data) {
                let earlier =
                    Dispute::try_deserialize(&mut earlier.as_slice()).context("a stored state is not a dispute")?;
                challenge.observe(&earlier.game, trace.as_ref());
            }
            challenge.next_move(&dispute.game, trace.as_ref(), now)?
        };
        let action = match &next {
            NextMove::Point => "point",
            NextMove::Demand { .. } => "demand",
            NextMove::DemandNode { .. } => "demand_node",
            NextMove::Timeout => "timeout",
            NextMove::Prove { element, witness } => {
                let prove = |account| vec![oracle::prove(dispute, dispute.game.digest, account, *element)];
                return self.stage(stored, dispute, witness, "prove", prove).await;
            }
            NextMove::Wait | NextMove::Over => return Ok(()),
        };
        let instruction = next
            .instruction(dispute, model.sound()?, &stored.place)
            .context("a move is an instruction")?;
        self.send(action, &[instruction], COMPUTE_UNITS, &[]).await?;
        Ok(())
    }

    /// What the own copy of the model gives, computed again after a restart.
    async fn truth(&self, stored: &StoredDispute, model: &Arc<WatchedModel>) -> anyhow::Result<Arc<Execution>> {
        let known = self
            .truths
            .lock()
            .ok()
            .and_then(|truths| truths.get(&stored.dispute).cloned());
        if let Some(truth) = known {
            return Ok(truth);
        }
        let bytes = self.blobs.input(&stored.place.claim.input_root).await?;
        let input = Tensor::new(
            *model.sound()?.input_spec(),
            bytes.context("the input is not in the store")?,
        )?;
        let truth = Arc::new(model.execute(input).await?);
        if let Ok(mut truths) = self.truths.lock() {
            truths.insert(stored.dispute, truth.clone());
        }
        Ok(truth)
    }

    pub(super) async fn close_witness(&self, address: &Pubkey) -> anyhow::Result<()> {
        let witness: Option<Witness> = self.rpc.find(address).await?;
        if witness.is_some() {
            let close = oracle::close_witness(self.key.pubkey(), *address);
            self.send("close_witness", &[close], COMPUTE_UNITS, &[]).await?;
        }
        Ok(())
    }

    /// Settles a dispute in its turn and takes what it is owed.
    async fn cash(&self, stored: &StoredDispute, dispute: &Dispute, now: &Now) -> anyhow::Result<()> {
        self.close_witness(&Keypair::new_from_array(stored.witness_key).pubkey())
            .await?;
        if dispute.settled {
            self.open_another(stored, now).await?;
            tracing::info!(dispute = %stored.dispute, units = dispute.payout_units, "a dispute is paid out");
            let withdraw = oracle::withdraw_payout(self.key.pubkey(), dispute);
            self.send("withdraw_payout", &[withdraw], COMPUTE_UNITS, &[]).await?;
            return Ok(());
        }
        let report: Report = self.rpc.get(&stored.report).await?;
        self.settle_disputes(&stored.report, &report, dispute.order + 1, now)
            .await
    }

    /// When a dispute is over and its report stands, it was lost, because this watcher was away when it had to move. That changes nothing but itself: while others may be
    /// opened, the same is begun again.
    async fn open_another(&self, stored: &StoredDispute, now: &Now) -> anyhow::Result<()> {
        let Some(report) = self.rpc.find::<Report>(&stored.report).await? else {
            return Ok(());
        };
        let nonce = stored.nonce + 1;
        let dispute = addresses::opml_oracle::dispute(&stored.report, &self.key.pubkey(), nonce);
        let known = self.store.disputes(true).await?;
        if report.require_disputable(now).is_err() || known.iter().any(|known| known.dispute == dispute) {
            return Ok(());
        }
        tracing::warn!(report = %stored.report, "a dispute was lost by silence; another one is begun");
        Metrics::count(&self.metrics.watcher, "dispute_begun_again");
        let again = StoredDispute {
            dispute,
            nonce,
            witness_key: rand::random(),
            ..stored.clone()
        };
        self.store.add_dispute(&again).await?;
        self.prepared.notify_one();
        Ok(())
    }

    /// Settles the disputes of a report that are over, in their order, up to but not including `end`.
    pub(super) async fn settle_disputes(
        &self,
        address: &Pubkey,
        report: &Report,
        end: u32,
        now: &Now,
    ) -> anyhow::Result<()> {
        if report.disputes_settled >= end {
            return Ok(());
        }
        let mut disputes: Vec<(Pubkey, Dispute)> = self.rpc.of_report(address).await?;
        disputes.sort_by_key(|(_, dispute)| dispute.order);
        let waiting = disputes
            .iter()
            .filter(|(_, dispute)| (report.disputes_settled..end).contains(&dispute.order));
        for ((_, dispute), turn) in waiting.zip(report.disputes_settled..) {
            if dispute.order != turn {
                // An inquiry that was not answered has its turn among them.
                return self.settle_unanswered(address, turn).await;
            }
            if !dispute.is_finished() {
                // Somebody who stopped playing stands in the way of all behind.
                if dispute.game.clocks.is_late(now) {
                    self.send_for_all("timeout", oracle::timeout(dispute)).await?;
                }
                break;
            }
            self.send_for_all("settle_dispute", oracle::settle_dispute(dispute))
                .await?;
        }
        Ok(())
    }

    /// Settles the inquiry of a report whose turn it is, whoever demanded.
    async fn settle_unanswered(&self, address: &Pubkey, turn: u32) -> anyhow::Result<()> {
        for (_, inquiry) in self.rpc.of_report::<Inquiry>(address).await? {
            if inquiry.order == Some(turn) && !inquiry.settled {
                self.send_for_all("settle_inquiry", data::settle_inquiry(&inquiry))
                    .await?;
            }
        }
        Ok(())
    }

    /// Makes a report final that nothing stands against: what this watcher paid for on it is decided by its end.
    pub(super) async fn finalise(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<()> {
        let sealed = report.status == ReportStatus::Sealed;
        if !sealed || !report.window.is_past(now) || report.demands_pending > 0 {
            return Ok(());
        }
        self.settle_disputes(address, report, report.disputes_opened, now)
            .await?;
        let report: Report = self.rpc.get(address).await?;
        if report.is_settled() {
            self.send(
                "finalise_report",
                &[oracle::finalise_report(&report)],
                COMPUTE_UNITS,
                &[],
            )
            .await?;
        }
        Ok(())
    }
}
