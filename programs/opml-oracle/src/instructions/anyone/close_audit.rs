use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    events::AuditClosed,
    state::{AUDIT_SEED, Audit},
};

/// Closes an audit that has paid everybody; its rent goes to who paid it. It is not drawn again: the report remembers its number.
///
/// Anyone may, once it is settled and every entry is closed. The report need not be there any more.
#[derive(Accounts)]
pub struct CloseAudit<'info> {
    #[account(
        mut,
        close = rent_payer,
        has_one = rent_payer @ OracleError::WrongRentPayer,
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    /// CHECK: only receives the rent; its address is the one stored.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseAudit<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.audit.settled, OracleError::NotSettled);
        require!(self.audit.open_entries == 0, OracleError::EntriesOpen);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        emit!(AuditClosed {
            audit: ctx.accounts.audit.key(),
            report: ctx.accounts.audit.report,
        });
        Ok(())
    }
}
