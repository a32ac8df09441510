//! The watcher recomputes everything, finds the lie, and proves it.

use anyhow::Context;
use imo_client::addresses as at;
use opml_oracle::state::{Dispute, Report, ReportStatus};

use super::{DisputeFigures, Story};
use crate::demo::{cast::Role, stage::Seen, terms};

/// The watcher's first dispute of the report.
const NONCE: u64 = 0;

/// What both sides send from the opening to the proof.
const MOVES: [&str; 12] = [
    "OpenDispute",
    "Point",
    "PostTrace",
    "PostTraceRoot",
    "AttachTrace",
    "Demand",
    "DemandNode",
    "Reveal",
    "RevealTile",
    "InitWitness",
    "WriteWitness",
    "Prove",
];

const CHALLENGER_MOVES: [&str; 4] = ["Point", "Demand", "DemandNode", "Prove"];

const OPERATOR_MOVES: [&str; 4] = ["PostTrace", "PostTraceRoot", "Reveal", "RevealTile"];

impl Story<'_> {
    pub fn dispute(&mut self) -> anyhow::Result<DisputeFigures> {
        self.stage
            .chapter("The watcher recomputes every receipt, and disputes the one that is wrong");
        let report = self.places.report(Role::OperatorB);
        let dispute = at::opml_oracle::dispute(&report, &Role::Watcher.address(), NONCE);
        self.stage.wait("operator B's report is rejected", |cluster| {
            let report: Option<Report> = cluster.find_account(&report)?;
            // It may be closed already.
            Ok(report.is_none_or(|report| report.status == ReportStatus::Rejected))
        })?;
        self.stage.wait("the watcher is paid", |cluster| {
            Ok(cluster.find_account::<Dispute>(&dispute)?.is_none())
        })?;
        let (right, wrong) = self.checked()?;
        self.stage.aside(
            Role::Watcher,
            format_args!("has found {right} answers right and {wrong} wrong so far"),
        );
        let figures = figures(self.stage.seen());
        self.ledger.open_dispute();
        self.ledger.slash(Role::OperatorB, figures.challenger_moves);
        self.ledger.withdraw_payout();
        Ok(figures)
    }

    /// Waits until the watcher has recomputed all that operator A answered.
    pub fn wait_for_checks(&mut self) -> anyhow::Result<()> {
        let url = self.metrics_url();
        let runtime = self.runtime;
        self.stage.wait("the watcher has checked everything", |_| {
            let (right, _) = runtime.block_on(counts(&url))?;
            Ok(right >= terms::QUESTIONS as u64)
        })
    }

    /// How many answers the watcher found right and wrong.
    fn checked(&self) -> anyhow::Result<(u64, u64)> {
        self.runtime.block_on(counts(&self.metrics_url()))
    }

    fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.metrics_port)
    }
}

async fn counts(url: &str) -> anyhow::Result<(u64, u64)> {
    let text = reqwest::get(url)
        .await
        .context("The watcher does not show its metrics")?
        .text()
        .await?;
    let count = |outcome: &str| {
        let label = format!("outcome=\"{outcome}\"");
        let line = text.lines().find(|line| line.contains(&label));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
    };
    Ok((count("answer_right"), count("answer_wrong")))
}

/// Counts what the dispute took.
fn figures(seen: &[Seen]) -> DisputeFigures {
    let mut figures = DisputeFigures::default();
    for Seen { role, landed } in seen {
        let made = |moves: &[&str]| {
            let names = landed.instructions.iter();
            names.filter(|name| moves.contains(&name.as_str())).count() as u64
        };
        if made(&MOVES) == 0 {
            continue;
        }
        figures.transactions += 1;
        figures.compute_units += landed.compute_units;
        figures.bytes += landed.bytes;
        match role {
            Role::Watcher => figures.challenger_moves += made(&CHALLENGER_MOVES),
            _ => figures.operator_moves += made(&OPERATOR_MOVES),
        }
    }
    figures
}
