use anchor_lang::prelude::*;
use imo_protocol::{Deadline, Now};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    constants::{ACCOUNT_VERSION, MAX_ENDPOINT_LEN},
    errors::OracleError,
    events::OperatorRegistered,
    state::{OPERATOR_SEED, Operator, STAKE_VAULT_SEED, StakeVault},
};

/// Registers an operator in the mint of a stake vault.
///
/// Anyone may, once a key and mint. Refuses while the protocol is paused, and an endpoint that is too long.
#[derive(Accounts)]
pub struct RegisterOperator<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    pub authority: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(seeds = [STAKE_VAULT_SEED, stake_vault.mint.as_ref()], bump = stake_vault.bump)]
    pub stake_vault: Box<Account<'info, StakeVault>>,
    #[account(
        init,
        payer = payer,
        space = Operator::DISCRIMINATOR.len() + Operator::INIT_SPACE,
        seeds = [OPERATOR_SEED, authority.key().as_ref(), stake_vault.mint.as_ref()],
        bump,
    )]
    pub operator: Box<Account<'info, Operator>>,
    pub system_program: Program<'info, System>,
}

impl RegisterOperator<'_> {
    fn validate(&self, now: &Now, endpoint: &str) -> Result<()> {
        self.protocol.require_not_paused(now.unix)?;
        require!(endpoint.len() <= MAX_ENDPOINT_LEN, OracleError::EndpointTooLong);
        Ok(())
    }

    pub fn handle(ctx: Context<Self>, backup: Pubkey, endpoint: String, endpoint_key_hash: [u8; 32]) -> Result<()> {
        let now = Now::read()?;
        ctx.accounts.validate(&now, &endpoint)?;
        let authority = ctx.accounts.authority.key();
        let mint = ctx.accounts.stake_vault.mint;
        ctx.accounts.operator.set_inner(Operator {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.operator,
            authority,
            backup,
            mint,
            generation: now.slot,
            stake_units: 0,
            locked_units: 0,
            unbonding_units: 0,
            unbonding: Deadline::default(),
            next_sequence: 0,
            open_reports: 0,
            open_disputes: 0,
            endpoint_key_hash,
            endpoint: endpoint.clone(),
            jail: Deadline::default(),
            previous_key_hash: [0; 32],
            key_change: Deadline::default(),
            reserved: [0; 64],
        });
        emit!(OperatorRegistered {
            operator: ctx.accounts.operator.key(),
            authority,
            backup,
            mint,
            generation: now.slot,
            endpoint,
            endpoint_key_hash,
        });
        Ok(())
    }
}
