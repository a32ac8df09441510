//! Operators and their stake, usage reports, and the disputes that keep them honest (`docs/protocol.md`, 2.3).
//!
//! `game` is the dispute as a pure state machine, `data_game` that of an inquiry, `audit_game` that of an audit, `math` the money of both; `instructions` check accounts, call both, and move tokens.

use anchor_lang::prelude::*;

pub mod audit_game;
pub mod constants;
pub mod data_game;
pub mod errors;
pub mod events;
pub mod evidence;
pub mod game;
pub mod instructions;
pub mod math;
pub mod state;

use instructions::*;
use opml::model::{CONSTANT_BYTES, HEADER_BYTES, NODE_BYTES};

declare_id!("4snJ87cRGtU3UMSfvKMrfKcL3VkQdaUQ146nquDjtCB2");

#[program]
pub mod opml_oracle {
    use super::*;

    pub fn create_stake_vault(ctx: Context<CreateStakeVault>) -> Result<()> {
        CreateStakeVault::handle(ctx)
    }

    pub fn register_operator(
        ctx: Context<RegisterOperator>,
        backup: Pubkey,
        endpoint: String,
        endpoint_key_hash: [u8; 32],
    ) -> Result<()> {
        RegisterOperator::handle(ctx, backup, endpoint, endpoint_key_hash)
    }

    pub fn update_operator(
        ctx: Context<UpdateOperator>,
        backup: Pubkey,
        endpoint: String,
        endpoint_key_hash: [u8; 32],
    ) -> Result<()> {
        UpdateOperator::handle(ctx, backup, endpoint, endpoint_key_hash)
    }

    pub fn stake_bond(ctx: Context<StakeBond>, amount_units: u64) -> Result<()> {
        StakeBond::handle(ctx, amount_units)
    }

    pub fn request_unbond(ctx: Context<RequestUnbond>, amount_units: u64) -> Result<()> {
        RequestUnbond::handle(ctx, amount_units)
    }

    pub fn withdraw_bond(ctx: Context<WithdrawBond>) -> Result<()> {
        WithdrawBond::handle(ctx)
    }

    pub fn post_report(
        ctx: Context<PostReport>,
        bond_units: u64,
        period_start_unix: i64,
        period_end_unix: i64,
    ) -> Result<()> {
        PostReport::handle(ctx, bond_units, period_start_unix, period_end_unix)
    }

    pub fn seal_report(ctx: Context<SealReport>) -> Result<()> {
        SealReport::handle(ctx)
    }

    pub fn finalise_report(ctx: Context<FinaliseReport>) -> Result<()> {
        FinaliseReport::handle(ctx)
    }

    pub fn close_report(ctx: Context<CloseReport>) -> Result<()> {
        CloseReport::handle(ctx)
    }

    pub fn open_dispute(ctx: Context<OpenDispute>, nonce: u64, commitment: [u8; 32]) -> Result<()> {
        OpenDispute::handle(ctx, nonce, commitment)
    }

    pub fn point(ctx: Context<Point>, expected_digest: [u8; 32], args: PointArgs) -> Result<()> {
        Point::handle(ctx, expected_digest, args)
    }

    pub fn post_trace(ctx: Context<PostTrace>, expected_digest: [u8; 32], roots: Vec<[u8; 32]>) -> Result<()> {
        PostTrace::handle_whole(ctx, expected_digest, roots)
    }

    pub fn post_trace_root(
        ctx: Context<PostTrace>,
        expected_digest: [u8; 32],
        trace_root: [u8; 32],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        PostTrace::handle_root(ctx, expected_digest, trace_root, path)
    }

    pub fn attach_trace(ctx: Context<AttachTrace>, expected_digest: [u8; 32]) -> Result<()> {
        AttachTrace::handle(ctx, expected_digest)
    }

    pub fn demand(ctx: Context<Demand>, expected_digest: [u8; 32], child: u8) -> Result<()> {
        Demand::handle(ctx, expected_digest, child)
    }

    pub fn demand_node(
        ctx: Context<DemandNode>,
        expected_digest: [u8; 32],
        child: u8,
        header: [u8; HEADER_BYTES],
        record: [u8; NODE_BYTES],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        DemandNode::handle(ctx, expected_digest, child, header, record, path)
    }

    pub fn reveal(ctx: Context<Reveal>, expected_digest: [u8; 32], hashes: Vec<[u8; 32]>) -> Result<()> {
        Reveal::handle(ctx, expected_digest, hashes)
    }

    pub fn reveal_tile(ctx: Context<RevealTile>, expected_digest: [u8; 32], tile: Vec<u8>) -> Result<()> {
        RevealTile::handle(ctx, expected_digest, tile)
    }

    pub fn init_witness(ctx: Context<InitWitness>) -> Result<()> {
        InitWitness::handle(ctx)
    }

    pub fn write_witness(ctx: Context<WriteWitness>, offset: u32, bytes: Vec<u8>) -> Result<()> {
        WriteWitness::handle(ctx, offset, bytes)
    }

    pub fn close_witness(ctx: Context<CloseWitness>) -> Result<()> {
        CloseWitness::handle(ctx)
    }

    pub fn prove(ctx: Context<Prove>, expected_digest: [u8; 32], element: u32) -> Result<()> {
        Prove::handle(ctx, expected_digest, element)
    }

    pub fn prove_wrong_question(ctx: Context<ProveWrongQuestion>, expected_digest: [u8; 32]) -> Result<()> {
        ProveWrongQuestion::handle(ctx, expected_digest)
    }

