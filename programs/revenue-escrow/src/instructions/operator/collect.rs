use anchor_lang::prelude::*;
use imo_protocol::{Now, Voucher, verify_preceding_ed25519};
use model_token::state::{PROTOCOL_SEED, Protocol};
use opml_oracle::state::{Operator, Report, ReportStatus};

use crate::{
    constants::{ACCOUNT_VERSION, MAX_RECEIPTS, MAX_REQUESTS},
    errors::RevenueEscrowError,
    events::Collected,
    state::{BUCKET_SEED, Bucket, COLLECTION_SEED, CREDIT_SEED, Collection, Credit, LANE_SEED, Lane, Session, spend},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct CollectArgs {
    /// Price of all requests of the lane so far, as the voucher states it, in units of the revenue mint.
    pub cumulative_amount_units: u64,
    /// All requests of the lane so far, as the voucher states it.
    pub cumulative_count: u64,
    /// Root of the tree over all requests so far, as the voucher states it.
    pub requests_root: [u8; 32],
    /// Root of the tree over the receipts of the requests that were not collected before.
    pub receipts_root: [u8; 32],
    /// Last second at which the voucher can be collected, as the voucher states it, in Unix seconds.
    pub expires_unix: i64,
}

/// Brings a lane's voucher and the root of its receipts under an open report: moves the money in the books from the lane to the report's bucket. No
/// token moves. The report has its bucket already. The operator's authority may, once a lane and report, with the voucher's signature checked by the Ed25519 program in the instruction
/// directly before.
///
/// Refuses a report that is sealed or ought to be, a voucher that adds nothing, that another session, lane, generation or cluster was meant with,
/// that is expired, or that the lane, the session's limit or the report's bond does not cover. What was announced to leave the lane is used first.
/// Repeating the instruction is refused because the voucher then adds nothing, and because the collection is there.
#[derive(Accounts)]
pub struct Collect<'info> {
    pub authority: Signer<'info>,
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(has_one = authority @ RevenueEscrowError::NotOperatorAuthority)]
    pub operator: Box<Account<'info, Operator>>,
    #[account(has_one = operator @ RevenueEscrowError::WrongOperator)]
    pub report: Box<Account<'info, Report>>,
    // A report is in its model's payment mint, and so is the model's vault: with the model, the money is the right one, too.
    #[account(
        mut,
        seeds = [CREDIT_SEED, credit.payer.as_ref(), credit.model.as_ref()],
        bump = credit.bump,
        constraint = credit.model == report.model @ RevenueEscrowError::WrongModel,
    )]
    pub credit: Box<Account<'info, Credit>>,
    #[account(
        mut,
        seeds = [LANE_SEED, lane.credit.as_ref(), lane.operator.as_ref()],
        bump = lane.bump,
        has_one = credit @ RevenueEscrowError::WrongRelation,
        has_one = operator @ RevenueEscrowError::WrongOperator,
    )]
    pub lane: Box<Account<'info, Lane>>,
    // Sessions are made at their own addresses and nowhere else, so that owner and discriminator say as much as the seeds would; the voucher names its key
    // and generation.
    #[account(mut, has_one = credit @ RevenueEscrowError::WrongRelation)]
    pub session: Box<Account<'info, Session>>,
    #[account(
        mut,
        seeds = [BUCKET_SEED, bucket.report.as_ref()],
        bump = bucket.bump,
        has_one = report @ RevenueEscrowError::WrongReport,
    )]
    pub bucket: Box<Account<'info, Bucket>>,
    #[account(
        init,
        payer = rent_payer,
        space = 8 + Collection::INIT_SPACE,
        seeds = [COLLECTION_SEED, report.key().as_ref(), lane.key().as_ref()],
        bump,
    )]
    pub collection: Box<Account<'info, Collection>>,
    /// CHECK: the reader of the sysvar checks its address.
    pub instructions_sysvar: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// What a voucher adds to what was collected before.
struct Addition {
    amount_units: u64,
    count: u32,
}

