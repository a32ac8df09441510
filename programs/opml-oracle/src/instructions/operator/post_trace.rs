use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::{DisputeMoved, TracePosted},
    game::{Move, check_trace_root, whole_trace_root},
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, TRACE_SEED, Trace},
};

/// Commits to the output of every node for the claim of a dispute, once for all disputes of the report on that claim. A small model's trace is given whole
/// (`post_trace`), a larger one's as a root with the path of its last leaf (`post_trace_root`).
///
/// The authority or backup key of the report's operator may, nobody else: another operator's trace of the same claim is another account. Refuses a
/// trace whose last output is not the claimed one, and a second trace (then `attach_trace`).
#[derive(Accounts)]
pub struct PostTrace<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(constraint = operator.may_answer(signer.key) @ OracleError::NotTheOperator)]
    pub signer: Signer<'info>,
    #[account(
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        mut,
        has_one = operator @ OracleError::WrongOperator,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [DISPUTE_SEED, dispute.report.as_ref(), dispute.challenger.as_ref(), &dispute.nonce.to_le_bytes()],
        bump = dispute.bump,
    )]
    pub dispute: Box<Account<'info, Dispute>>,
    #[account(
        init,
        payer = payer,
        space = Trace::DISCRIMINATOR.len() + Trace::INIT_SPACE,
        seeds = [TRACE_SEED, report.key().as_ref(), dispute.claim_hash.as_ref()],
        bump,
    )]
    pub trace: Box<Account<'info, Trace>>,
    pub system_program: Program<'info, System>,
}

impl PostTrace<'_> {
    pub fn handle_whole(ctx: Context<Self>, expected_digest: [u8; 32], roots: Vec<[u8; 32]>) -> Result<()> {
        let accounts = &ctx.accounts;
        let trace_root = whole_trace_root(accounts.report.node_count, &accounts.dispute.output_root, &roots)
            .map_err(OracleError::from)?;
        Self::post(ctx, expected_digest, trace_root, roots)
    }

    pub fn handle_root(
        ctx: Context<Self>,
        expected_digest: [u8; 32],
        trace_root: [u8; 32],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        let accounts = &ctx.accounts;
        check_trace_root(
            accounts.report.node_count,
            &accounts.dispute.output_root,
            &trace_root,
            path.as_flattened(),
        )
        .map_err(OracleError::from)?;
        Self::post(ctx, expected_digest, trace_root, Vec::new())
    }

    fn post(ctx: Context<Self>, expected_digest: [u8; 32], trace_root: [u8; 32], roots: Vec<[u8; 32]>) -> Result<()> {
        let accounts = ctx.accounts;
        let dispute = &mut accounts.dispute;
        let report = &mut accounts.report;
        let now = Now::read()?;
        dispute
            .game
            .trace(&now, &expected_digest, true, &trace_root, &roots)
            .map_err(OracleError::from)?;
        dispute.trace = accounts.trace.key();
        let whole = !roots.is_empty();
        accounts.trace.set_inner(Trace::post(
            &now,
            (report.key(), &mut ***report),
            ctx.bumps.trace,
            dispute.claim_hash,
            trace_root,
            roots,
            accounts.payer.key(),
        )?);
        emit!(TracePosted {
            trace: accounts.trace.key(),
            report: report.key(),
            claim_hash: dispute.claim_hash,
            trace_root,
            whole,
        });
        emit!(DisputeMoved::of(dispute, Move::PostTrace));
        Ok(())
    }
}
