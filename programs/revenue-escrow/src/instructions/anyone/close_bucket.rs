use anchor_lang::prelude::*;

use crate::{
    errors::RevenueEscrowError,
    events::BucketClosed,
    state::{BUCKET_SEED, Bucket},
};

/// Closes a bucket whose collections are all closed, which they are only after a split or a refund; the rent goes back to who paid it. Anyone may.
/// Only then can the oracle close the report.
#[derive(Accounts)]
pub struct CloseBucket<'info> {
    #[account(
        mut,
        close = rent_payer,
        seeds = [BUCKET_SEED, bucket.report.as_ref()],
        bump = bucket.bump,
        has_one = rent_payer @ RevenueEscrowError::WrongRentPayer,
    )]
    pub bucket: Box<Account<'info, Bucket>>,
    /// CHECK: the bucket names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseBucket<'_> {
    fn validate(&self) -> Result<()> {
        require!(self.bucket.open_collections == 0, RevenueEscrowError::BucketInUse);
        require!(self.bucket.collected_units == 0, RevenueEscrowError::NotEmpty);
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
