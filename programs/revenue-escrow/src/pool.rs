//! Payments into the pool of a model's token, by the one signer that yield-distributor lets deposit.

use anchor_lang::{prelude::*, system_program};
use anchor_spl::{
    token::{Mint, Token, TokenAccount},
    token_2022,
};
use yield_distributor::program::YieldDistributor;

use crate::{
    constants::DEPOSITOR_SEED,
    errors::RevenueEscrowError,
    state::{MODEL_VAULT_SEED, ModelVault},
};

/// The vault that pays, and the pool that is paid. The addresses of pool, token and depositor were checked by the accounts of the instruction, everything
/// else of the pool is yield-distributor's to check.
pub struct PoolSide<'a, 'info> {
    pub vault: &'a Account<'info, ModelVault>,
    pub vault_tokens: &'a Account<'info, TokenAccount>,
    pub mint: &'a Account<'info, Mint>,
    pub depositor: &'a UncheckedAccount<'info>,
    pub depositor_bump: u8,
    pub pool: &'a UncheckedAccount<'info>,
    pub token_mint: &'a UncheckedAccount<'info>,
    pub revenue_vault: &'a UncheckedAccount<'info>,
    pub mark_a: &'a Option<UncheckedAccount<'info>>,
    pub mark_b: &'a Option<UncheckedAccount<'info>>,
    pub token_program: &'a Program<'info, Token>,
    pub yield_distributor: &'a Program<'info, YieldDistributor>,
}

impl PoolSide<'_, '_> {
    /// Whether the model has a pool; refuses while it has a token and no pool. The address is the pool's own, so that only yield-distributor can have made
    /// an account there.
    pub fn is_there(&self) -> Result<bool> {
        if *self.pool.owner == yield_distributor::ID {
            return Ok(true);
        }
        require!(*self.pool.owner == system_program::ID, RevenueEscrowError::PoolMissing);
        require!(
            *self.token_mint.owner != token_2022::ID,
            RevenueEscrowError::PoolMissing
        );
        Ok(false)
    }

    /// Moves the shares of holders and redeem pool from the vault into the pool.
    pub fn deposit(&self, holders_units: u64, redeem_units: u64) -> Result<()> {
        let vault_seeds: &[&[u8]] = &[MODEL_VAULT_SEED, self.vault.model.as_ref(), &[self.vault.bump]];
        let depositor_seeds: &[&[u8]] = &[DEPOSITOR_SEED, &[self.depositor_bump]];
        let deposit = yield_distributor::cpi::accounts::Deposit {
            depositor: self.depositor.to_account_info(),
            source_authority: self.vault.to_account_info(),
            source: self.vault_tokens.to_account_info(),
            pool: self.pool.to_account_info(),
            token_mint: self.token_mint.to_account_info(),
            revenue_mint: self.mint.to_account_info(),
            revenue_vault: self.revenue_vault.to_account_info(),
            mark_a: self.mark_a.as_ref().map(|mark| mark.to_account_info()),
            mark_b: self.mark_b.as_ref().map(|mark| mark.to_account_info()),
            token_program: self.token_program.to_account_info(),
        };
        yield_distributor::cpi::deposit(
            CpiContext::new_with_signer(self.yield_distributor.key(), deposit, &[vault_seeds, depositor_seeds]),
            holders_units,
            redeem_units,
        )
    }
}
