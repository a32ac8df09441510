//! Operators, their reports, and whoever disputes, asks and audits.

use ::opml_oracle::{
    audit_game::AuditPhase as ChainAuditPhase,
    game::{Phase as ChainPhase, Tree},
    state::{Audit, AuditEntry, AuditFund, Dispute, Equivocation, Inquiry, Operator, Report, ReportStatus, StakeVault},
};
use imo_client::addresses;
use imo_protocol::{Bucket, Collection};

use super::assert_due;
use crate::histories::{
    ledger::{AuditPhase, Phase, Status},
    stage::Stage,
};

pub fn assert_oracle(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    for (operator, staked) in ledger.operators.iter().enumerate() {
        let address = stage.operator_account(operator);
        if !staked.registered {
            assert!(!world.is_made(&address), "an operator that nobody registered");
            continue;
        }
        let chain: Operator = world.read(&address);
        assert_eq!(
            (
                chain.stake_units,
                chain.locked_units,
                chain.unbonding_units,
                chain.open_disputes
            ),
            (staked.stake, staked.locked, staked.unbonding, staked.open_disputes)
        );
        assert_due(&chain.jail, staked.jail.map(|due| due.slot));
        assert_due(&chain.key_change, staked.key_change.map(|due| due.slot));
        let reports = ledger
            .reports
            .iter()
            .filter(|report| report.operator == operator && !report.has_ended());
        assert_eq!(chain.open_reports as usize, reports.count());
    }
    for report in 0..ledger.reports.len() {
        assert_report(stage, report);
    }
    for dispute in 0..ledger.disputes.len() {
        assert_dispute(stage, dispute);
    }
    for inquiry in 0..ledger.inquiries.len() {
        assert_inquiry(stage, inquiry);
    }
    for audit in 0..ledger.audits.len() {
        assert_audit(stage, audit);
    }
    for ((operator, question), shown) in &ledger.equivocations {
        let chain: Equivocation = world.read(&stage.equivocation_account(*operator, *question));
        assert_eq!(
            (chain.due_units, chain.slashed_units, chain.payout_units),
            (shown.due, shown.slashed, shown.payout),
            "an equivocation"
        );
    }
    if ledger.founded.stake_vault {
        assert_stakes(stage);
    }
    if ledger.founded.audit_fund {
        let fund: AuditFund = world.read(&addresses::opml_oracle::audit_fund(&world.usdc));
        let held = world.tokens(&addresses::opml_oracle::audit_tokens(&world.usdc));
        assert_eq!(
            (held, fund.owed_units),
            (ledger.fund.held, ledger.fund.owed),
            "the fund of audits"
        );
        let owed = ledger
            .audits
            .iter()
            .filter(|audit| !audit.closed)
            .map(|audit| audit.owed());
        assert_eq!(fund.owed_units, owed.sum::<u64>(), "what audits are owed");
    }
}

fn assert_stakes(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let stakes: StakeVault = world.read(&addresses::opml_oracle::stake_vault(&world.usdc));
    assert_eq!(
        (stakes.owed_units, stakes.insurance_units),
        (ledger.stakes_owe(), ledger.insurance),
        "what the vault of stakes owes"
    );
    let held = world.tokens(&addresses::opml_oracle::stake_tokens(&world.usdc));
    assert_eq!(held, ledger.stakes_owe(), "what the vault of stakes holds");
}

fn assert_report(stage: &Stage, report: usize) {
    let (world, reported) = (&stage.world, &stage.ledger.reports[report]);
    let address = stage.report_account(report);
    if reported.closed {
        assert!(!world.is_made(&address), "a report that is closed");
        return;
    }
    let chain: Report = world.read(&address);
    let status = match chain.status {
        ReportStatus::Open => Status::Open,
        ReportStatus::Sealed => Status::Sealed,
        ReportStatus::Final => Status::Final,
        ReportStatus::Rejected => Status::Rejected,
    };
    assert_eq!(
        (
            status,
            chain.bond_units,
            chain.max_collect_units,
            chain.slashed_units,
            chain.costs_paid_units
        ),
        (
            reported.status,
            reported.bond,
            reported.max_collect,
            reported.slashed,
            reported.costs
        )
    );
    assert_eq!(
        (
            chain.disputes_opened,
            chain.disputes_settled,
            chain.share_paid,
            chain.open_traces as usize
        ),
        (
            reported.disputes,
            reported.settled,
            reported.share_given,
            reported.traces.len()
        )
    );
    assert_eq!(
        (
            chain.open_inquiries,
            chain.demands_made,
            chain.demands_pending,
            u32::from(chain.open_audits)
        ),
        (
            reported.inquiries,
            reported.demands_made,
            reported.demands_pending,
            reported.open_audits
        )
    );
    assert_due(&chain.window, reported.window.map(|due| due.slot));
    let bucket = addresses::revenue_escrow::bucket(&address);
    let Some(filled) = &reported.bucket else {
        assert!(!world.is_made(&bucket), "a bucket that is closed");
        return;
    };
    let chain: Bucket = world.read(&bucket);
    assert_eq!(
        (chain.collected_units, chain.retracted_units, chain.fee_units),
        (filled.units, filled.retracted, filled.fees)
    );
    assert_eq!(
        (chain.settled, chain.open_collections as usize, chain.receipt_count),
        (filled.split, filled.collections.len(), reported.receipts)
    );
    for (payer, collection) in &filled.collections {
        let chain: Collection = world.read(&stage.collection_account(report, *payer));
        assert_eq!(
            (chain.amount_units, chain.first_sequence, u64::from(chain.count)),
            (collection.units, collection.first, collection.count)
        );
        assert_eq!(
            (chain.retracted, chain.retraction_fee_units, chain.first_receipt),
            (collection.retracted, collection.fee, collection.first_receipt)
        );
    }
}

