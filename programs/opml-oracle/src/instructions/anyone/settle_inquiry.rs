use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    events::{InquirySettled, SlashInsured},
    state::{INQUIRY_SEED, Inquiry, OPERATOR_SEED, Operator, REPORT_SEED, Report, STAKE_VAULT_SEED, StakeVault},
};

/// Decides what becomes of an inquiry's fees once its report has ended: the operator's free stake gets them when the report is final, the demander when it is
/// rejected. An inquiry that was not answered gets costs as well, for each demand, and the prover's share when no earlier opened dispute took it, in its turn. No
/// token moves.
///
/// Anyone may. Refuses while the report can still end either way, and an inquiry that was not answered before its turn.
#[derive(Accounts)]
pub struct SettleInquiry<'info> {
    #[account(
        mut,
        has_one = report @ OracleError::WrongReport,
        seeds = [INQUIRY_SEED, inquiry.report.as_ref(), inquiry.demander.as_ref(), &inquiry.nonce.to_le_bytes()],
        bump = inquiry.bump,
    )]
    pub inquiry: Box<Account<'info, Inquiry>>,
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
        mut,
        constraint = stake_vault.mint == report.mint @ OracleError::WrongMint,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
}

impl SettleInquiry<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let inquiry = &mut accounts.inquiry;
        let report = &mut accounts.report;
        let (earned_units, settlement, remainder_units) =
            inquiry.settle(report, &mut accounts.operator, &mut accounts.stake_vault)?;
        emit!(InquirySettled {
            inquiry: inquiry.key(),
            report: report.key(),
            demander: inquiry.demander,
            payout_units: inquiry.payout_units,
            earned_units,
            costs_units: settlement.costs_units,
            share_units: settlement.share_units,
        });
        if let Some(amount_units) = remainder_units {
            emit!(SlashInsured {
                report: report.key(),
                mint: report.mint,
                amount_units,
            });
        }
        Ok(())
    }
}
