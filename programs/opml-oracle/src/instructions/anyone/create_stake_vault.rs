use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use model_token::state::{PROTOCOL_SEED, Protocol};

use crate::{
    constants::ACCOUNT_VERSION,
    errors::OracleError,
    events::StakeVaultCreated,
    state::{STAKE_TOKENS_SEED, STAKE_VAULT_SEED, StakeVault},
};

/// Creates the vault of all stakes and bonds in one mint.
///
/// Anyone may. Refuses a mint that the protocol does not list, and a second vault.
#[derive(Accounts)]
pub struct CreateStakeVault<'info> {
    #[account(mut)]
    pub payer: Signer<'info>,
    #[account(seeds = [PROTOCOL_SEED], bump = protocol.bump, seeds::program = model_token::ID)]
    pub protocol: Box<Account<'info, Protocol>>,
    pub mint: Box<Account<'info, Mint>>,
    #[account(
        init,
        payer = payer,
        space = StakeVault::DISCRIMINATOR.len() + StakeVault::INIT_SPACE,
        seeds = [STAKE_VAULT_SEED, mint.key().as_ref()],
        bump,
    )]
    pub stake_vault: Box<Account<'info, StakeVault>>,
    #[account(
        init,
        payer = payer,
        seeds = [STAKE_TOKENS_SEED, mint.key().as_ref()],
        bump,
        token::mint = mint,
        token::authority = stake_vault,
        token::token_program = token_program,
    )]
    pub stake_tokens: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

impl CreateStakeVault<'_> {
    fn validate(&self) -> Result<()> {
        require!(
            self.protocol.allowed_payment_mints().contains(&self.mint.key()),
            OracleError::MintNotAllowed
        );
        Ok(())
    }

    pub fn handle(ctx: Context<Self>) -> Result<()> {
        ctx.accounts.validate()?;
        let mint = ctx.accounts.mint.key();
        ctx.accounts.stake_vault.set_inner(StakeVault {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.stake_vault,
            mint,
            stake_tokens: ctx.accounts.stake_tokens.key(),
            owed_units: 0,
            insurance_units: 0,
            reserved: [0; 64],
        });
        emit!(StakeVaultCreated {
            stake_vault: ctx.accounts.stake_vault.key(),
            mint,
        });
        Ok(())
    }
}
