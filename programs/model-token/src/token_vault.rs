//! What leaves an offering's token vault, under the offering's signature.

use anchor_lang::prelude::*;
use anchor_spl::{
    token_2022::Token2022,
    token_interface::{Burn, Mint, TokenAccount, TransferChecked, burn, transfer_checked},
};

use crate::{
    errors::ModelTokenError,
    state::{OFFERING_SEED, Offering},
};

/// The token vault with what moves its tokens. Book first, then move: the vault is read again and must hold what it owes.
pub struct TokenVault<'a, 'info> {
    pub offering: &'a Account<'info, Offering>,
    pub mint: &'a InterfaceAccount<'info, Mint>,
    pub vault: &'a mut InterfaceAccount<'info, TokenAccount>,
    pub token_program: &'a Program<'info, Token2022>,
}

impl<'info> TokenVault<'_, 'info> {
    pub fn pay(&mut self, recipient: AccountInfo<'info>, units: u64) -> Result<()> {
        if units > 0 {
            let accounts = TransferChecked {
                from: self.vault.to_account_info(),
                mint: self.mint.to_account_info(),
                to: recipient,
                authority: self.offering.to_account_info(),
            };
            transfer_checked(
                CpiContext::new_with_signer(
                    self.token_program.key(),
                    accounts,
                    &[&self.seeds(&[self.offering.bump])],
                ),
                units,
                self.mint.decimals,
            )?;
        }
        self.require_covered()
    }

    pub fn burn(&mut self, units: u64) -> Result<()> {
        if units > 0 {
            let accounts = Burn {
                mint: self.mint.to_account_info(),
                from: self.vault.to_account_info(),
                authority: self.offering.to_account_info(),
            };
            burn(
                CpiContext::new_with_signer(
                    self.token_program.key(),
                    accounts,
                    &[&self.seeds(&[self.offering.bump])],
                ),
                units,
            )?;
        }
        self.require_covered()
    }

    fn require_covered(&mut self) -> Result<()> {
        self.vault.reload()?;
        require!(
            self.vault.amount >= self.offering.tokens_owed_units()?,
            ModelTokenError::VaultShort
        );
        Ok(())
    }

    fn seeds<'s>(&'s self, bump: &'s [u8; 1]) -> [&'s [u8]; 3] {
        [OFFERING_SEED, self.offering.model.as_ref(), bump]
    }
}
