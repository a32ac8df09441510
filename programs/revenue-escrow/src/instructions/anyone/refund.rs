use anchor_lang::prelude::*;
use opml_oracle::state::{Report, ReportStatus};

use crate::{
    errors::RevenueEscrowError,
    events::{CollectionClosed, Refunded},
    state::{BUCKET_SEED, Bucket, COLLECTION_SEED, CREDIT_SEED, Collection, Credit},
};

/// Gives the money of one collection of a rejected report, or of a retracted one of a final report, back to its payer's credit, where it is available at
/// once: not to the lane, so that the payer may leave the operator. Anyone may, once. The lane's counters stay. Of a collection that was retracted and whose
/// report is rejected all the same, the payer gets the operator's fee as well.
///
/// The collection is closed as well, unless other disputes of the report still run: their challengers have yet to point into it, and a friend of
/// the operator's must not make them lose by winning first. Then [`CloseCollection`](super::CloseCollection) closes it.
#[derive(Accounts)]
pub struct Refund<'info> {
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

impl Refund<'_> {
    fn validate(&self) -> Result<()> {
        let comes_back = match self.report.status {
            ReportStatus::Rejected => true,
            ReportStatus::Final => self.collection.retracted,
            ReportStatus::Open | ReportStatus::Sealed => false,
        };
        require!(comes_back, RevenueEscrowError::ReportNotRejected);
        require!(self.collection.amount_units > 0, RevenueEscrowError::AlreadyRefunded);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let Refund {
            report,
            bucket,
            collection,
            credit,
            rent_payer,
        } = ctx.accounts;
        let overflow = RevenueEscrowError::Overflow;
        let amount_units = std::mem::take(&mut collection.amount_units);
        let fee_units = match report.status {
            // The split shares it.
            ReportStatus::Final => 0,
            ReportStatus::Open | ReportStatus::Sealed | ReportStatus::Rejected => {
                std::mem::take(&mut collection.retraction_fee_units)
            }
        };
        let counted_units = if collection.retracted {
            &mut bucket.retracted_units
        } else {
            &mut bucket.collected_units
        };
        *counted_units = counted_units.checked_sub(amount_units).ok_or(overflow)?;
        bucket.fee_units = bucket.fee_units.checked_sub(fee_units).ok_or(overflow)?;
        credit
            .funds()
            .add(amount_units.checked_add(fee_units).ok_or(overflow)?)?;
        emit!(Refunded {
            report: report.key(),
            collection: collection.key(),
            credit: credit.key(),
            amount_units,
            fee_units
        });
        if report.is_settled() {
            bucket.open_collections = bucket
                .open_collections
                .checked_sub(1)
                .ok_or(RevenueEscrowError::Overflow)?;
            credit.remove_collection()?;
            collection.close(rent_payer.to_account_info())?;
            emit!(CollectionClosed {
                report: report.key(),
                collection: collection.key()
            });
        }
        Ok(())
    }
}
