use anchor_lang::prelude::*;
use imo_protocol::Now;
use opml::malformed::node_fault;

use crate::{
    errors::OracleError,
    events::DisputeMoved,
    game::Move,
    instructions::verdict::reject_report,
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, Witness},
};

/// Shows that a node of the report's model breaks a rule of its arithmetic, which makes every claim on the model fraud: operators validate a model before they
/// serve it. The dispute is proven at once and the report rejected.
///
/// The challenger may, instead of naming a place, with the records in a witness (`opml::malformed`). Refuses records that are not the model's, and a node that keeps
/// every rule.
#[derive(Accounts)]
pub struct ProveMalformed<'info> {
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
        has_one = dispute @ OracleError::WrongWitness,
        has_one = challenger @ OracleError::WrongWitness,
    )]
    pub witness: Box<Account<'info, Witness>>,
}

impl ProveMalformed<'_> {
    fn judge(&self, node_index: u32) -> Result<()> {
        let info = self.witness.to_account_info();
        let data = info.try_borrow_data()?;
        let witness = Witness::bytes(&data).ok_or(OracleError::WitnessTruncated)?;
        let fault = node_fault(&self.report.model_root, node_index, witness).map_err(OracleError::from)?;
        require!(fault.is_some(), OracleError::NodeIsWellFormed);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, expected_digest: [u8; 32], node_index: u32) -> Result<()> {
        let now = Now::read()?;
        let accounts = ctx.accounts;
        accounts
            .dispute
            .game
            .require_unnamed(&now, &expected_digest)
            .map_err(OracleError::from)?;
        accounts.judge(node_index)?;
        accounts
            .dispute
            .game
            .prove_at_once(
                &now,
                &expected_digest,
                Move::ProveMalformed,
                &[&node_index.to_le_bytes()],
            )
            .map_err(OracleError::from)?;
        emit!(DisputeMoved::of(&accounts.dispute, Move::ProveMalformed));
        reject_report(
            &accounts.dispute,
            &mut accounts.report,
            &mut accounts.operator,
            &now,
            false,
        )
    }
}
