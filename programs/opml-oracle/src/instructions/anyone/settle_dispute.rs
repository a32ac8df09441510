use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    events::{DisputeSettled, SlashInsured},
    math::settlement::Settlement,
    state::{DISPUTE_SEED, Dispute, OPERATOR_SEED, Operator, REPORT_SEED, Report, STAKE_VAULT_SEED, StakeVault},
};

/// Decides what a finished dispute is owed, strictly in opening order, so that the prover's share goes to the earliest opened dispute that was won by its own
/// play. No token moves: the payout waits in the dispute, so that no recipient can hold up the queue.
///
/// Anyone may. Refuses a dispute that is not finished, and one whose turn it is not. The last one of a rejected report gives what is left of the bond to the insurance
/// pool: no dispute opens after a rejection.
#[derive(Accounts)]
pub struct SettleDispute<'info> {
    #[account(
        mut,
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
        mut,
        constraint = stake_vault.mint == report.mint @ OracleError::WrongMint,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
}

impl SettleDispute<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let dispute = &mut accounts.dispute;
        let report = &mut accounts.report;
        let (settlement, remainder_units) =
            dispute.settle(report, &mut accounts.operator, &mut accounts.stake_vault)?;
        let Settlement {
            bond_back_units: _,
            costs_units,
            share_units,
            gives_share: _,
            operator_units,
            insurance_units,
        } = settlement;
        emit!(DisputeSettled {
            dispute: dispute.key(),
            report: report.key(),
            challenger: dispute.challenger,
            order: dispute.order,
            payout_units: dispute.payout_units,
            costs_units,
            share_units,
            operator_units,
            insurance_units,
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
