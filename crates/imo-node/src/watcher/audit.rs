//! Random audits: drawing them, committing to what the own copy of the model gives, showing it, being paid.
//!
//! Nothing of an audit is remembered: what was committed to follows from the audit, the model and this watcher's secret.

use std::sync::Arc;

use ::model_token::state::{Checkable, ModelVersion, Protocol};
use anchor_lang::{AccountDeserialize, prelude::Pubkey};
use anchor_spl::token::TokenAccount;
use anyhow::Context;
use futures_util::{StreamExt, stream};
use imo_client::{
    addresses::{model_token, opml_oracle as address, revenue_escrow},
    audit as draws,
    instructions::audit as send,
};
use imo_protocol::{Bucket, Collection, Deadline, Now, Receipt};
use opml::{Hash, hashv};
use opml_oracle::{
    audit_game::{AuditPhase, TURNS_TO_ASK, TURNS_TO_DRAW, audit_commitment, audits_of},
    constants::SLOT_HASHES,
    state::{Audit, AuditEntry, AuditFund, Operator, Report, ReportStatus, Trace},
};
use opml_runtime::Execution;
use solana_signer::Signer;

use super::{AT_ONCE, COMPUTE_UNITS, Failures, WatchedModel, WatcherLoop, look::Look};
use crate::{
    chain::{Accounts, places},
    metrics::Metrics,
};

impl WatcherLoop {
    /// Does what is due about audits.
    pub(super) async fn audit_all(&self) -> anyhow::Result<()> {
        if !self.policy.audits {
            return Ok(());
        }
        let now = self.rpc.now().await?;
        let failures = Failures::default();
        let reports = self.rpc.all::<Report>().await?;
        let sealed = reports.iter().filter_map(|(address, report)| {
            let model = self.model(&report.model_root)?;
            (report.status == ReportStatus::Sealed && model.sound().is_ok()).then_some((address, report, model))
        });
        stream::iter(sealed)
            .for_each_concurrent(AT_ONCE, async |(address, report, model)| {
                if let Err(error) = self.audit(address, report, &model, &now).await {
                    failures.note("an audit", address, &error);
                }
            })
            .await;
        let me = self.key.pubkey();
        for (address, entry) in self.rpc.having::<AuditEntry>(places::SECOND_KEY, &me).await? {
            if let Err(error) = self.end_entry(&entry, &now).await {
                failures.note("an audit", &address, &error);
            }
        }
        for (address, audit) in self.rpc.having::<Audit>(places::AUDIT_RENT_PAYER, &me).await? {
            if let Err(error) = self.end_audit(&audit, &now).await {
                failures.note("an audit", &address, &error);
            }
        }
        failures.none()
    }

    /// Draws the audits of a report, and makes the moves in those that are drawn.
    async fn audit(
        &self,
        address: &Pubkey,
        report: &Report,
        model: &Arc<WatchedModel>,
        now: &Now,
    ) -> anyhow::Result<()> {
        self.draw(address, report, now).await?;
        if report.open_audits == 0 {
            return Ok(());
        }
        let operator: Operator = self.rpc.get(&report.operator).await?;
        for (audit_address, audit) in self.rpc.of_report::<Audit>(address).await? {
            let collection: Collection = self.rpc.get(&audit.collection).await?;
            let look = self.look(*address, report, &collection, &operator.endpoint)?;
            self.play_audit(&audit_address, &audit, look, model, now)
                .await
                .with_context(|| format!("audit {} of the report {address}", audit.number))?;
        }
        Ok(())
    }

    /// Draws what can be drawn and pays: of a lane into which this watcher may look.
    async fn draw(&self, address: &Pubkey, report: &Report, now: &Now) -> anyhow::Result<()> {
        if !is_left(now, TURNS_TO_DRAW, report) {
            return Ok(());
        }
        // Most mints have no fund, or an empty one: that is looked at first.
        let mut free_units = self.free_audit_units(&report.mint).await?;
        if free_units == 0 {
            return Ok(());
        }
        let protocol: Protocol = self.rpc.get(&model_token::protocol()).await?;
        let fee_units = protocol.audits.fee_units;
        if fee_units == 0 || free_units < fee_units {
            return Ok(());
        }
        let Some(bucket) = self.rpc.find::<Bucket>(&revenue_escrow::bucket(address)).await? else {
            return Ok(());
        };
        let numbers = 0..audits_of(bucket.receipt_count);
        let undrawn: Vec<u8> = numbers
            .filter(|number| report.audits_drawn & (1 << number) == 0)
            .collect();
        if undrawn.is_empty() {
            return Ok(());
        }
        let version: ModelVersion = self.rpc.get(&report.model_version).await?;
        if version.checkable != Checkable::Anyone {
            return Ok(());
        }
        let hashes = self.rpc.accounts(&[SLOT_HASHES]).await?.into_iter().flatten().next();
        let hashes = hashes.context("the cluster has no slot hashes")?;
        let collections: Vec<(Pubkey, Collection)> = self.rpc.of_report(address).await?;
        for number in undrawn {
            let Some(receipt) = draws::drawn(&hashes.data, now.slot, report, &bucket, number) else {
                continue;
            };
            let collection = collections
                .iter()
                .find(|(_, collection)| collection.index_of(receipt).is_some());
            let Some((_, collection)) = collection.filter(|(_, collection)| !collection.private) else {
                continue;
            };
            if free_units < fee_units {
                break;
            }
            let draw = send::draw_audit(self.key.pubkey(), report, collection, number);
            self.send_for_all("draw_audit", draw).await?;
            free_units -= fee_units;
        }
        Ok(())
    }

