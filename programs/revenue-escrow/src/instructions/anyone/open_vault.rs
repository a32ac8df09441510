use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount};
use model_token::state::Model;

use crate::{
    constants::ACCOUNT_VERSION,
    errors::RevenueEscrowError,
    events::VaultOpened,
    state::{MODEL_VAULT_SEED, ModelVault, VAULT_TOKENS_SEED},
};

/// Opens the custody of a model's revenue, in the mint that the model was registered with. Anyone may, once.
#[derive(Accounts)]
pub struct OpenVault<'info> {
    #[account(mut)]
    pub rent_payer: Signer<'info>,
    pub model: Box<Account<'info, Model>>,
    #[account(address = model.payment_mint @ RevenueEscrowError::WrongMint)]
    pub mint: Box<Account<'info, Mint>>,
    #[account(
        init,
        payer = rent_payer,
        space = 8 + ModelVault::INIT_SPACE,
        seeds = [MODEL_VAULT_SEED, model.key().as_ref()],
        bump,
    )]
    pub vault: Box<Account<'info, ModelVault>>,
    #[account(
        init,
        payer = rent_payer,
        seeds = [VAULT_TOKENS_SEED, model.key().as_ref()],
        bump,
        token::mint = mint,
        token::authority = vault,
        token::token_program = token_program,
    )]
    pub vault_tokens: Box<Account<'info, TokenAccount>>,
    pub token_program: Program<'info, Token>,
    pub system_program: Program<'info, System>,
}

impl OpenVault<'_> {
    pub fn handle(ctx: Context<Self>) -> Result<()> {
        let accounts = ctx.accounts;
        let (model, mint) = (accounts.model.key(), accounts.mint.key());
        accounts.vault.set_inner(ModelVault {
            version: ACCOUNT_VERSION,
            bump: ctx.bumps.vault,
            tokens_bump: ctx.bumps.vault_tokens,
            model,
            mint,
            owed_units: 0,
            rent_payer: accounts.rent_payer.key(),
            paid_to_others_units: 0,
            reserved: [0; 32],
        });
        emit!(VaultOpened {
            vault: accounts.vault.key(),
            model,
            mint
        });
        Ok(())
    }
}