fn assert_dispute(stage: &Stage, dispute: usize) {
    let (world, disputed) = (&stage.world, &stage.ledger.disputes[dispute]);
    let address = stage.dispute_account(dispute);
    if disputed.closed {
        assert!(!world.is_made(&address), "a dispute that is closed");
        return;
    }
    let chain: Dispute = world.read(&address);
    let phase = match chain.game.phase {
        ChainPhase::Opened => Phase::Opened,
        ChainPhase::Pointed => Phase::Pointed,
        ChainPhase::Traced | ChainPhase::Narrowed => Phase::Traced,
        ChainPhase::Demanded => Phase::Demanded,
        ChainPhase::TileKnown => Phase::TileKnown,
        ChainPhase::Proven => Phase::Proven,
        ChainPhase::Lost => Phase::Lost,
    };
    assert_eq!(
        (phase, chain.order, chain.bond_units, chain.settled, chain.payout_units),
        (
            disputed.phase,
            disputed.order,
            disputed.bond,
            disputed.settled,
            disputed.payout
        )
    );
    assert_eq!(
        (chain.game.clocks.challenger_slots, chain.game.clocks.operator_slots),
        (disputed.challenger_left, disputed.operator_left)
    );
    assert_eq!(
        (
            u64::from(chain.game.challenger_moves),
            u64::from(chain.game.operator_moves)
        ),
        (disputed.challenger_moves, disputed.operator_moves)
    );
    if matches!(disputed.phase, Phase::Traced | Phase::Demanded) {
        let (walk, cursor) = (&disputed.walk, &chain.game.cursor);
        assert_eq!(cursor.tree == Tree::Tensor, walk.in_node);
        if !walk.in_node {
            assert_eq!((cursor.level, cursor.first), (walk.level, walk.first));
        }
    }
    if disputed.is_running() {
        assert_due(&chain.game.clocks.deadline, Some(disputed.due.slot));
    }
}

fn assert_inquiry(stage: &Stage, inquiry: usize) {
    let (world, asked) = (&stage.world, &stage.ledger.inquiries[inquiry]);
    let address = stage.inquiry_account(inquiry);
    if asked.closed {
        assert!(!world.is_made(&address), "an inquiry that is closed");
        return;
    }
    let chain: Inquiry = world.read(&address);
    assert_eq!(
        (chain.fees_units, chain.order, chain.settled, chain.payout_units),
        (asked.fees, asked.order, asked.settled, asked.payout)
    );
    assert_eq!(u64::from(chain.game.demands), asked.demands);
    assert_eq!(
        chain.game.pending.map(|pending| pending.deadline.due_slot),
        asked.pending.map(|due| due.slot)
    );
}

fn assert_audit(stage: &Stage, audit: usize) {
    let (world, drawn) = (&stage.world, &stage.ledger.audits[audit]);
    let address = stage.audit_account(audit);
    if drawn.closed {
        assert!(!world.is_made(&address), "an audit that is closed");
        return;
    }
    let chain: Audit = world.read(&address);
    let phase = match chain.game.phase {
        ChainAuditPhase::Drawn => AuditPhase::Drawn,
        ChainAuditPhase::Asked => AuditPhase::Asked,
        ChainAuditPhase::Traced => AuditPhase::Traced,
        ChainAuditPhase::Silent => AuditPhase::Silent,
    };
    assert_eq!(
        (phase, chain.receipt_index, chain.game.committed, chain.game.matched),
        (drawn.phase, drawn.receipt, drawn.committed, drawn.matched)
    );
    assert_eq!(
        (chain.settled, chain.auditor_units, chain.open_entries as usize),
        (
            drawn.settled,
            drawn.auditor_units,
            drawn.entries.iter().flatten().count()
        )
    );
    if drawn.phase != AuditPhase::Silent {
        assert_due(&chain.game.deadline, Some(drawn.due.slot));
    }
    for (auditor, entry) in stage.ledger.people.challengers.iter().zip(&drawn.entries) {
        let address = addresses::opml_oracle::audit_entry(&address, auditor);
        let Some(entry) = entry else {
            assert!(!world.is_made(&address), "an auditor's entry that is closed");
            continue;
        };
        let chain: AuditEntry = world.read(&address);
        assert_eq!(chain.matched, entry.matched);
    }
}
