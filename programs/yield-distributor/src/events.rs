//! What happened, for indexers. Amounts are in units of the mint that the account names.

use anchor_lang::prelude::*;

#[event]
pub struct PoolCreated {
    pub pool: Pubkey,
    pub model: Pubkey,
    pub token_mint: Pubkey,
    pub revenue_mint: Pubkey,
    pub epoch_slots: u64,
}

/// The stake that waited for an epoch became active.
#[event]
pub struct EpochRolled {
    pub pool: Pubkey,
    pub epoch: u64,
    pub units: u64,
    pub active_units: u64,
}

#[event]
pub struct Staked {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub amount_units: u64,
    pub pending_units: u64,
    pub pending_epoch: u64,
}

#[event]
pub struct Unstaked {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub amount_units: u64,
    pub active_units: u64,
    pub pending_units: u64,
}

#[event]
pub struct Deposited {
    pub pool: Pubkey,
    pub holders_units: u64,
    pub redeem_units: u64,
    pub stakers_units: u64,
    pub active_units: u64,
    pub supply_units: u64,
}

#[event]
pub struct Claimed {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub amount_units: u64,
}

/// With a [`Claimed`], where it was not paid to the owner's own account.
#[event]
pub struct ClaimedTo {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub claimer: Pubkey,
    pub destination: Pubkey,
}

#[event]
pub struct ClaimDelegateSet {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub delegate: Pubkey,
    pub destination: Pubkey,
}

#[event]
pub struct ClaimDelegateRevoked {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub delegate: Pubkey,
}

#[event]
pub struct Redeemed {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub burned_units: u64,
    pub paid_units: u64,
}

#[event]
pub struct PositionClosed {
    pub pool: Pubkey,
    pub owner: Pubkey,
}

#[event]
pub struct EpochMarkClosed {
    pub pool: Pubkey,
    pub epoch: u64,
}
