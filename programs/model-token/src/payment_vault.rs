//! What leaves an offering's payment vault, under the offering's signature.

use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint, Token, TokenAccount},
    token_interface::{TransferChecked, transfer_checked},
};

use crate::{
    errors::ModelTokenError,
    state::{OFFERING_SEED, Offering},
};

/// The payment vault with what moves its money. Book first, then move: the vault is read again and must hold what it owes.
pub struct PaymentVault<'a, 'info> {
    pub offering: &'a Account<'info, Offering>,
    pub mint: &'a Account<'info, Mint>,
    pub vault: &'a mut Account<'info, TokenAccount>,
    pub token_program: &'a Program<'info, Token>,
}

impl<'info> PaymentVault<'_, 'info> {
    pub fn pay(&mut self, recipient: AccountInfo<'info>, units: u64) -> Result<()> {
        if units > 0 {
            let accounts = TransferChecked {
                from: self.vault.to_account_info(),
                mint: self.mint.to_account_info(),
                to: recipient,
                authority: self.offering.to_account_info(),
            };
            let seeds: [&[u8]; 3] = [OFFERING_SEED, self.offering.model.as_ref(), &[self.offering.bump]];
            transfer_checked(
                CpiContext::new_with_signer(self.token_program.key(), accounts, &[&seeds]),
                units,
                self.mint.decimals,
            )?;
        }
        self.vault.reload()?;
        require!(
            self.vault.amount >= self.offering.payment_owed_units()?,
            ModelTokenError::VaultShort
        );
        Ok(())
    }
}
