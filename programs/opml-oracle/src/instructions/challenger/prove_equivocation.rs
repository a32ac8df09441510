use anchor_lang::prelude::*;
use imo_protocol::{COLLECTION_SEED, Collection, Now};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    errors::OracleError,
    events::{DisputeMoved, DisputePointed},
    evidence::{read_receipt, require_end},
    game::Move,
    instructions::{answers::read_answer, verdict::reject_report},
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, Witness},
};

/// Shows that the operator signed another answer to the question of a receipt that it reported: same model and input, other output. The dispute is proven at
/// once and the report rejected. The signature is checked by the Ed25519 program in the instruction directly before.
///
/// The challenger may, instead of naming the place, with the receipt and its path in a witness (`crate::evidence`). Refuses a place other than the committed
/// one, a Collection of another report, a receipt that its tree does not hold, a message that is not an answer of this operator on this cluster, a key that the operator
/// does not answer with, an answer to another question, and the answer that was reported.
#[derive(Accounts)]
pub struct ProveEquivocation<'info> {
    pub challenger: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
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
    /// CHECK: the reader of the sysvar checks its address.
    pub instructions_sysvar: UncheckedAccount<'info>,
}

impl ProveEquivocation<'_> {
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
        require_end(rest)?;
        let collection = accounts.collection.key();
        dispute.require_committed(&dispute.key(), &collection, shown.index, &shown.place_salt)?;
        let answer = read_answer(
            &accounts.instructions_sysvar,
            1,
            &accounts.protocol,
            &accounts.operator,
            &now,
        )?;
        let (answered, reported) = (answer.claim, shown.receipt.claim);
        require!(
            (answered.model_root, answered.input_root) == (reported.model_root, reported.input_root),
            OracleError::AnotherQuestion
        );
        require!(
            answered.output_root != reported.output_root,
            OracleError::NoEquivocation
        );
        let payload: &[&[u8]] = &[collection.as_ref(), &shown.index.to_le_bytes(), &answered.output_root];
        dispute
            .game
            .prove_at_once(&now, &expected_digest, Move::ProveEquivocation, payload)
            .map_err(OracleError::from)?;
        dispute.name_place(collection, shown.index, &shown.receipt.claim);
        emit!(DisputePointed::of(dispute));
        emit!(DisputeMoved::of(dispute, Move::ProveEquivocation));
        reject_report(
            &accounts.dispute,
            &mut accounts.report,
            &mut accounts.operator,
            &now,
            false,
        )
    }
}
