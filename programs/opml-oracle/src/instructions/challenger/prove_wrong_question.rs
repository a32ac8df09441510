use anchor_lang::prelude::*;
use imo_protocol::{COLLECTION_SEED, Collection, Now};

use crate::{
    errors::OracleError,
    events::{DisputeMoved, DisputePointed},
    evidence::{read_receipt, read_request},
    game::Move,
    instructions::verdict::reject_report,
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, Witness},
};

/// Shows that a reported receipt answers another question than its payer asked: the request at its sequence, which the payer signed for with the voucher that was
/// collected, names another model, input or salt. The dispute is proven at once and the report rejected.
///
/// The challenger may, instead of naming the place, with both records and their paths in a witness (`crate::evidence`). Refuses a place other than the committed
/// one, a Collection of another report, records that its trees do not hold at that sequence, and a receipt that answers its request.
#[derive(Accounts)]
pub struct ProveWrongQuestion<'info> {
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
        has_one = report @ OracleError::WrongCollection,
        seeds = [COLLECTION_SEED, collection.report.as_ref(), collection.lane.as_ref()],
        bump = collection.bump,
        seeds::program = imo_protocol::ids::REVENUE_ESCROW,
    )]
    pub collection: Box<Account<'info, Collection>>,
    #[account(
        has_one = dispute @ OracleError::WrongWitness,
        has_one = challenger @ OracleError::WrongWitness,
    )]
    pub witness: Box<Account<'info, Witness>>,
}

impl ProveWrongQuestion<'_> {
    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32]) -> Result<()> {
        let now = Now::read()?;
        let accounts = ctx.accounts;
        let dispute = &mut accounts.dispute;
        dispute
            .game
            .require_unnamed(&now, &expected_digest)
            .map_err(OracleError::from)?;
        let witness = accounts.witness.to_account_info();
        let witness = witness.try_borrow_data()?;
        let bytes = Witness::bytes(&witness).ok_or(OracleError::WitnessTruncated)?;
        let (shown, rest) = read_receipt(&accounts.collection, &accounts.report.model_root, bytes)?;
        let collection = accounts.collection.key();
        dispute.require_committed(&dispute.key(), &collection, shown.index, &shown.place_salt)?;
        let request = read_request(&accounts.collection, &shown.receipt, rest)?;
        let receipt = shown.receipt;
        require!(
            (request.model_root, request.input_root, request.salt)
                != (receipt.claim.model_root, receipt.claim.input_root, receipt.salt),
            OracleError::QuestionIsRight
        );
        let payload: &[&[u8]] = &[collection.as_ref(), &shown.index.to_le_bytes()];
        dispute
            .game
            .prove_at_once(&now, &expected_digest, Move::ProveWrongQuestion, payload)
            .map_err(OracleError::from)?;
        dispute.name_place(collection, shown.index, &shown.receipt.claim);
        emit!(DisputePointed::of(dispute));
        emit!(DisputeMoved::of(dispute, Move::ProveWrongQuestion));
        reject_report(
            &accounts.dispute,
            &mut accounts.report,
            &mut accounts.operator,
            &now,
            false,
        )
    }
}
