use anchor_lang::prelude::*;
use imo_protocol::Now;
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    constants::MAX_ENDPOINT_LEN,
    errors::OracleError,
    events::OperatorUpdated,
    state::{OPERATOR_SEED, Operator},
};

/// Changes where an operator serves, with which key, and who stands in for it.
///
/// The operator's authority may. After a change of the key, answers under the old one count against the operator for the protocol's `unbonding_slots`, in which the
/// key does not change again. Refuses an endpoint that is too long.
#[derive(Accounts)]
pub struct UpdateOperator<'info> {
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

impl UpdateOperator<'_> {
    fn validate(&self, endpoint: &str) -> Result<()> {
        require!(endpoint.len() <= MAX_ENDPOINT_LEN, OracleError::EndpointTooLong);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, backup: Pubkey, endpoint: String, endpoint_key_hash: [u8; 32]) -> Result<()> {
        ctx.accounts.validate(&endpoint)?;
        let unbonding_slots = ctx.accounts.protocol.terms.unbonding_slots;
        let operator = &mut ctx.accounts.operator;
        operator.change_key(endpoint_key_hash, &Now::read()?, unbonding_slots)?;
        operator.backup = backup;
        operator.endpoint.clone_from(&endpoint);
        emit!(OperatorUpdated {
            operator: operator.key(),
            backup,
            endpoint,
            endpoint_key_hash,
        });
        Ok(())
    }
}
