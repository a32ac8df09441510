use anchor_lang::prelude::*;
use opml_oracle::state::{Report, ReportStatus};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::RevenueEscrowError,
    events::BucketOpened,
    state::{BUCKET_SEED, Bucket},
};

/// Opens the bucket of an open report, into which its collections go. Anyone may, once; the operator does together with posting the report.
///
/// An instruction of its own, so that collecting makes one account and not two. Refuses a report that is not open; as a bucket is closed only after its
/// report has ended, and a report's address is never used again, none begins anew.
#[derive(Accounts)]
pub struct OpenBucket<'info> {
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    pub report: Box<Account<'info, Report>>,
    #[account(
        init,
        payer = rent_payer,
        space = 8 + Bucket::INIT_SPACE,
        seeds = [BUCKET_SEED, report.key().as_ref()],
        bump,
    )]
    pub bucket: Box<Account<'info, Bucket>>,
    pub system_program: Program<'info, System>,
}

impl OpenBucket<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.report.status == ReportStatus::Open,
            RevenueEscrowError::ReportNotOpen
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let (report, model) = (ctx.accounts.report.key(), ctx.accounts.report.model);
        ctx.accounts.bucket.set_inner(Bucket {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.bucket,
            report,
            model,
            collected_units: 0,
            receipt_count: 0,
            open_collections: 0,
            settled: false,
            rent_payer: ctx.accounts.rent_payer.key(),
            retracted_units: 0,
            fee_units: 0,
            reserved: [0; 28],
        });
        emit!(BucketOpened {
            report,
            model,
            bucket: ctx.accounts.bucket.key()
        });
        Ok(())
    }
}
