//! Yield for staked tokens of a model, and a floor for all of them.
//!
//! Accounts, rules and who may call what are in `docs/protocol.md`, section 2.2.

use anchor_lang::prelude::*;

pub mod constants;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod math;
pub mod state;

use instructions::*;

declare_id!("8zXmPbv9PE1qMmhbYpKV6b64rMt8Kyo75NyHtLmcaE1F");

#[program]
pub mod yield_distributor {
    use super::*;

    pub fn create_pool(ctx: Context<CreatePool>) -> Result<()> {
        CreatePool::handle(ctx)
    }

    pub fn stake(ctx: Context<Stake>, amount_units: u64, activation_epoch: u64) -> Result<()> {
        Stake::handle(ctx, amount_units, activation_epoch)
    }

    pub fn unstake(ctx: Context<Unstake>, amount_units: u64) -> Result<()> {
        Unstake::handle(ctx, amount_units)
    }

    pub fn deposit(ctx: Context<Deposit>, holders_units: u64, redeem_units: u64) -> Result<()> {
        Deposit::handle(ctx, holders_units, redeem_units)
    }

    pub fn claim(ctx: Context<Claim>) -> Result<()> {
        Claim::handle(ctx)
    }

    pub fn claim_to(ctx: Context<ClaimTo>) -> Result<()> {
        ClaimTo::handle(ctx)
    }

    pub fn set_claim_delegate(ctx: Context<SetClaimDelegate>, delegate: Pubkey, destination: Pubkey) -> Result<()> {
        SetClaimDelegate::handle(ctx, delegate, destination)
    }

    pub fn revoke_claim_delegate(ctx: Context<RevokeClaimDelegate>) -> Result<()> {
        RevokeClaimDelegate::handle(ctx)
    }

    pub fn redeem(ctx: Context<Redeem>, amount_units: u64) -> Result<()> {
        Redeem::handle(ctx, amount_units)
    }

    pub fn close_epoch_mark(ctx: Context<CloseEpochMark>) -> Result<()> {
        CloseEpochMark::handle(ctx)
    }

    pub fn open_vesting(ctx: Context<OpenVesting>) -> Result<()> {
        OpenVesting::handle(ctx)
    }

    pub fn release_vested(ctx: Context<ReleaseVested>) -> Result<()> {
        ReleaseVested::handle(ctx)
    }

    pub fn release_developer(ctx: Context<ReleaseDeveloper>) -> Result<()> {
        ReleaseDeveloper::handle(ctx)
    }

    pub fn claim_vesting(ctx: Context<ClaimVesting>) -> Result<()> {
        ClaimVesting::handle(ctx)
    }

    pub fn close_vesting(ctx: Context<CloseVesting>) -> Result<()> {
        CloseVesting::handle(ctx)
    }

    pub fn miss_tranche(ctx: Context<MissTranche>, index: u8) -> Result<()> {
        MissTranche::handle(ctx, index)
    }

    pub fn sweep_dust(ctx: Context<SweepDust>) -> Result<()> {
        SweepDust::handle(ctx)
    }

    pub fn close_position(ctx: Context<ClosePosition>) -> Result<()> {
        ClosePosition::handle(ctx)
    }
}