impl Collect<'_> {
    fn validate(&self, args: &CollectArgs, now: &Now) -> Result<Addition> {
        require!(
            self.report.status == ReportStatus::Open,
            RevenueEscrowError::ReportNotOpen
        );
        require!(!self.report.seal_by.is_past(now), RevenueEscrowError::ReportSealDue);

        require!(!self.session.is_revoked(now), RevenueEscrowError::SessionRevoked);
        require_gte!(
            self.session.expires_unix,
            args.expires_unix,
            RevenueEscrowError::VoucherOutlivesSession
        );
        require!(!now.is_expired(args.expires_unix), RevenueEscrowError::VoucherExpired);
        let voucher = Voucher {
            cluster: self.protocol.cluster,
            escrow: crate::ID,
            lane: self.lane.key(),
            lane_generation: self.lane.generation,
            session: self.session.key,
            session_generation: self.session.generation,
            cumulative_amount_units: args.cumulative_amount_units,
            cumulative_count: args.cumulative_count,
            requests_root: args.requests_root,
            expires_unix: args.expires_unix,
        };
        verify_preceding_ed25519(&self.instructions_sysvar, &self.session.key, &voucher.message())?;

        require_gte!(MAX_REQUESTS, args.cumulative_count, RevenueEscrowError::LaneIsFull);
        let count = args.cumulative_count.saturating_sub(self.lane.collected_count);
        require!(count > 0, RevenueEscrowError::NothingToCollect);
        let count = u32::try_from(count).map_err(|_| RevenueEscrowError::TooManyReceipts)?;
        require_gte!(MAX_RECEIPTS, count, RevenueEscrowError::TooManyReceipts);
        let amount_units = args.cumulative_amount_units.saturating_sub(self.lane.collected_units);
        require!(amount_units > 0, RevenueEscrowError::NoAmountToCollect);
        Ok(Addition { amount_units, count })
    }

    pub fn handle(ctx: Context<Self>, args: CollectArgs) -> Result<()> {
        let now = Now::read()?;
        let Addition { amount_units, count } = ctx.accounts.validate(&args, &now)?;
        let accounts = ctx.accounts;
        let overflow = RevenueEscrowError::Overflow;
        let report = accounts.report.key();

        let lane_address = accounts.lane.key();
        let lane = &mut accounts.lane;
        let first_sequence = lane.collected_count;
        lane.funds().collect(amount_units, &now)?;
        lane.collected_units = args.cumulative_amount_units;
        lane.collected_count = args.cumulative_count;
        spend(&mut accounts.session, amount_units)?;
        let credit = &mut accounts.credit;
        credit.unreserve(amount_units)?;
        credit.add_collection()?;

        let bucket = &mut accounts.bucket;
        bucket.collected_units = bucket.collected_units.checked_add(amount_units).ok_or(overflow)?;
        // What is retracted can still be proven wrong, so that the bond answers for it as well.
        let answered_units = bucket
            .collected_units
            .checked_add(bucket.retracted_units)
            .ok_or(overflow)?;
        require_gte!(
            accounts.report.max_collect_units,
            answered_units,
            RevenueEscrowError::BondExceeded
        );
        let first_receipt = bucket.receipt_count;
        bucket.receipt_count = first_receipt.checked_add(count.into()).ok_or(overflow)?;
        bucket.open_collections = bucket.open_collections.checked_add(1).ok_or(overflow)?;

        let CollectArgs {
            requests_root,
            receipts_root,
            cumulative_amount_units: _,
            cumulative_count: _,
            expires_unix: _,
        } = args;
        accounts.collection.set_inner(Collection {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.collection,
            report,
            lane: lane_address,
            lane_generation: lane.generation,
            credit: credit.key(),
            amount_units,
            count,
            first_sequence,
            receipts_root,
            requests_root,
            rent_payer: accounts.rent_payer.key(),
            private: lane.private,
            retracted: false,
            retraction_fee_units: 0,
            first_receipt,
            reserved: [0; 24],
        });
        emit!(Collected {
            report,
            collection: accounts.collection.key(),
            lane: lane_address,
            lane_generation: lane.generation,
            session: accounts.session.key(),
            amount_units,
            count,
            first_sequence,
            receipts_root,
            requests_root,
            bucket_units: bucket.collected_units,
            private: lane.private,
        });
        Ok(())
    }
}
