use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::AuditRevealed,
    state::{AUDIT_ENTRY_SEED, AUDIT_SEED, Audit, AuditEntry},
};

/// Opens a commitment to the trace that the operator has shown.
///
/// The auditor may in the last phase, once. Refuses a commitment to anything else, and one that was made when the trace was on chain already. An auditor whose own
/// trace differs has found fraud, which is for a dispute.
#[derive(Accounts)]
pub struct RevealAudit<'info> {
    pub auditor: Signer<'info>,
    #[account(
        mut,
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    #[account(
        mut,
        has_one = audit @ OracleError::WrongAudit,
        has_one = auditor @ OracleError::NotTheAuditor,
        seeds = [AUDIT_ENTRY_SEED, entry.audit.as_ref(), entry.auditor.as_ref()],
        bump = entry.bump,
    )]
    pub entry: Box<Account<'info, AuditEntry>>,
}

impl RevealAudit<'_> {
    pub fn handle(ctx: Context<Self>, salt: [u8; 32]) -> Result<()> {
        let accounts = ctx.accounts;
        let address = accounts.audit.key();
        accounts
            .audit
            .reveal(&Now::read()?, &address, &mut accounts.entry, &salt)?;
        emit!(AuditRevealed {
            audit: address,
            report: accounts.audit.report,
            auditor: accounts.entry.auditor,
            matched: accounts.audit.game.matched,
        });
        Ok(())
    }
}
