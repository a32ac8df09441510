use anchor_lang::prelude::*;
use imo_protocol::{COLLECTION_SEED, Collection, Now, SESSION_SEED, Session};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::OracleError,
    events::AuditCommitted,
    instructions::permission::require_payers_permission,
    state::{AUDIT_ENTRY_SEED, AUDIT_SEED, Audit, AuditEntry, REPORT_SEED, Report},
};

/// Commits to the trace of the drawn receipt, which only who has recomputed it knows.
///
/// Anyone may in the first phase, once a key, at no cost but the rent; where not everybody can check the receipt, with the signature of its payer or of a live session
/// key of its credit. Refuses another place than the drawn one and a report that has ended.
#[derive(Accounts)]
pub struct CommitAudit<'info> {
    #[account(mut)]
    pub auditor: Signer<'info>,
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    #[account(
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
    /// Where permission is needed: the payer, or the key of `session`.
    pub permission: Option<Signer<'info>>,
    /// The session whose key signs instead of the payer.
    #[account(
        seeds = [SESSION_SEED, session.credit.as_ref(), session.key.as_ref()],
        bump = session.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub session: Option<Box<Account<'info, Session>>>,
    #[account(
        init,
        payer = auditor,
        space = AuditEntry::DISCRIMINATOR.len() + AuditEntry::INIT_SPACE,
        seeds = [AUDIT_ENTRY_SEED, audit.key().as_ref(), auditor.key().as_ref()],
        bump,
    )]
    pub entry: Box<Account<'info, AuditEntry>>,
    pub system_program: Program<'info, System>,
}

impl CommitAudit<'_> {
    fn validate(&self, now: &Now, receipt_index: u32) -> Result<()> {
        self.report.require_owed()?;
        self.audit.require_drawn(&self.collection.key(), receipt_index)?;
        if !self.audit.by_permission {
            return Ok(());
        }
        let session = self.session.as_ref().map(|session| &***session);
        require_payers_permission(
            &self.collection,
            &self.report.model,
            self.permission.as_ref(),
            session,
            now,
        )
    }

    pub fn handle(ctx: Context<Self>, receipt_index: u32, commitment: [u8; 32]) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts.validate(&now, receipt_index)?;
        let accounts = ctx.accounts;
        let audit = &mut accounts.audit;
        audit.game.commit(&now).map_err(OracleError::from)?;
        audit.open_entries = audit.open_entries.checked_add(1).ok_or(OracleError::CountOverflow)?;
        accounts.entry.set_inner(AuditEntry {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.entry,
            audit: audit.key(),
            auditor: accounts.auditor.key(),
            commitment,
            committed_slot: now.slot,
            matched: false,
            reserved: [0; 32],
        });
        emit!(AuditCommitted {
            audit: audit.key(),
            report: audit.report,
            auditor: accounts.auditor.key(),
            commitment,
        });
        Ok(())
    }
}
