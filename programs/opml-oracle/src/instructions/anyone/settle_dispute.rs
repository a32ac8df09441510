use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    events::{DisputeSettled, SlashInsured},
    game::Phase,
    math::settlement::{settle, Finished, Settlement},
    state::{
        Dispute, Operator, Report, StakeVault, DISPUTE_SEED, OPERATOR_SEED, REPORT_SEED, STAKE_VAULT_SEED,
    },
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
    fn validate(&self) -> Result<()> {
        require!(!self.dispute.settled, OracleError::AlreadySettled);
        require!(self.dispute.is_finished(), OracleError::DisputeNotFinished);
        require!(
            self.dispute.order == self.report.disputes_settled,
            OracleError::SettleInOrder
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let accounts = ctx.accounts;
        let dispute = &mut accounts.dispute;
        let report = &mut accounts.report;
        let operator = &mut accounts.operator;
        let finished = Finished {
            proven: dispute.game.phase == Phase::Proven,
            bond_units: dispute.bond_units,
            challenger_moves: dispute.game.challenger_moves,
            operator_moves: dispute.game.operator_moves,
            move_cost_units: report.terms.move_cost_units,
        };
        let settlement = settle(&finished, report.slash().as_ref()).ok_or(OracleError::Inconsistent)?;
        let payout_units = settlement.payout_units().ok_or(OracleError::AmountOverflow)?;
        let Settlement {
            bond_back_units: _,
            costs_units,
            share_units,
            gives_share,
            operator_units,
            insurance_units,
        } = settlement;

        dispute.settled = true;
        dispute.payout_units = payout_units;
        report.disputes_settled = report.disputes_settled.checked_add(1).ok_or(OracleError::CountOverflow)?;
        report.costs_paid_units = report
            .costs_paid_units
            .checked_add(costs_units)
            .ok_or(OracleError::AmountOverflow)?;
        report.share_paid |= gives_share;
        operator.open_disputes = operator.open_disputes.checked_sub(1).ok_or(OracleError::CountOverflow)?;
        operator.credit(operator_units)?;
        accounts.stake_vault.insure(insurance_units)?;
        emit!(DisputeSettled {
            dispute: dispute.key(),
            report: report.key(),
            challenger: dispute.challenger,
            order: dispute.order,
            payout_units,
            costs_units,
            share_units,
            operator_units,
            insurance_units,
        });

        if let (Some(slash), true) = (report.slash(), report.is_settled()) {
            let amount_units = slash.remainder_units().ok_or(OracleError::Inconsistent)?;
            accounts.stake_vault.insure(amount_units)?;
            emit!(SlashInsured {
                report: report.key(),
                mint: report.mint,
                amount_units,
            });
        }
        Ok(())
    }
}
