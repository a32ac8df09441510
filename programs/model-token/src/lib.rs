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
mod payment_vault;
mod token_vault;

use instructions::*;
use state::{Metadata, OperatorAccess, Settings};

declare_id!("BzyHNgUq6QbxivcJVCd22feunwVEHricPjYJYi3TTCJo");

#[program]
pub mod model_token {
    use super::*;

    pub fn init_protocol(ctx: Context<InitProtocol>, args: InitProtocolArgs) -> Result<()> {
        InitProtocol::handle(ctx, args)
    }

    pub fn propose_update(ctx: Context<ProposeUpdate>, settings: Settings) -> Result<()> {
        ProposeUpdate::handle(ctx, settings)
    }

    pub fn execute_update(ctx: Context<ExecuteUpdate>) -> Result<()> {
        ExecuteUpdate::handle(ctx)
    }

    pub fn cancel_update(ctx: Context<CancelUpdate>) -> Result<()> {
        CancelUpdate::handle(ctx)
    }

    pub fn propose_authority(ctx: Context<ProposeAuthority>, pending_authority: Pubkey) -> Result<()> {
        ProposeAuthority::handle(ctx, pending_authority)
    }

    pub fn accept_authority(ctx: Context<AcceptAuthority>) -> Result<()> {
        AcceptAuthority::handle(ctx)
    }

    pub fn set_pause(ctx: Context<SetPause>, until_unix: i64) -> Result<()> {
        SetPause::handle(ctx, until_unix)
    }

    pub fn register_model(ctx: Context<RegisterModel>, args: RegisterModelArgs) -> Result<()> {
        RegisterModel::handle(ctx, args)
    }

    pub fn propose_metadata(ctx: Context<ProposeMetadata>, metadata: Metadata) -> Result<()> {
        ProposeMetadata::handle(ctx, metadata)
    }

    pub fn apply_metadata(ctx: Context<ApplyMetadata>) -> Result<()> {
        ApplyMetadata::handle(ctx)
    }

    pub fn cancel_metadata(ctx: Context<CancelMetadata>) -> Result<()> {
        CancelMetadata::handle(ctx)
    }

    pub fn propose_developer(ctx: Context<ProposeDeveloper>, pending_developer: Pubkey) -> Result<()> {
        ProposeDeveloper::handle(ctx, pending_developer)
    }

    pub fn accept_developer(ctx: Context<AcceptDeveloper>) -> Result<()> {
        AcceptDeveloper::handle(ctx)
    }

    pub fn publish_version(ctx: Context<PublishVersion>, args: PublishVersionArgs) -> Result<()> {
        PublishVersion::handle(ctx, args)
    }

    pub fn activate_version(ctx: Context<ActivateVersion>) -> Result<()> {
        ActivateVersion::handle(ctx)
    }

    pub fn set_operator_access(ctx: Context<SetOperatorAccess>, operators: OperatorAccess) -> Result<()> {
        SetOperatorAccess::handle(ctx, operators)
    }

    pub fn appoint_operator(ctx: Context<AppointOperator>, operator_authority: Pubkey) -> Result<()> {
        AppointOperator::handle(ctx, operator_authority)
    }

    pub fn dismiss_operator(ctx: Context<DismissOperator>) -> Result<()> {
        DismissOperator::handle(ctx)
    }

    pub fn close_appointment(ctx: Context<CloseAppointment>) -> Result<()> {
        CloseAppointment::handle(ctx)
    }

    pub fn open_offering(ctx: Context<OpenOffering>, args: OpenOfferingArgs) -> Result<()> {
        OpenOffering::handle(ctx, args)
    }

    pub fn commit(ctx: Context<Commit>, amount_units: u64, allowance: Option<Allowance>) -> Result<()> {
        Commit::handle(ctx, amount_units, allowance)
    }

    pub fn withdraw_commitment(ctx: Context<WithdrawCommitment>, amount_units: u64) -> Result<()> {
        WithdrawCommitment::handle(ctx, amount_units)
    }

    pub fn settle_offering(ctx: Context<SettleOffering>) -> Result<()> {
        SettleOffering::handle(ctx)
    }

    pub fn claim_commitment(ctx: Context<ClaimCommitment>) -> Result<()> {
        ClaimCommitment::handle(ctx)
    }

    pub fn withdraw_tranche(ctx: Context<WithdrawTranche>, index: u8) -> Result<()> {
        WithdrawTranche::handle(ctx, index)
    }

    pub fn release_commitment(ctx: Context<ReleaseCommitment>, amount_units: u64) -> Result<()> {
        ReleaseCommitment::handle(ctx, amount_units)
    }

    pub fn release_developer(ctx: Context<ReleaseDeveloper>, amount_units: u64) -> Result<()> {
        ReleaseDeveloper::handle(ctx, amount_units)
    }

    pub fn miss_tranche(ctx: Context<MissTranche>, index: u8) -> Result<()> {
        MissTranche::handle(ctx, index)
    }

    pub fn sweep_dust(ctx: Context<SweepDust>) -> Result<()> {
        SweepDust::handle(ctx)
    }
}
