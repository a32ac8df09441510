//! Answering disputes, demands and audits, from recomputation of what is stored.

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use futures_util::{StreamExt, stream};
use imo_client::{
    addresses,
    challenge::{Answer, NextAnswer, next_answer},
    data::{self, Source},
    instructions::{audit as audits, data as data_instructions},
    trees::ReceiptTree,
};
use imo_protocol::{Collection, Now};
use opml_oracle::{
    audit_game::AuditPhase,
    game::Side,
    state::{Audit, Dispute, Inquiry, Report, Subject, Trace},
};
use opml_runtime::Tensor;
use solana_signer::Signer;

use super::OperatorLoop;

/// Moves of one report that are made at the same time.
const ANSWERED_AT_ONCE: usize = 8;

/// What a report's operator owes somebody.
enum Due {
    Move(Box<Dispute>),
    Data(Box<Inquiry>),
    Trace(Box<Audit>),
}

impl OperatorLoop {
    /// Makes every move of a report that is the operator's, several at a time: many who ask at once take no longer than their transactions. One that cannot be made keeps no
    /// other from being made.
    pub(super) async fn defend(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<()> {
        let mut due = Vec::new();
        if report.disputes_opened > report.disputes_settled {
            let mut disputes: Vec<(Pubkey, Dispute)> = self.rpc.of_report(address).await?;
            disputes.retain(|(_, dispute)| {
                let mine = dispute.game.phase.turn() == Some(Side::Operator);
                mine && !dispute.game.clocks.is_late(now)
            });
            due.extend(
                disputes
                    .into_iter()
                    .map(|(address, dispute)| (address, Due::Move(Box::new(dispute)))),
            );
        }
        if report.demands_pending > 0 {
            let mut inquiries: Vec<(Pubkey, Inquiry)> = self.rpc.of_report(address).await?;
            inquiries.retain(|(_, inquiry)| inquiry.game.pending.is_some());
            due.extend(
                inquiries
                    .into_iter()
                    .map(|(address, inquiry)| (address, Due::Data(Box::new(inquiry)))),
            );
            let mut audits: Vec<(Pubkey, Audit)> = self.rpc.of_report(address).await?;
            audits.retain(|(_, audit)| audit.game.phase == AuditPhase::Asked);
            due.extend(
                audits
                    .into_iter()
                    .map(|(address, audit)| (address, Due::Trace(Box::new(audit)))),
            );
        }
        let answers = stream::iter(due).map(async |(address, due)| {
            let (what, answered) = match &due {
                Due::Move(dispute) => ("dispute", self.answer_dispute(report, dispute).await),
                Due::Data(inquiry) => ("inquiry", self.serve_data(report, inquiry).await),
                Due::Trace(audit) => ("audit", self.answer_audit(report, audit).await),
            };
            answered.with_context(|| format!("the {what} {address}"))
        });
        let answers: Vec<anyhow::Result<()>> = answers.buffer_unordered(ANSWERED_AT_ONCE).collect().await;
        answers.into_iter().collect()
    }

    async fn answer_audit(&self, report: &Report, audit: &Audit) -> anyhow::Result<()> {
        let answer = self.recompute(report, &audit.collection, audit.receipt_index).await?;
        anyhow::ensure!(
            answer.claim().claim_hash() == audit.claim_hash,
            "what was answered is not what the model gives: there is nothing to show"
        );
        let trace = addresses::opml_oracle::trace(&audit.report, &audit.claim_hash);
        let trace: Option<Trace> = self.rpc.find(&trace).await?;
        let signer = self.authority.pubkey();
        match trace {
            Some(_) => {
                self.send("attach_audit_trace", &[audits::attach_audit_trace(audit)])
                    .await?
            }
            None => {
                let answer = audits::answer_audit(signer, signer, audit, answer.roots());
                self.send("post_audit_trace", &[answer]).await?;
            }
        }
        Ok(())
    }

    /// Everything about a receipt's answer, from its stored input.
    async fn recompute(&self, report: &Report, collection: &Pubkey, receipt_index: u32) -> anyhow::Result<Answer> {
        let input = self.input_at(report, collection, receipt_index).await?;
        let served = self
            .served(&report.model_root)
            .context("the model's file is not configured")?;
        let executor = served.executor.clone();
        Ok(tokio::task::spawn_blocking(move || executor.answer(&input)).await??)
    }

    async fn answer_dispute(&self, report: &Report, dispute: &Dispute) -> anyhow::Result<()> {
        let answer = self
            .recompute(report, &dispute.collection, dispute.receipt_index)
            .await?;
        anyhow::ensure!(
            answer.claim() == dispute.claim(report.model_root),
            "what was answered is not what the model gives: there is nothing to defend"
        );
        let trace = addresses::opml_oracle::trace(&dispute.report, &dispute.claim_hash);
        let trace: Option<Trace> = self.rpc.find(&trace).await?;
        let next = next_answer(&answer, &dispute.game, trace.is_some());
        let action = match next {
            NextAnswer::PostTrace { .. } | NextAnswer::PostTraceRoot { .. } => "post_trace",
            NextAnswer::AttachTrace => "attach_trace",
            NextAnswer::Reveal { .. } => "reveal",
            NextAnswer::RevealTile { .. } => "reveal_tile",
            NextAnswer::Nothing => anyhow::bail!("the game asks for what no honest answer has"),
        };
        let signer = self.authority.pubkey();
        let instruction = next
            .instruction(dispute, signer, signer)
            .context("an answer is an instruction")?;
        self.send(action, &[instruction]).await?;
        Ok(())
    }

    async fn serve_data(&self, report: &Report, inquiry: &Inquiry) -> anyhow::Result<()> {
        let bytes = match inquiry.subject {
            Subject::Receipts { collection } => {
                let collection: Collection = self.rpc.get(&collection).await?;
                let receipts = self.receipts_of(&collection).await?;
                let tree = ReceiptTree::over(collection.first_sequence, &receipts)?;
                data::answer(inquiry, Source::Receipts(&tree, &receipts))
            }
            Subject::Input {
                collection,
                receipt_index,
            } => {
                let input = self.input_at(report, &collection, receipt_index).await?;
                data::answer(inquiry, Source::Tensor(&input))
            }
            Subject::Constant { index } => {
                let served = self
                    .served(&report.model_root)
                    .context("the model's file is not configured")?;
                let constant = served.model.constants().get(index as usize);
                constant.and_then(|constant| data::answer(inquiry, Source::Tensor(constant)))
            }
        };
        let bytes = bytes.context("the store does not have what is demanded")?;
        self.send("serve_data", &[data_instructions::serve_data(inquiry, bytes)])
            .await?;
        Ok(())
    }

    /// The input that a receipt of a Collection names.
    async fn input_at(&self, report: &Report, collection: &Pubkey, receipt_index: u32) -> anyhow::Result<Tensor> {
        let served = self
            .served(&report.model_root)
            .context("the model's file is not configured")?;
        let collection: Collection = self.rpc.get(collection).await?;
        let sequence = collection.first_sequence + u64::from(receipt_index);
        let answered = self
            .store
            .requests(&collection.lane, collection.lane_generation, sequence..sequence + 1)
            .await?;
        let answered = answered.first().context("the request is not in the store")?;
        let root = &answered.request.input_root;
        let missing = "the input is not in the store";
        let input = self.store.input(root).await?.context(missing)?;
        let elements = input.elements(root, &self.blobs).await?.context(missing)?;
        Ok(Tensor::new(*served.model.input_spec(), elements)?)
    }
}
