//! What happened, for indexers. Amounts are in units of the mint that the account names.

use anchor_lang::prelude::*;

#[event]
pub struct PoolCreated {
    pub pool: Pubkey,
    pub model: Pubkey,
    pub token_mint: Pubkey,
    pub revenue_mint: Pubkey,
    pub epoch_slots: u64,
    pub vesting_units: u64,
}

/// Tokens that vest have an account for their yield. The owner is the investor, or the model for the developer's.
#[event]
pub struct VestingOpened {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub units: u64,
}

/// Vested tokens were paid out and no longer earn.
#[event]
pub struct VestingReleased {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub amount_units: u64,
    pub left_units: u64,
}

/// The yield of vesting tokens was paid.
#[event]
pub struct VestingClaimed {
    pub pool: Pubkey,
    pub owner: Pubkey,
    pub recipient: Pubkey,
    pub amount_units: u64,
}

#[event]
pub struct VestingClosed {
    pub pool: Pubkey,
    pub owner: Pubkey,
}

/// A missed tranche came into the redeem pool, and the developer's tokens earn no longer.
#[event]
pub struct TrancheForfeited {
    pub pool: Pubkey,
    pub index: u8,
    pub amount_units: u64,
    pub burned_units: u64,
}

/// Money that was nobody's came into the redeem pool: of the offering, and as yield of tokens that nobody was allotted.
#[event]
pub struct DustBooked {
    pub pool: Pubkey,
    pub payment_units: u64,
    pub yield_units: u64,
    pub vesting_units: u64,
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
