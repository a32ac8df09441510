use anchor_lang::prelude::*;
use imo_protocol::Deadline;
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::RevenueEscrowError,
    events::CreditOpened,
    state::{CREDIT_SEED, Credit, MODEL_VAULT_SEED, ModelVault},
};

/// Opens a payer's credit with a model whose vault is open. The payer may, from a wallet, a multisig or a program; somebody else may pay the rent.
/// Refused while the protocol is paused.
#[derive(Accounts)]
pub struct OpenCredit<'info> {
    pub payer: Signer<'info>,
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    #[account(seeds = [MODEL_VAULT_SEED, vault.model.as_ref()], bump = vault.bump)]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(
        init,
        payer = rent_payer,
        space = 8 + Credit::INIT_SPACE,
        seeds = [CREDIT_SEED, payer.key().as_ref(), vault.model.as_ref()],
        bump,
    )]
    pub credit: Box<Account<'info, Credit>>,
    pub system_program: Program<'info, System>,
}

impl OpenCredit<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let clock = Clock::get()?;
        accounts
            .protocol
            .require_not_paused(clock.unix_timestamp)
            .map_err(|_| RevenueEscrowError::Paused)?;
        let (payer, model, generation) = (accounts.payer.key(), accounts.vault.model, clock.slot);
        accounts.credit.set_inner(Credit {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.credit,
            payer,
            model,
            generation,
            available_units: 0,
            reserved_units: 0,
            withdrawing_units: 0,
            withdraw_deadline: Deadline::default(),
            open_lanes: 0,
            open_sessions: 0,
            open_collections: 0,
            rent_payer: accounts.rent_payer.key(),
            reserved: [0; 32],
        });
        emit!(CreditOpened {
            credit: accounts.credit.key(),
            payer,
            model,
            generation
        });
        Ok(())
    }
}
