use anchor_lang::prelude::*;
use imo_protocol::Now;
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    errors::OracleError,
    events::UnbondRequested,
    state::{OPERATOR_SEED, Operator},
};

/// Announces that free stake leaves. Another announcement adds to the first, and all of it counts from the last.
///
/// The operator's authority may. Refuses zero, and more than is free.
#[derive(Accounts)]
pub struct RequestUnbond<'info> {
    pub authority: Signer<'info>,
    #[account(
        mut,
        has_one = authority @ OracleError::NotTheAuthority,
        seeds = [OPERATOR_SEED, operator.authority.as_ref(), operator.mint.as_ref()],
        bump = operator.bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
}

impl RequestUnbond<'_> {
    pub fn handle(ctx: Context<Self>, amount_units: u64) -> Result<()> {
        let now = Now::read()?;
        let unbonding_slots = ctx.accounts.protocol.terms.unbonding_slots;
        let operator = &mut ctx.accounts.operator;
        operator.unbond(&now, amount_units, unbonding_slots)?;
        emit!(UnbondRequested {
            operator: operator.key(),
            amount_units,
            unbonding_units: operator.unbonding_units,
            due_slot: operator.unbonding.due_slot,
            due_unix: operator.unbonding.due_unix,
        });
        Ok(())
    }
}