    pub fn prove_equivocation(ctx: Context<ProveEquivocation>, expected_digest: [u8; 32]) -> Result<()> {
        ProveEquivocation::handle(ctx, expected_digest)
    }

    pub fn prove_malformed(ctx: Context<ProveMalformed>, expected_digest: [u8; 32], node_index: u32) -> Result<()> {
        ProveMalformed::handle(ctx, expected_digest, node_index)
    }

    pub fn timeout(ctx: Context<Timeout>) -> Result<()> {
        Timeout::handle(ctx)
    }

    pub fn settle_dispute(ctx: Context<SettleDispute>) -> Result<()> {
        SettleDispute::handle(ctx)
    }

    pub fn withdraw_payout(ctx: Context<WithdrawPayout>) -> Result<()> {
        WithdrawPayout::handle(ctx)
    }

    pub fn close_trace(ctx: Context<CloseTrace>) -> Result<()> {
        CloseTrace::handle(ctx)
    }

    pub fn open_receipts_inquiry(ctx: Context<OpenReceiptsInquiry>, nonce: u64) -> Result<()> {
        OpenReceiptsInquiry::handle(ctx, nonce)
    }

    pub fn open_input_inquiry(ctx: Context<OpenInputInquiry>, nonce: u64, receipt: ShownReceipt) -> Result<()> {
        OpenInputInquiry::handle(ctx, nonce, receipt)
    }

    pub fn open_constant_inquiry(
        ctx: Context<OpenConstantInquiry>,
        nonce: u64,
        index: u32,
        record: [u8; CONSTANT_BYTES],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        OpenConstantInquiry::handle(ctx, nonce, index, record, path)
    }

    pub fn demand_data(
        ctx: Context<DemandData>,
        level: u8,
        index: u32,
        hash: [u8; 32],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        DemandData::handle(ctx, level, index, hash, path)
    }

    pub fn serve_data(ctx: Context<ServeData>, bytes: Vec<u8>) -> Result<()> {
        ServeData::handle(ctx, bytes)
    }

    pub fn time_out_demand(ctx: Context<TimeOutDemand>) -> Result<()> {
        TimeOutDemand::handle(ctx)
    }

    pub fn settle_inquiry(ctx: Context<SettleInquiry>) -> Result<()> {
        SettleInquiry::handle(ctx)
    }

    pub fn withdraw_inquiry(ctx: Context<WithdrawInquiry>) -> Result<()> {
        WithdrawInquiry::handle(ctx)
    }

    pub fn punish_equivocation(ctx: Context<PunishEquivocation>, question: [u8; 32]) -> Result<()> {
        PunishEquivocation::handle(ctx, question)
    }

    pub fn settle_equivocation(ctx: Context<SettleEquivocation>) -> Result<()> {
        SettleEquivocation::handle(ctx)
    }

    pub fn withdraw_reward(ctx: Context<WithdrawReward>) -> Result<()> {
        WithdrawReward::handle(ctx)
    }

    pub fn close_equivocation(ctx: Context<CloseEquivocation>) -> Result<()> {
        CloseEquivocation::handle(ctx)
    }

    pub fn create_audit_fund(ctx: Context<CreateAuditFund>) -> Result<()> {
        CreateAuditFund::handle(ctx)
    }

    pub fn draw_audit(ctx: Context<DrawAudit>, number: u8) -> Result<()> {
        DrawAudit::handle(ctx, number)
    }

    pub fn commit_audit(ctx: Context<CommitAudit>, receipt_index: u32, commitment: [u8; 32]) -> Result<()> {
        CommitAudit::handle(ctx, receipt_index, commitment)
    }

    pub fn ask_audit(ctx: Context<AskAudit>, receipt: ShownReceipt) -> Result<()> {
        AskAudit::handle(ctx, receipt)
    }

    pub fn post_audit_trace(ctx: Context<PostAuditTrace>, roots: Vec<[u8; 32]>) -> Result<()> {
        PostAuditTrace::handle_whole(ctx, roots)
    }

    pub fn post_audit_trace_root(
        ctx: Context<PostAuditTrace>,
        trace_root: [u8; 32],
        path: Vec<[u8; 32]>,
    ) -> Result<()> {
        PostAuditTrace::handle_root(ctx, trace_root, path)
    }

    pub fn attach_audit_trace(ctx: Context<AttachAuditTrace>) -> Result<()> {
        AttachAuditTrace::handle(ctx)
    }

    pub fn reveal_audit(ctx: Context<RevealAudit>, salt: [u8; 32]) -> Result<()> {
        RevealAudit::handle(ctx, salt)
    }

    pub fn time_out_audit(ctx: Context<TimeOutAudit>) -> Result<()> {
        TimeOutAudit::handle(ctx)
    }

    pub fn settle_audit(ctx: Context<SettleAudit>) -> Result<()> {
        SettleAudit::handle(ctx)
    }

    pub fn withdraw_audit_fee(ctx: Context<WithdrawAuditFee>) -> Result<()> {
        WithdrawAuditFee::handle(ctx)
    }

    pub fn close_audit(ctx: Context<CloseAudit>) -> Result<()> {
        CloseAudit::handle(ctx)
    }
}

#[cfg(test)]
mod id_tests {
    #[test]
    fn given_the_shared_ids_when_compared_then_this_program_is_the_one_declared() {
        assert_eq!(crate::ID, imo_protocol::ids::OPML_ORACLE);
        assert_eq!(model_token::ID, imo_protocol::ids::MODEL_TOKEN);
    }
}
