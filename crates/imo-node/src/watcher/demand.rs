//! What an endpoint withholds is demanded on chain, where not showing it loses.

use std::fmt;

use anchor_lang::prelude::Pubkey;
use anyhow::Context;
use imo_client::{addresses, instructions::data as send};
use imo_protocol::{Collection, Now};
use opml::hashv;
use opml_oracle::{
    math::data_fee::data_fee_units,
    state::{Inquiry, Report, ReportStatus},
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{
    COMPUTE_UNITS, WatcherLoop,
    look::Look,
    shown::{Shown, ShownPart, answers},
};
use crate::metrics::Metrics;

/// What a watcher asks about in a Collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Receipts,
    /// The input of the receipt at an index.
    Input(u32),
}

/// What a watcher would have to know to look at an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Receipt { lane: Pubkey, index: u32 },
    Input { lane: Pubkey, index: u32 },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receipt { lane, index } => write!(f, "receipt {index} of the lane {lane}"),
            Self::Input { lane, index } => write!(f, "the input of receipt {index} of the lane {lane}"),
        }
    }
}

impl WatcherLoop {
    /// An inquiry's own number follows from its subject, so that nothing has to be remembered for it to be found again.
    fn inquiry(&self, collection: &Collection, subject: Subject) -> (Pubkey, u64) {
        let about = match subject {
            Subject::Receipts => u64::MAX,
            Subject::Input(index) => index.into(),
        };
        let hash = hashv(&[b"imo:inquiry", collection.lane.as_ref(), &about.to_le_bytes()]);
        let nonce = hash.first_chunk().map_or(0, |number| u64::from_le_bytes(*number));
        let address = addresses::opml_oracle::inquiry(&collection.report, &self.key.pubkey(), nonce);
        (address, nonce)
    }

    /// What the operator showed about a subject. `None` when nobody demanded it.
    pub(super) async fn shown(&self, look: &Look<'_>, subject: Subject) -> anyhow::Result<Option<Shown>> {
        if look.report.demands_made == 0 {
            return Ok(None);
        }
        let (address, _) = self.inquiry(look.collection, subject);
        let Some(inquiry) = self.rpc.find::<Inquiry>(&address).await? else {
            return Ok(None);
        };
        let shown = self.shown_in(&address, &inquiry, look.report).await?;
        Ok(Some(shown))
    }

    /// What was shown in an inquiry, from the store and, what is new, from the chain's history.
    async fn shown_in(&self, address: &Pubkey, inquiry: &Inquiry, report: &Report) -> anyhow::Result<Shown> {
        let mut stored = self.store.shown(address).await?;
        let answered = inquiry.game.demands - u32::from(inquiry.game.pending.is_some());
        if (stored.len() as u64) < u64::from(answered) {
            for ShownPart { level, index, bytes } in answers(address, &self.rpc.history(address).await?) {
                self.store.add_shown(address, level, index, &bytes).await?;
            }
            stored = self.store.shown(address).await?;
            tracing::info!(inquiry = %address, answers = stored.len(), "what was demanded was shown on chain");
            Metrics::count(&self.metrics.watcher, "data_read_from_chain");
        }
        let parts = stored
            .into_iter()
            .map(|(level, index, bytes)| ShownPart { level, index, bytes });
        let shown = Shown::new(inquiry, report.model_root).context("an inquiry's tree has no form")?;
        Ok(shown.over(parts.collect()))
    }

    /// Demands what is missing of a Collection, once the endpoint had its time and as far as the budget goes.
    pub(super) async fn demand(&self, look: &Look<'_>, missing: &[Missing], now: &Now) -> anyhow::Result<()> {
        let patient_until = look
            .report
            .window
            .opened_slot
            .saturating_add(self.policy.patience_slots);
        if self.policy.demand_units == 0 || now.slot < patient_until {
            return Ok(());
        }
        let lane = look.collection.lane;
        let receipts: Vec<u32> = missing
            .iter()
            .filter_map(|missing| match missing {
                Missing::Receipt { lane: of, index } if *of == lane => Some(*index),
                _ => None,
            })
            .collect();
        if !receipts.is_empty() {
            self.demand_leaves(look, Subject::Receipts, &receipts).await?;
        }
        for missing in missing {
            if let Missing::Input { lane: of, index } = missing
                && *of == lane
            {
                let demanded = self.demand_leaves(look, Subject::Input(*index), &[]).await;
                self.progress(&look.report_address, |progress| {
                    progress.set_demanded((lane, *index), demanded.is_ok())
                });
                demanded?;
            }
        }
        Ok(())
    }

