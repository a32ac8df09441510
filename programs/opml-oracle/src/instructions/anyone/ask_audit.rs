use anchor_lang::prelude::*;
use imo_protocol::{COLLECTION_SEED, Collection, Now};

use crate::{
    errors::OracleError,
    events::AuditAsked,
    instructions::ShownReceipt,
    state::{AUDIT_SEED, Audit, REPORT_SEED, Report},
};

/// Shows the drawn receipt once the time to commit is over; from now on the operator owes the trace of its claim.
///
/// Anyone may who has the receipt, which every auditor does. Refuses when nobody committed, another receipt than the drawn one, one that its tree does not hold, and when the
/// window is too short for an answer and a dispute about it.
#[derive(Accounts)]
pub struct AskAudit<'info> {
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    #[account(
        mut,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        seeds = [COLLECTION_SEED, collection.report.as_ref(), collection.lane.as_ref()],
        bump = collection.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub collection: Box<Account<'info, Collection>>,
}

impl AskAudit<'_> {
    pub fn handle(ctx: Context<Self>, receipt: ShownReceipt) -> Result<()> {
        let accounts = ctx.accounts;
        let (audit, report) = (&mut accounts.audit, &mut accounts.report);
        audit.require_drawn(&accounts.collection.key(), receipt.index)?;
        let claim = receipt.require_in(&accounts.collection, &report.model_root)?;
        audit.ask(&Now::read()?, report, &claim)?;
        emit!(AuditAsked {
            audit: audit.key(),
            report: report.key(),
            operator: report.operator,
            claim_hash: audit.claim_hash,
            due_slot: audit.game.deadline.due_slot,
            due_unix: audit.game.deadline.due_unix,
        });
        Ok(())
    }
}
