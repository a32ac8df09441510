use anchor_lang::prelude::*;
use anchor_spl::{
    token::{Mint, Token, TokenAccount},
    token_interface::{TransferChecked, transfer_checked},
};

use crate::{
    errors::YieldError,
    state::{POOL_SEED, Pool},
};

/// The pool's side of a payment of revenue, checked by the accounts of the instruction.
pub struct RevenuePayout<'a, 'info> {
    pub pool: &'a Account<'info, Pool>,
    pub vault: &'a mut Account<'info, TokenAccount>,
    pub mint: &'a Account<'info, Mint>,
    pub token_program: &'a Program<'info, Token>,
}

impl<'info> RevenuePayout<'_, 'info> {
    /// Moves `units` out, which the pool owes no longer. Afterwards the vault must hold what it owes.
    pub fn pay(self, to: &Account<'info, TokenAccount>, units: u64) -> Result<()> {
        let Self {
            pool,
            vault,
            mint,
            token_program,
        } = self;
        transfer_checked(
            CpiContext::new_with_signer(
                token_program.key(),
                TransferChecked {
                    from: vault.to_account_info(),
                    mint: mint.to_account_info(),
                    to: to.to_account_info(),
                    authority: pool.to_account_info(),
                },
                &[&[POOL_SEED, pool.model.as_ref(), &[pool.bump]]],
            ),
            units,
            mint.decimals,
        )?;
        vault.reload()?;
        require!(vault.amount >= pool.revenue_owed_units()?, YieldError::VaultShort);
        Ok(())
    }
}
