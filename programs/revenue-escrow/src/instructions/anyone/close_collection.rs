use anchor_lang::prelude::*;
use opml_oracle::state::Report;

use crate::{
    errors::RevenueEscrowError,
    events::CollectionClosed,
    state::{BUCKET_SEED, Bucket, COLLECTION_SEED, CREDIT_SEED, Collection, Credit},
};

/// Closes a collection that nobody needs any more: its money was split with a final report, or it was refunded and all disputes of the report are
/// settled. The rent goes back to who paid it. Anyone may.
#[derive(Accounts)]
pub struct CloseCollection<'info> {
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        seeds = [BUCKET_SEED, bucket.report.as_ref()],
        bump = bucket.bump,
        has_one = report @ RevenueEscrowError::WrongReport,
    )]
    pub bucket: Box<Account<'info, Bucket>>,
    #[account(
        mut,
        close = rent_payer,
        seeds = [COLLECTION_SEED, collection.report.as_ref(), collection.lane.as_ref()],
        bump = collection.bump,
        has_one = report @ RevenueEscrowError::WrongReport,
        has_one = credit @ RevenueEscrowError::WrongRelation,
        has_one = rent_payer @ RevenueEscrowError::WrongRentPayer,
    )]
    pub collection: Box<Account<'info, Collection>>,
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
    )]
    pub credit: Box<Account<'info, Credit>>,
    /// CHECK: the collection names it; it only receives lamports.
    #[account(mut)]
    pub rent_payer: UncheckedAccount<'info>,
}

impl CloseCollection<'_> {
    fn validate(&self) -> Result<()> {
        let is_split = self.bucket.settled && !self.collection.retracted;
        let is_refunded = self.collection.amount_units == 0 && self.report.is_settled();
        require!(is_split || is_refunded, RevenueEscrowError::CollectionNeeded);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let CloseCollection {
            report,
            bucket,
            collection,
            credit,
            rent_payer: _,
        } = ctx.accounts;
        bucket.open_collections = bucket
            .open_collections
            .checked_sub(1)
            .ok_or(RevenueEscrowError::Overflow)?;
        credit.remove_collection()?;
        emit!(CollectionClosed {
            report: report.key(),
            collection: collection.key()
        });
        Ok(())
    }
}
