//! Token movements into and out of a vault. After each, the vault must hold what it owes.

use anchor_lang::prelude::*;
use anchor_spl::token::{Mint, Token, TokenAccount, TransferChecked, transfer_checked};

use crate::state::{MODEL_VAULT_SEED, ModelVault, VaultBooks};

/// The vault's side of a movement, checked by the accounts of the instruction.
pub struct VaultSide<'a, 'info> {
    pub vault: &'a Account<'info, ModelVault>,
    pub tokens: &'a mut Account<'info, TokenAccount>,
    pub mint: &'a Account<'info, Mint>,
    pub token_program: &'a Program<'info, Token>,
}

impl<'info> VaultSide<'_, 'info> {
    /// Moves `units` in from an account of `authority`.
    pub fn pay_in(self, from: &Account<'info, TokenAccount>, authority: &Signer<'info>, units: u64) -> Result<()> {
        let transfer = TransferChecked {
            from: from.to_account_info(),
            mint: self.mint.to_account_info(),
            to: self.tokens.to_account_info(),
            authority: authority.to_account_info(),
        };
        transfer_checked(
            CpiContext::new(self.token_program.key(), transfer),
            units,
            self.mint.decimals,
        )?;
        self.vault.require_covered(self.tokens)
    }

    /// Moves `units` out. The vault owes them no longer.
    pub fn pay_out(self, to: &Account<'info, TokenAccount>, units: u64) -> Result<()> {
        let transfer = TransferChecked {
            from: self.tokens.to_account_info(),
            mint: self.mint.to_account_info(),
            to: to.to_account_info(),
            authority: self.vault.to_account_info(),
        };
        let seeds: &[&[u8]] = &[MODEL_VAULT_SEED, self.vault.model.as_ref(), &[self.vault.bump]];
        transfer_checked(
            CpiContext::new_with_signer(self.token_program.key(), transfer, &[seeds]),
            units,
            self.mint.decimals,
        )?;
        self.vault.require_covered(self.tokens)
    }
}
