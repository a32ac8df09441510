//! Addresses of yield-distributor.

use anchor_lang::prelude::Pubkey;
use yield_distributor::{
    ID,
    state::{
        CLAIM_DELEGATION_SEED, EPOCH_MARK_SEED, POOL_SEED, POSITION_SEED, REVENUE_VAULT_SEED, STAKE_VAULT_SEED,
        VESTING_SEED,
    },
};

use super::find;

/// Staked tokens and revenue of a model.
pub fn pool(model: &Pubkey) -> Pubkey {
    find(&[POOL_SEED, model.as_ref()], &ID)
}

/// The token account that holds the staked tokens.
pub fn stake_vault(pool: &Pubkey) -> Pubkey {
    find(&[STAKE_VAULT_SEED, pool.as_ref()], &ID)
}

/// The token account that holds the revenue.
pub fn revenue_vault(pool: &Pubkey) -> Pubkey {
    find(&[REVENUE_VAULT_SEED, pool.as_ref()], &ID)
}

/// What an owner has staked in a pool.
pub fn position(pool: &Pubkey, owner: &Pubkey) -> Pubkey {
    find(&[POSITION_SEED, pool.as_ref(), owner.as_ref()], &ID)
}

/// Whom an owner lets claim its yield.
pub fn claim_delegation(pool: &Pubkey, owner: &Pubkey) -> Pubkey {
    find(&[CLAIM_DELEGATION_SEED, pool.as_ref(), owner.as_ref()], &ID)
}

/// What the stakes that become active with an epoch need to know.
pub fn epoch_mark(pool: &Pubkey, epoch: u64) -> Pubkey {
    find(&[EPOCH_MARK_SEED, pool.as_ref(), &epoch.to_le_bytes()], &ID)
}

/// The yield of what vests: of an investor, or of the developer, whose owner is the model.
pub fn vesting(pool: &Pubkey, owner: &Pubkey) -> Pubkey {
    find(&[VESTING_SEED, pool.as_ref(), owner.as_ref()], &ID)
}
