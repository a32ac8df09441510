use anchor_lang::prelude::*;

use crate::{
    errors::OracleError,
    events::EquivocationSlashed,
    state::{
        EQUIVOCATION_SEED, Equivocation, EquivocationSlash, OPERATOR_SEED, Operator, STAKE_VAULT_SEED, StakeVault,
    },
};

/// Takes what an equivocation still costs out of the stake that is not locked by now: the operator's friend who shows it while everything is locked saves
/// nothing.
///
/// Anyone may. Refuses when nothing is left to take, or nothing to take it from.
#[derive(Accounts)]
pub struct SettleEquivocation<'info> {
    #[account(
        mut,
        has_one = operator @ OracleError::WrongOperator,
        seeds = [EQUIVOCATION_SEED, equivocation.operator.as_ref(), &equivocation.question],
        bump = equivocation.bump,
    )]
    pub equivocation: Box<Account<'info, Equivocation>>,
    #[account(
        mut,
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    #[account(
        mut,
        constraint = stake_vault.mint == operator.mint @ OracleError::WrongMint,
        seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()],
        bump = stake_vault.bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
}

impl SettleEquivocation<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let before = accounts.equivocation.slashed_units;
        let EquivocationSlash {
            prover_units,
            insurance_units,
        } = accounts
            .equivocation
            .slash(&mut accounts.operator, &mut accounts.stake_vault)?;
        require!(
            accounts.equivocation.slashed_units > before,
            OracleError::NothingToSlash
        );
        emit!(EquivocationSlashed {
            equivocation: accounts.equivocation.key(),
            operator: accounts.operator.key(),
            prover_units,
            insurance_units,
        });
        Ok(())
    }
}
