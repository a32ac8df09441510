use anchor_lang::prelude::*;
use imo_protocol::{COLLECTION_SEED, Collection, Now};
use opml::Claim;

use crate::{
    errors::OracleError,
    events::{DisputeMoved, DisputePointed},
    evidence::require_receipt,
    game::Move,
    state::{DISPUTE_SEED, Dispute, REPORT_SEED, Report, Trace},
};

/// A receipt, and what opens the commitment to its place.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug)]
pub struct PointArgs {
    /// Index of the receipt in the Collection.
    pub receipt_index: u32,
    /// Of the commitment.
    pub salt: [u8; 32],
    pub input_root: [u8; 32],
    pub output_root: [u8; 32],
    /// Of the receipt.
    pub receipt_salt: [u8; 32],
    /// Siblings on the way up from the receipt.
    pub path: Vec<[u8; 32]>,
}

/// Names the receipt that the dispute was opened on, which fixes the claim. When the trace of that claim is there already, it is attached at once.
///
/// The challenger may. Refuses a place other than the committed one, a Collection of another report, and a receipt that its tree does not hold: the receipt
/// is rebuilt here, so that nothing in it can be stated wrongly.
#[derive(Accounts)]
pub struct Point<'info> {
    pub challenger: Signer<'info>,
    #[account(
        mut,
        has_one = challenger @ OracleError::NotTheChallenger,
        has_one = report @ OracleError::WrongReport,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
    #[account(
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        has_one = report @ OracleError::WrongCollection,
        seeds = [COLLECTION_SEED, collection.report.as_ref(), collection.lane.as_ref()],
        bump = collection.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub collection: Box<Account<'info, Collection>>,
    /// CHECK: the handler derives the trace's address from the claim and compares; there may or may not be an account.
    pub trace: UncheckedAccount<'info>,
}

impl Point<'_> {
    fn validate(&self, args: &PointArgs, claim: Claim) -> Result<()> {
        let collection = self.collection.key();
        self.dispute
            .require_committed(&self.dispute.key(), &collection, args.receipt_index, &args.salt)?;
        require_receipt(
            &self.collection,
            args.receipt_index,
            claim,
            args.receipt_salt,
            args.path.as_flattened(),
        )?;
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32], args: PointArgs) -> Result<()> {
        let claim = Claim {
            model_root: ctx.accounts.report.model_root,
            input_root: args.input_root,
            output_root: args.output_root,
        };
        ctx.accounts.validate(&args, claim)?;
        let PointArgs {
            receipt_index,
            salt,
            input_root,
            output_root,
            receipt_salt,
            path: _,
        } = args;
        let claim_hash = claim.claim_hash();
        let existing_trace = Trace::existing(&ctx.accounts.trace, &ctx.accounts.report.key(), &claim_hash)?;

        let now = Now::read()?;
        let collection = ctx.accounts.collection.key();
        let trace = ctx.accounts.trace.key();
        let dispute = &mut ctx.accounts.dispute;
        let payload: &[&[u8]] = &[
            collection.as_ref(),
            &receipt_index.to_le_bytes(),
            &salt,
            &input_root,
            &output_root,
            &receipt_salt,
        ];
        dispute
            .game
            .point(&now, &expected_digest, payload)
            .map_err(OracleError::from)?;
        dispute.name_place(collection, receipt_index, &claim);
        emit!(DisputePointed::of(dispute));
        emit!(DisputeMoved::of(dispute, Move::Point));
        if let Some(existing) = existing_trace {
            let pointed = dispute.game.digest;
            dispute.attach(&now, &pointed, trace, &existing)?;
            emit!(DisputeMoved::of(dispute, Move::AttachTrace));
        }
        Ok(())
    }
}