    /// What the mint's fund has not promised, in units.
    async fn free_audit_units(&self, mint: &Pubkey) -> anyhow::Result<u64> {
        let looked = [address::audit_fund(mint), address::audit_tokens(mint)];
        let [Some(fund), Some(tokens)] = self.rpc.accounts(&looked).await?.try_into().unwrap_or([None, None]) else {
            return Ok(0);
        };
        let fund: Option<AuditFund> = fund.decode();
        let tokens = TokenAccount::try_deserialize(&mut tokens.data.as_slice()).ok();
        let held_units = tokens.map_or(0, |tokens| tokens.amount);
        Ok(held_units.saturating_sub(fund.map_or(0, |fund| fund.owed_units)))
    }

    /// Makes the next move in an audit, if there is one.
    async fn play_audit(
        &self,
        audit_address: &Pubkey,
        audit: &Audit,
        look: Look<'_>,
        model: &Arc<WatchedModel>,
        now: &Now,
    ) -> anyhow::Result<()> {
        let me = self.key.pubkey();
        let over = audit.game.deadline.is_past(now);
        let entry: Option<AuditEntry> = self.rpc.find(&address::audit_entry(audit_address, &me)).await?;
        match audit.game.phase {
            AuditPhase::Drawn if !over && entry.is_none() => self.commit(audit_address, audit, look, model).await,
            AuditPhase::Drawn if over && audit.game.committed > 0 && is_left(now, TURNS_TO_ASK, look.report) => {
                let (look, _) = self.drawn_receipt(audit, look).await?;
                let shown = look
                    .receipts
                    .shown(audit.receipt_index)
                    .context("a receipt is in its tree")?;
                self.send_for_all("ask_audit", send::ask_audit(audit, shown)).await
            }
            AuditPhase::Asked if over => {
                let trace = address::trace(&audit.report, &audit.claim_hash);
                let trace: Option<Trace> = self.rpc.find(&trace).await?;
                let (action, instruction) = match trace {
                    Some(_) => ("attach_audit_trace", send::attach_audit_trace(audit)),
                    None => ("time_out_audit", send::time_out_audit(audit)),
                };
                self.send_for_all(action, instruction).await
            }
            AuditPhase::Traced if !over && entry.as_ref().is_some_and(|entry| !entry.matched) => {
                let entry = entry.context("there is an entry")?;
                self.reveal(audit_address, audit, &entry, look, model).await
            }
            _ => Ok(()),
        }
    }

    async fn commit(
        &self,
        audit_address: &Pubkey,
        audit: &Audit,
        look: Look<'_>,
        model: &Arc<WatchedModel>,
    ) -> anyhow::Result<()> {
        if audit.by_permission && look.asked.as_ref().is_none_or(|asked| asked.session().is_none()) {
            Metrics::count(&self.metrics.watcher, "audit_not_permitted");
            return Ok(());
        }
        let (look, receipt) = self.drawn_receipt(audit, look).await?;
        let own = self.own_execution(audit, &look, &receipt, model).await?;
        if own.claim() != receipt.claim {
            // No audit pays who agrees with a lie: the report's own look disputes it.
            tracing::warn!(audit = %audit_address, "a drawn answer is wrong");
            return self.dispute_trace(&look, audit.receipt_index, &receipt, own).await;
        }
        let me = self.key.pubkey();
        let commitment = audit_commitment(audit_address, &me, &own.trace_root(), &self.salt(audit_address));
        let asked = look.asked.as_ref().filter(|_| audit.by_permission);
        let permission = asked.and_then(|asked| asked.permission());
        let commit = send::commit_audit(me, audit, look.collection, permission, commitment);
        let session: Vec<_> = asked.and_then(|asked| asked.session()).into_iter().collect();
        self.send("commit_audit", &[commit], COMPUTE_UNITS, &session).await?;
        Ok(())
    }

