//! Payer credits, vouchers, collection per report, split and refund (`docs/protocol.md`, 2.4).
//!
//! A payer's money is in one of four places, and the vault of the model owes the sum of them: the credit (available or withdrawing), a lane
//! (reserved or releasing), the bucket of a report, or somebody's earnings. Collecting and refunding are entries in these books; tokens move only
//! when money comes in, goes out, or is split to the token holders' pool.

use anchor_lang::prelude::*;

pub mod constants;
pub mod errors;
pub mod events;
pub mod instructions;
pub mod math;
mod pool;
pub mod state;
mod tokens;

pub use instructions::*;

declare_id!("kVC33AQRoNovgZCfDdaRw5dLzkHUJS8HjomAPUSGkKB");

#[program]
pub mod revenue_escrow {
    use super::*;

    pub fn open_vault(ctx: Context<OpenVault>) -> Result<()> {
        OpenVault::handle(ctx)
    }

    pub fn open_credit(ctx: Context<OpenCredit>) -> Result<()> {
        OpenCredit::handle(ctx)
    }

    pub fn deposit_credit(ctx: Context<DepositCredit>, amount_units: u64) -> Result<()> {
        DepositCredit::handle(ctx, amount_units)
    }

    pub fn request_withdraw(ctx: Context<RequestWithdraw>, amount_units: u64) -> Result<()> {
        RequestWithdraw::handle(ctx, amount_units)
    }

    pub fn withdraw_credit(ctx: Context<WithdrawCredit>) -> Result<()> {
        WithdrawCredit::handle(ctx)
    }

    pub fn close_credit(ctx: Context<CloseCredit>) -> Result<()> {
        CloseCredit::handle(ctx)
    }

    pub fn open_lane(ctx: Context<OpenLane>, amount_units: u64, private: bool) -> Result<()> {
        OpenLane::handle(ctx, amount_units, private)
    }

    pub fn fund_lane(ctx: Context<FundLane>, amount_units: u64) -> Result<()> {
        FundLane::handle(ctx, amount_units)
    }

    pub fn request_release(ctx: Context<RequestRelease>, amount_units: u64) -> Result<()> {
        RequestRelease::handle(ctx, amount_units)
    }

    pub fn release_lane(ctx: Context<ReleaseLane>) -> Result<()> {
        ReleaseLane::handle(ctx)
    }

    pub fn close_lane(ctx: Context<CloseLane>) -> Result<()> {
        CloseLane::handle(ctx)
    }

    pub fn grant_session(ctx: Context<GrantSession>, args: GrantSessionArgs) -> Result<()> {
        GrantSession::handle(ctx, args)
    }

    pub fn revoke_session(ctx: Context<RevokeSession>) -> Result<()> {
        RevokeSession::handle(ctx)
    }

    pub fn close_session(ctx: Context<CloseSession>) -> Result<()> {
        CloseSession::handle(ctx)
    }

    pub fn open_bucket(ctx: Context<OpenBucket>) -> Result<()> {
        OpenBucket::handle(ctx)
    }

    pub fn collect(ctx: Context<Collect>, args: CollectArgs) -> Result<()> {
        Collect::handle(ctx, args)
    }

    pub fn announce_retraction(ctx: Context<AnnounceRetraction>) -> Result<()> {
        AnnounceRetraction::handle(ctx)
    }

    pub fn split(ctx: Context<Split>) -> Result<()> {
        Split::handle(ctx)
    }

    pub fn refund(ctx: Context<Refund>) -> Result<()> {
        Refund::handle(ctx)
    }

    pub fn close_collection(ctx: Context<CloseCollection>) -> Result<()> {
        CloseCollection::handle(ctx)
    }

    pub fn close_bucket(ctx: Context<CloseBucket>) -> Result<()> {
        CloseBucket::handle(ctx)
    }

    pub fn withdraw_earnings(ctx: Context<WithdrawEarnings>) -> Result<()> {
        WithdrawEarnings::handle(ctx)
    }

    pub fn withdraw_contribution(ctx: Context<WithdrawContribution>, index: u8) -> Result<()> {
        WithdrawContribution::handle(ctx, index)
    }

    pub fn pay_upstream(ctx: Context<PayUpstream>, index: u8) -> Result<()> {
        PayUpstream::handle(ctx, index)
    }

    pub fn pay_audit_share(ctx: Context<PayAuditShare>) -> Result<()> {
        PayAuditShare::handle(ctx)
    }
}

#[cfg(test)]
mod tests {
    use imo_protocol::ids;

    #[test]
    fn given_the_programs_when_their_ids_are_compared_then_as_the_protocol_crate_says() {
        assert_eq!(crate::ID, ids::REVENUE_ESCROW);
        assert_eq!(model_token::ID, ids::MODEL_TOKEN);
        assert_eq!(opml_oracle::ID, ids::OPML_ORACLE);
        assert_eq!(yield_distributor::ID, ids::YIELD_DISTRIBUTOR);
    }
}
