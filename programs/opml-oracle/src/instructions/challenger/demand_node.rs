use anchor_lang::prelude::*;
use imo_protocol::Now;
use opml::{
    model::{HEADER_BYTES, NODE_BYTES},
    referee::{NodeSpec, node_spec},
};

use crate::{
    errors::OracleError,
    events::DisputeMoved,
    game::{Move, Phase},
    instructions::verdict::reject_report,
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report},
};

/// Picks a leaf of the trace, which is the root of one node's output, and shows that node's record, from which the geometry of the output follows.
///
/// The challenger may. Refuses padding, a frontier that is not leaves of the trace, and a record that is not that node's of the report's model. A record that is
/// the model's but malformed ends the dispute: an operator validates a model before it serves it.
#[derive(Accounts)]
pub struct DemandNode<'info> {
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
}

impl DemandNode<'_> {
    pub fn handle(
        ctx: Context<Self>,
        expected_digest: [u8; 32],
        child: u8,
        header: [u8; HEADER_BYTES],
        record: [u8; NODE_BYTES],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        let now = Now::read()?;
        let accounts = ctx.accounts;
        let game = &mut accounts.dispute.game;
        let node_index = game.picked_node(child).map_err(OracleError::from)?;
        let node = node_spec(
            &accounts.report.model_root,
            &header,
            node_index,
            &record,
            path.as_flattened(),
        )
        .map_err(OracleError::from)?;
        let spec = match &node {
            NodeSpec::Output(spec) => Some(spec),
            NodeSpec::Malformed(_) => None,
        };
        game.demand_node(&now, &expected_digest, child, spec)
            .map_err(OracleError::from)?;
        emit!(DisputeMoved::of(&accounts.dispute, Move::DemandNode));
        if accounts.dispute.game.phase == Phase::Proven {
            reject_report(
                &accounts.dispute,
                &mut accounts.report,
                &mut accounts.operator,
                &now,
                false,
            )?;
        }
        Ok(())
    }
}
