use anchor_lang::prelude::*;
use opml_oracle::state::Report;

use crate::{
    errors::RevenueEscrowError,
    events::BucketClosed,
    state::{BUCKET_SEED, Bucket},
};

/// Closes the bucket of a report that has ended, once its collections are all closed, which they are only after a split or a refund, and fees of retractions
/// are split or given back; the rent goes back to who paid it. Anyone may. Only then can the oracle close the report.
#[derive(Accounts)]
pub struct CloseBucket<'info> {
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [BUCKET_SEED, bucket.report.as_ref()],
        bump = bucket.bump,
        has_one = report @ RevenueEscrowError::WrongReport,
        has_one = rent_payer @ RevenueEscrowError::WrongRentPayer,
    )]
    pub bucket: Box<Account<'info, Bucket>>,
    /// CHECK: the bucket names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseBucket<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.report.is_terminal(), RevenueEscrowError::ReportNotEnded);
        let bucket = &self.bucket;
        require!(bucket.open_collections == 0, RevenueEscrowError::BucketInUse);
        let money = [bucket.collected_units, bucket.retracted_units, bucket.fee_units];
        require!(money == [0; 3], RevenueEscrowError::NotEmpty);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let bucket = &ctx.accounts.bucket;
        emit!(BucketClosed {
            report: bucket.report,
            bucket: bucket.key()
        });
        Ok(())
    }
}
