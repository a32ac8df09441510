//! Tokens in and out of a stake vault.

use anchor_lang::prelude::*;
use anchor_spl::token::{self, Mint, Token, TokenAccount, TransferChecked};

use crate::{
    errors::OracleError,
    state::{STAKE_VAULT_SEED, StakeVault},
};

/// Takes `units` from a token account of `authority`, who has signed, and owes them.
pub fn pay_in<'info>(
    stake_vault: &mut Account<'info, StakeVault>,
    stake_tokens: &Account<'info, TokenAccount>,
    mint: &Account<'info, Mint>,
    token_program: &Program<'info, Token>,
    from: &Account<'info, TokenAccount>,
    authority: &Signer<'info>,
    units: u64,
) -> Result<()> {
    stake_vault.owe(units)?;
    token::transfer_checked(
        CpiContext::new(
            token_program.key(),
            TransferChecked {
                from: from.to_account_info(),
                mint: mint.to_account_info(),
                to: stake_tokens.to_account_info(),
                authority: authority.to_account_info(),
            },
        ),
        units,
        mint.decimals,
    )
}

/// Pays `units` that are owed, and checks that the vault still holds all that it owes then.
pub fn pay_out<'info>(
    stake_vault: &mut Account<'info, StakeVault>,
    stake_tokens: &mut Account<'info, TokenAccount>,
    mint: &Account<'info, Mint>,
    token_program: &Program<'info, Token>,
    to: &Account<'info, TokenAccount>,
    units: u64,
) -> Result<()> {
    stake_vault.pay(units)?;
    let bump = [stake_vault.bump];
    let seeds: &[&[u8]] = &[STAKE_VAULT_SEED, stake_vault.mint.as_ref(), &bump];
    token::transfer_checked(
        CpiContext::new_with_signer(
            token_program.key(),
            TransferChecked {
                from: stake_tokens.to_account_info(),
                mint: mint.to_account_info(),
                to: to.to_account_info(),
                authority: stake_vault.to_account_info(),
            },
            &[seeds],
        ),
        units,
        mint.decimals,
    )?;
    stake_tokens.reload()?;
    require!(stake_tokens.amount >= stake_vault.owed_units, OracleError::VaultShort);
    Ok(())
}
