use anchor_lang::prelude::*;
use imo_protocol::Now;

use crate::{
    errors::OracleError,
    events::EquivocationClosed,
    state::{EQUIVOCATION_SEED, Equivocation, OPERATOR_SEED, Operator},
};

/// Closes a punished equivocation; its rent goes to who showed it and paid it.
///
/// Anyone may. Refuses while the prover is owed something, while a part of the slash waits for stake, and while the same evidence still counts and could be shown again:
/// until the operator has changed its key and the time of the old one is past.
#[derive(Accounts)]
pub struct CloseEquivocation<'info> {
    #[account(
        mut,
        close = prover,
        has_one = prover @ OracleError::WrongRentPayer,
        has_one = operator @ OracleError::WrongOperator,
        seeds = [EQUIVOCATION_SEED, equivocation.operator.as_ref(), &equivocation.question],
        bump = equivocation.bump,
    )]
    pub equivocation: Box<Account<'info, Equivocation>>,
    #[account(
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    /// CHECK: only receives the rent; its address is the one stored.
    #[account(mut)]
    pub prover: UncheckedAccount<'info>,
}

impl CloseEquivocation<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let equivocation = &ctx.accounts.equivocation;
        equivocation.require_over(&ctx.accounts.operator, &Now::read()?)?;
        emit!(EquivocationClosed {
            equivocation: equivocation.key(),
            operator: equivocation.operator,
        });
        Ok(())
    }
}
