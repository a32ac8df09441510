//! Registry of models and their versions, the model's token and its offering.
//!
//! Accounts, rules and who may call what are in `docs/protocol.md`, section 2.1.

use anchor_lang::prelude::*;

pub mod constants;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod math;
pub mod state;

mod model_mint;

use instructions::*;

declare_id!("BzyHNgUq6QbxivcJVCd22feunwVEHricPjYJYi3TTCJo");

#[program]
pub mod model_token {
    use super::*;

    pub fn init_protocol(ctx: Context<InitProtocol>, args: InitProtocolArgs) -> Result<()> {
        InitProtocol::handle(ctx, args)
    }

    pub fn update_protocol(ctx: Context<UpdateProtocol>, args: UpdateProtocolArgs) -> Result<()> {
        UpdateProtocol::handle(ctx, args)
    }

    pub fn set_pause(ctx: Context<SetPause>, until_unix: i64) -> Result<()> {
        SetPause::handle(ctx, until_unix)
    }

    pub fn register_model(ctx: Context<RegisterModel>, args: RegisterModelArgs) -> Result<()> {
        RegisterModel::handle(ctx, args)
    }

    pub fn publish_version(ctx: Context<PublishVersion>, args: PublishVersionArgs) -> Result<()> {
        PublishVersion::handle(ctx, args)
    }

    pub fn activate_version(ctx: Context<ActivateVersion>) -> Result<()> {
        ActivateVersion::handle(ctx)
    }

    pub fn open_offering(ctx: Context<OpenOffering>, args: OpenOfferingArgs) -> Result<()> {
        OpenOffering::handle(ctx, args)
    }

    pub fn commit(ctx: Context<Commit>, amount_units: u64) -> Result<()> {
        Commit::handle(ctx, amount_units)
    }

    pub fn settle_offering(ctx: Context<SettleOffering>) -> Result<()> {
        SettleOffering::handle(ctx)
    }

    pub fn claim_commitment(ctx: Context<ClaimCommitment>) -> Result<()> {
        ClaimCommitment::handle(ctx)
    }

    pub fn withdraw_proceeds(ctx: Context<WithdrawProceeds>) -> Result<()> {
        WithdrawProceeds::handle(ctx)
    }
}
