use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::{AuditUnanswered, SlashInsured},
    instructions::verdict::reject,
    state::{AUDIT_SEED, Audit, OPERATOR_SEED, Operator, REPORT_SEED, Report, STAKE_VAULT_SEED, StakeVault, Trace},
};

/// Rejects the report of an operator that did not show the trace of an audited claim in time: to be silent is never cheaper than to be wrong. No prover's share is due for
/// it, because nobody has proven anything; disputes that were opened before go on, and take what is theirs.
///
/// Anyone may. Refuses while the answer is still in time, when the trace is on chain already, and after the report has ended, when nobody owes an answer any more.
#[derive(Accounts)]
pub struct TimeOutAudit<'info> {
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    #[account(
        mut,
        has_one = operator @ OracleError::WrongOperator,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        mut,
        constraint = stake_vault.mint == report.mint @ OracleError::WrongMint,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
    /// CHECK: the address of the claim's trace, derived in the handler; there must be none.
    pub trace: UncheckedAccount<'info>,
}

impl TimeOutAudit<'_> {
    fn validate(&self) -> Result<()> {
        self.report.require_owed()?;
        let existing = Trace::existing(&self.trace, &self.report.key(), &self.audit.claim_hash)?;
        require!(existing.is_none(), OracleError::TraceIsPosted);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let now = Now::read()?;
        let accounts = ctx.accounts;
        let (audit, report) = (&mut accounts.audit, &mut accounts.report);
        audit.game.time_out(&now).map_err(OracleError::from)?;
        report.end_demand()?;
        emit!(AuditUnanswered {
            audit: audit.key(),
            report: report.key(),
            operator: report.operator,
        });
        reject(audit.key(), report, &mut accounts.operator, &now)?;
        if let Some(amount_units) = report.insure_unclaimed(&mut accounts.stake_vault)? {
            emit!(SlashInsured {
                report: report.key(),
                mint: report.mint,
                amount_units,
            });
        }
        Ok(())
    }
}