    /// The next demand in one inquiry, which is opened if it is not. `receipts` are those that are wanted; of an input all of it is.
    async fn demand_leaves(&self, look: &Look<'_>, subject: Subject, receipts: &[u32]) -> anyhow::Result<()> {
        let (address, nonce) = self.inquiry(look.collection, subject);
        let inquiry = match self.rpc.find::<Inquiry>(&address).await? {
            Some(inquiry) => inquiry,
            None => {
                // What cannot be gone into is not opened: its rent would wait for the report's end.
                self.require_affordable(
                    look,
                    data_fee_units(look.report.terms.byte_fee_units, 0).unwrap_or(u64::MAX),
                )
                .await?;
                self.open_inquiry(look, subject, nonce).await?;
                self.rpc.get(&address).await?
            }
        };
        if inquiry.game.pending.is_some() || inquiry.order.is_some() || inquiry.settled {
            return Ok(());
        }
        let shown = self.shown_in(&address, &inquiry, look.report).await?;
        let leaf = match subject {
            Subject::Receipts => receipts
                .iter()
                .copied()
                .find(|index| shown.receipt_at(*index).is_none()),
            Subject::Input(_) => shown.missing_tiles().next(),
        };
        let Some(demand) = leaf.and_then(|leaf| shown.demand_for(leaf)) else {
            return Ok(());
        };
        let fee = shown
            .answer_bytes(&demand)
            .and_then(|bytes| data_fee_units(look.report.terms.byte_fee_units, bytes))
            .context("the fee of a demand is no amount")?;
        self.require_affordable(look, fee).await?;
        tracing::info!(
            inquiry = %address, report = %look.report_address, level = demand.level, index = demand.index, fee,
            "what the endpoint withholds is demanded"
        );
        self.send(
            "demand_data",
            &[send::demand_data(&inquiry, &demand)],
            COMPUTE_UNITS,
            &[],
        )
        .await?;
        Ok(())
    }

    async fn open_inquiry(&self, look: &Look<'_>, subject: Subject, nonce: u64) -> anyhow::Result<()> {
        let (me, report, collection) = (self.key.pubkey(), look.report, look.collection);
        let asked = look.asked.as_ref().filter(|_| collection.private);
        let permission = asked.and_then(|asked| asked.permission());
        let open = match subject {
            Subject::Receipts => send::open_receipts_inquiry(me, report, collection, permission, nonce),
            Subject::Input(index) => {
                let shown = look.receipts.shown(index).context("a receipt is in its tree")?;
                send::open_input_inquiry(me, report, collection, shown, permission, nonce)
            }
        };
        let session: Vec<&Keypair> = asked.and_then(|asked| asked.session()).into_iter().collect();
        self.send("open_inquiry", &[open], COMPUTE_UNITS, &session).await?;
        Ok(())
    }

    /// Refuses a demand with which all own demands on the report would cost more than the budget.
    async fn require_affordable(&self, look: &Look<'_>, fee_units: u64) -> anyhow::Result<()> {
        let inquiries = self.rpc.of_report::<Inquiry>(&look.report_address).await?;
        let own = inquiries
            .iter()
            .filter(|(_, inquiry)| inquiry.demander == self.key.pubkey());
        let spent_units: u64 = own.map(|(_, inquiry)| inquiry.fees_units).sum();
        if spent_units.saturating_add(fee_units) > self.policy.demand_units {
            Metrics::count(&self.metrics.watcher, "demand_unaffordable");
            anyhow::bail!(
                "{spent_units} units were paid for demands on this report, one more costs {fee_units}, and the budget is {}",
                self.policy.demand_units
            );
        }
        Ok(())
    }

    /// Ends an own inquiry: by its deadline when nobody answers, else with its report.
    pub(super) async fn pursue_inquiry(&self, address: &Pubkey, now: &Now) -> anyhow::Result<()> {
        let Some(inquiry) = self.rpc.find::<Inquiry>(address).await? else {
            return Ok(());
        };
        let inquiry = &inquiry;
        if inquiry.settled {
            tracing::info!(inquiry = %address, units = inquiry.payout_units, "an inquiry is paid out");
            let withdraw = send::withdraw_inquiry(self.key.pubkey(), inquiry);
            self.send("withdraw_inquiry", &[withdraw], COMPUTE_UNITS, &[]).await?;
            self.store.forget_shown(address).await?;
            return Ok(());
        }
        let report: Report = self.rpc.get(&inquiry.report).await?;
        if report.status == ReportStatus::Sealed {
            let silent = inquiry
                .game
                .pending
                .is_some_and(|pending| pending.deadline.is_past(now));
            if silent {
                tracing::warn!(inquiry = %address, report = %inquiry.report, "what was demanded was not shown in time");
                return self
                    .send_for_all("time_out_demand", send::time_out_demand(inquiry))
                    .await;
            }
            return self.finalise(&inquiry.report, &report, now).await;
        }
        if !report.is_terminal() {
            return Ok(());
        }
        let turn = inquiry.order.unwrap_or(report.disputes_settled);
        self.settle_disputes(&inquiry.report, &report, turn, now).await?;
        let report: Report = self.rpc.get(&inquiry.report).await?;
        if inquiry.order.is_none_or(|order| order == report.disputes_settled) {
            return self.send_for_all("settle_inquiry", send::settle_inquiry(inquiry)).await;
        }
        Ok(())
    }
}
