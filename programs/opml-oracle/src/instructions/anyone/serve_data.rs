use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    data_game::DemandedNode,
    errors::OracleError,
    events::DataServed,
    state::{INQUIRY_SEED, Inquiry, REPORT_SEED, Report},
};

/// Shows what an inquiry demanded, in the one form that the place has: all nodes up to four levels below, a run of at most four receipts (input root,
/// output root and salt of each), or a tile.
///
/// Anyone may: an answer proves itself. Refuses another length, padding that is not where it must be, bytes that the node demanded does not commit to, and an
/// answer after the deadline or after the report has ended.
#[derive(Accounts)]
pub struct ServeData<'info> {
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [INQUIRY_SEED, inquiry.report.as_ref(), inquiry.demander.as_ref(), &inquiry.nonce.to_le_bytes()],
        bump = inquiry.bump,
    )]
    pub inquiry: Box<Account<'info, Inquiry>>,
    #[account(
        mut,
        seeds = [REPORT_SEED, report.operator.as_ref(), &report.sequence.to_le_bytes()],
        bump = report.bump,
    )]
    pub report: Box<Account<'info, Report>>,
}

impl ServeData<'_> {
    pub fn handle(ctx: Context<Self>, bytes: Vec<u8>) -> Result<()> {
        let inquiry = &mut ctx.accounts.inquiry;
        let report = &mut ctx.accounts.report;
        report.require_owed()?;
        let geometry = inquiry.geometry;
        let DemandedNode { level, index, .. } = inquiry
            .game
            .serve(&Now::read()?, &geometry, &report.model_root, &bytes)
            .map_err(OracleError::from)?;
        report.end_demand()?;
        emit!(DataServed {
            inquiry: inquiry.key(),
            report: report.key(),
            level,
            index,
            answer_bytes: u32::try_from(bytes.len()).map_err(|_| OracleError::CountOverflow)?,
        });
        Ok(())
    }
}