    /// Opens the commitment when the operator's trace is the own one. When it is not, the operator shows a trace that the model does not give: that is fraud, whatever the output.
    async fn reveal(
        &self,
        audit_address: &Pubkey,
        audit: &Audit,
        entry: &AuditEntry,
        look: Look<'_>,
        model: &Arc<WatchedModel>,
    ) -> anyhow::Result<()> {
        let (me, salt) = (self.key.pubkey(), self.salt(audit_address));
        if audit_commitment(audit_address, &me, &audit.game.trace_root, &salt) == entry.commitment {
            if entry.committed_slot < audit.game.traced_slot {
                self.send(
                    "reveal_audit",
                    &[send::reveal_audit(me, audit, salt)],
                    COMPUTE_UNITS,
                    &[],
                )
                .await?;
            }
            return Ok(());
        }
        let (look, receipt) = self.drawn_receipt(audit, look).await?;
        let own = self.own_execution(audit, &look, &receipt, model).await?;
        if own.trace_root() != audit.game.trace_root {
            Metrics::count(&self.metrics.watcher, "trace_wrong");
            tracing::warn!(audit = %audit_address, "an operator shows a trace that its model does not give");
            self.dispute_trace(&look, audit.receipt_index, &receipt, own).await?;
        }
        Ok(())
    }

    async fn drawn_receipt<'a>(&self, audit: &Audit, mut look: Look<'a>) -> anyhow::Result<(Look<'a>, Receipt)> {
        let withheld = self.find_receipts(&mut look).await;
        match look.receipts.get(audit.receipt_index) {
            Some(receipt) => Ok((look, receipt)),
            None => Err(match withheld {
                Err(error) => error.context("the drawn receipt is not known"),
                Ok(()) => anyhow::anyhow!("the drawn receipt is not known"),
            }),
        }
    }

    async fn own_execution(
        &self,
        audit: &Audit,
        look: &Look<'_>,
        receipt: &Receipt,
        model: &Arc<WatchedModel>,
    ) -> anyhow::Result<Execution> {
        let input = self.find_input(look, model, audit.receipt_index, receipt).await?;
        model.execute(input).await
    }

    /// Settles the audit of an own entry and has it paid.
    async fn end_entry(&self, entry: &AuditEntry, now: &Now) -> anyhow::Result<()> {
        let audit: Audit = self.rpc.get(&entry.audit).await?;
        if !audit.settled && !self.settle_audit(&audit, now).await? {
            return Ok(());
        }
        let audit: Audit = self.rpc.get(&entry.audit).await?;
        let units = if entry.matched { audit.auditor_units } else { 0 };
        tracing::info!(audit = %entry.audit, units, "an audit is paid out");
        let withdraw = send::withdraw_audit_fee(self.key.pubkey(), &audit, entry);
        self.send("withdraw_audit_fee", &[withdraw], COMPUTE_UNITS, &[]).await?;
        Ok(())
    }

    /// Closes an audit that this watcher has drawn, once nobody needs it.
    async fn end_audit(&self, audit: &Audit, now: &Now) -> anyhow::Result<()> {
        if !audit.settled && !self.settle_audit(audit, now).await? {
            return Ok(());
        }
        let address = address::audit(&audit.report, audit.number);
        let audit: Audit = self.rpc.get(&address).await?;
        if audit.open_entries == 0 {
            self.send("close_audit", &[send::close_audit(&audit)], COMPUTE_UNITS, &[])
                .await?;
        }
        Ok(())
    }

    /// Whether it is settled now.
    async fn settle_audit(&self, audit: &Audit, now: &Now) -> anyhow::Result<bool> {
        let report: Report = self.rpc.get(&audit.report).await?;
        self.finalise(&audit.report, &report, now).await?;
        let report: Report = self.rpc.get(&audit.report).await?;
        let rejected = report.status == ReportStatus::Rejected;
        if audit
            .game
            .require_over_with(now, report.is_terminal(), rejected)
            .is_err()
        {
            return Ok(false);
        }
        self.send_for_all("settle_audit", send::settle_audit(audit)).await?;
        Ok(true)
    }

    fn salt(&self, audit: &Pubkey) -> Hash {
        hashv(&[b"imo:watch-audit:v1", &self.secret, audit.as_ref()])
    }
}

/// Whether so many turns are left of a report's window, as the program counts.
fn is_left(now: &Now, turns: u64, report: &Report) -> bool {
    let needed = Deadline::after(now, report.terms.response_slots.saturating_mul(turns));
    needed.due_slot <= report.window.due_slot && needed.due_unix <= report.window.due_unix
}
