use anchor_lang::prelude::*;

use crate::{
    constants::MAX_ENDPOINT_LEN,
    errors::OracleError,
    events::OperatorUpdated,
    state::{OPERATOR_SEED, Operator},
};

/// Changes where an operator serves, with which key, and who stands in for it.
///
/// The operator's authority may. Refuses an endpoint that is too long.
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
}

impl UpdateOperator<'_> {
    fn validate(&self, endpoint: &str) -> Result<()> {
        require!(endpoint.len() <= MAX_ENDPOINT_LEN, OracleError::EndpointTooLong);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, backup: Pubkey, endpoint: String, endpoint_key_hash: [u8; 32]) -> Result<()> {
        ctx.accounts.validate(&endpoint)?;
        let operator = &mut ctx.accounts.operator;
        operator.backup = backup;
        operator.endpoint.clone_from(&endpoint);
        operator.endpoint_key_hash = endpoint_key_hash;
        emit!(OperatorUpdated {
            operator: operator.key(),
            backup,
            endpoint,
            endpoint_key_hash,
        });
        Ok(())
    }
}
