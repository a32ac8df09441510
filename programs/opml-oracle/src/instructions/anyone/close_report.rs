use anchor_lang::prelude::*;
use imo_protocol::Bucket;

use crate::{
    errors::OracleError,
    events::ReportClosed,
    state::{REPORT_SEED, Report},
};

/// Closes a report that nothing refers to any more; its rent goes to who paid it.
///
/// Anyone may, once the report has ended, its disputes, inquiries and audits are settled, its traces closed, and the escrow's bucket for it closed. Payouts that nobody has
/// withdrawn yet do not need it. Its address is never used again: the operator's sequence only grows.
#[derive(Accounts)]
pub struct CloseReport<'info> {
    #[account(
        mut,
        close = rent_payer,
        has_one = rent_payer @ OracleError::WrongRentPayer,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    /// CHECK: only receives the rent; its address is the one stored.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
    /// CHECK: the address of the escrow's bucket, derived in the handler; it must be closed. Lamports that somebody sent there do not matter.
    pub bucket: UncheckedAccount<'info>,
}

impl CloseReport<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.report.is_terminal(), OracleError::ReportNotEnded);
        require!(self.report.is_settled(), OracleError::DisputesUnsettled);
        require!(self.report.open_traces == 0, OracleError::TracesOpen);
        require!(self.report.open_inquiries == 0, OracleError::InquiriesOpen);
        require!(self.report.open_audits == 0, OracleError::AuditsOpen);
        let (bucket, _) = Bucket::address(&self.report.key());
        require_keys_eq!(self.bucket.key(), bucket, OracleError::WrongBucket);
        require!(
            self.bucket.owner == &System::id() && self.bucket.data_is_empty(),
            OracleError::BucketOpen
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        emit!(ReportClosed {
            report: ctx.accounts.report.key(),
            operator: ctx.accounts.report.operator,
        });
        Ok(())
    }
}
