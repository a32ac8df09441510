use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::{AuditAnswered, TracePosted},
    game::{check_trace_root, whole_trace_root},
    state::{AUDIT_SEED, Audit, OPERATOR_SEED, Operator, REPORT_SEED, Report, TRACE_SEED, Trace},
};

/// Answers an audit with the operator's trace of the claim: the account that every dispute on the claim uses from then on, so that nobody is told another story there. A
/// small model's trace is given whole (`post_audit_trace`), a larger one's as a root with the path of its last leaf (`post_audit_trace_root`).
///
/// The authority or backup key of the report's operator may, in the second phase. Refuses a trace whose last output is not the claimed one, and a second trace (then
/// `attach_audit_trace`).
#[derive(Accounts)]
pub struct PostAuditTrace<'info> {
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
        seeds = [AUDIT_SEED, audit.report.as_ref(), &[audit.number]],
        bump = audit.bump,
    )]
    pub audit: Box<Account<'info, Audit>>,
    #[account(
        init,
        payer = payer,
        space = Trace::DISCRIMINATOR.len() + Trace::INIT_SPACE,
        seeds = [TRACE_SEED, report.key().as_ref(), audit.claim_hash.as_ref()],
        bump,
    )]
    pub trace: Box<Account<'info, Trace>>,
    pub system_program: Program<'info, System>,
}

impl PostAuditTrace<'_> {
    pub fn handle_whole(ctx: Context<Self>, roots: Vec<[u8; 32]>) -> Result<()> {
        let accounts = &ctx.accounts;
        let trace_root = whole_trace_root(accounts.report.node_count, &accounts.audit.output_root, &roots)
            .map_err(OracleError::from)?;
        Self::post(ctx, trace_root, roots)
    }

    pub fn handle_root(ctx: Context<Self>, trace_root: [u8; 32], path: Vec<[u8; 32]>) -> Result<()> {
        let accounts = &ctx.accounts;
        check_trace_root(
            accounts.report.node_count,
            &accounts.audit.output_root,
            &trace_root,
            path.as_flattened(),
        )
        .map_err(OracleError::from)?;
        Self::post(ctx, trace_root, Vec::new())
    }

    fn post(ctx: Context<Self>, trace_root: [u8; 32], roots: Vec<[u8; 32]>) -> Result<()> {
        let now = Now::read()?;
        let accounts = ctx.accounts;
        let (audit, report) = (&mut accounts.audit, &mut accounts.report);
        report.require_owed()?;
        audit.game.answer(&now, &trace_root).map_err(OracleError::from)?;
        report.end_demand()?;
        let whole = !roots.is_empty();
        accounts.trace.set_inner(Trace::post(
            &now,
            (report.key(), &mut ***report),
            ctx.bumps.trace,
            audit.claim_hash,
            trace_root,
            roots,
            accounts.payer.key(),
        )?);
        emit!(TracePosted {
            trace: accounts.trace.key(),
            report: report.key(),
            claim_hash: audit.claim_hash,
            trace_root,
            whole,
        });
        emit!(AuditAnswered::of(audit));
        Ok(())
    }
}
