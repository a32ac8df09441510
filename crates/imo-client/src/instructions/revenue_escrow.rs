//! Instructions of revenue-escrow.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_protocol::{Bucket, Collection};
use opml_oracle::state::Report;
use revenue_escrow::{
    ID, accounts, instruction,
    instructions::{CollectArgs, GrantSessionArgs},
    state::{Credit, Lane, Session},
};
use solana_sdk_ids::{system_program, sysvar};

use super::build;
use crate::{
    addresses::{self, model_token, revenue_escrow as address, yield_distributor as pool_address},
    voucher::SignedVoucher,
};

/// Anyone.
pub fn open_vault(rent_payer: Pubkey, model: Pubkey, mint: Pubkey) -> Instruction {
    let accounts = accounts::OpenVault {
        rent_payer,
        model,
        mint,
        vault: address::vault(&model),
        vault_tokens: address::vault_tokens(&model),
        token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenVault {})
}

/// Signed by the payer.
pub fn open_credit(payer: Pubkey, rent_payer: Pubkey, model: Pubkey) -> Instruction {
    let accounts = accounts::OpenCredit {
        payer,
        rent_payer,
        protocol: model_token::protocol(),
        vault: address::vault(&model),
        credit: address::credit(&payer, &model),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenCredit {})
}

/// Signed by whoever pays in, from its associated account.
pub fn deposit_credit(
    depositor: Pubkey,
    credit: Pubkey,
    model: Pubkey,
    mint: Pubkey,
    amount_units: u64,
) -> Instruction {
    let accounts = accounts::DepositCredit {
        depositor,
        protocol: model_token::protocol(),
        vault: address::vault(&model),
        credit,
        mint,
        depositor_tokens: addresses::payment_account(&depositor, &mint),
        vault_tokens: address::vault_tokens(&model),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::DepositCredit { amount_units })
}

/// Signed by the payer. In place of any earlier notice.
pub fn request_withdraw(payer: Pubkey, model: Pubkey, amount_units: u64) -> Instruction {
    let accounts = accounts::RequestWithdraw {
        payer,
        protocol: model_token::protocol(),
        credit: address::credit(&payer, &model),
    };
    build(ID, accounts, instruction::RequestWithdraw { amount_units })
}

/// Signed by the payer, once the notice is due.
pub fn withdraw_credit(payer: Pubkey, model: Pubkey, mint: Pubkey, destination: Pubkey) -> Instruction {
    let accounts = accounts::WithdrawCredit {
        payer,
        vault: address::vault(&model),
        credit: address::credit(&payer, &model),
        mint,
        destination,
        vault_tokens: address::vault_tokens(&model),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawCredit {})
}

/// Signed by the payer, once the credit is empty.
pub fn close_credit(credit: &Credit) -> Instruction {
    let accounts = accounts::CloseCredit {
        payer: credit.payer,
        credit: address::credit(&credit.payer, &credit.model),
        rent_payer: credit.rent_payer,
    };
    build(ID, accounts, instruction::CloseCredit {})
}

/// Signed by the payer. Sets `amount_units` aside for the operator, on a model that is open to every operator; `private` for questions and answers that
/// are shown only with the payer's permission.
pub fn open_lane(
    payer: Pubkey,
    rent_payer: Pubkey,
    model: Pubkey,
    operator: Pubkey,
    amount_units: u64,
    private: bool,
) -> Instruction {
    build_lane(payer, rent_payer, model, operator, amount_units, private, None)
}

/// The same on a model with a list, to the operator account of `operator_authority`.
pub fn open_lane_to_appointed(
    payer: Pubkey,
    rent_payer: Pubkey,
    model: Pubkey,
    operator: Pubkey,
    operator_authority: Pubkey,
    amount_units: u64,
    private: bool,
) -> Instruction {
    let appointment = model_token::appointment(&model, &operator_authority);
    build_lane(
        payer,
        rent_payer,
        model,
        operator,
        amount_units,
        private,
        Some(appointment),
    )
}

fn build_lane(
    payer: Pubkey,
    rent_payer: Pubkey,
    model: Pubkey,
    operator: Pubkey,
    amount_units: u64,
    private: bool,
    appointment: Option<Pubkey>,
) -> Instruction {
    let credit = address::credit(&payer, &model);
    let accounts = accounts::OpenLane {
        payer,
        rent_payer,
        protocol: model_token::protocol(),
        vault: address::vault(&model),
        credit,
        operator,
        lane: address::lane(&credit, &operator),
        system_program: system_program::ID,
        model,
        appointment,
    };
    build(ID, accounts, instruction::OpenLane { amount_units, private })
}

/// Signed by the payer.
pub fn fund_lane(payer: Pubkey, model: Pubkey, operator: Pubkey, amount_units: u64) -> Instruction {
    let credit = address::credit(&payer, &model);
    let accounts = accounts::FundLane {
        payer,
        credit,
        lane: address::lane(&credit, &operator),
    };
    build(ID, accounts, instruction::FundLane { amount_units })
}

/// Signed by the payer. In place of any earlier notice.
pub fn request_release(payer: Pubkey, model: Pubkey, operator: Pubkey, amount_units: u64) -> Instruction {
    let credit = address::credit(&payer, &model);
    let accounts = accounts::RequestRelease {
        payer,
        protocol: model_token::protocol(),
        credit,
        lane: address::lane(&credit, &operator),
    };
    build(ID, accounts, instruction::RequestRelease { amount_units })
}

/// Signed by the payer, once the notice is due.
pub fn release_lane(payer: Pubkey, model: Pubkey, operator: Pubkey) -> Instruction {
    let credit = address::credit(&payer, &model);
    let accounts = accounts::ReleaseLane {
        payer,
        credit,
        lane: address::lane(&credit, &operator),
    };
    build(ID, accounts, instruction::ReleaseLane {})
}

/// Signed by the payer, once the lane is empty.
pub fn close_lane(payer: Pubkey, lane: &Lane) -> Instruction {
    let accounts = accounts::CloseLane {
        payer,
        credit: lane.credit,
        lane: address::lane(&lane.credit, &lane.operator),
        rent_payer: lane.rent_payer,
    };
    build(ID, accounts, instruction::CloseLane {})
}

/// Signed by the payer.
pub fn grant_session(payer: Pubkey, rent_payer: Pubkey, model: Pubkey, args: GrantSessionArgs) -> Instruction {
    let credit = address::credit(&payer, &model);
    let accounts = accounts::GrantSession {
        payer,
        rent_payer,
        credit,
        session: address::session(&credit, &args.key),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::GrantSession { args })
}

/// Signed by the payer; takes effect after the notice.
pub fn revoke_session(payer: Pubkey, model: Pubkey, key: Pubkey) -> Instruction {
    let credit = address::credit(&payer, &model);
    let accounts = accounts::RevokeSession {
        payer,
        protocol: model_token::protocol(),
        credit,
        session: address::session(&credit, &key),
    };
    build(ID, accounts, instruction::RevokeSession {})
}

/// Anyone, once no voucher of it can be collected any more.
pub fn close_session(session: &Session) -> Instruction {
    let accounts = accounts::CloseSession {
        credit: session.credit,
        session: address::session(&session.credit, &session.key),
        rent_payer: session.rent_payer,
    };
    build(ID, accounts, instruction::CloseSession {})
}

/// Anyone, while the report is open; the operator does together with posting it.
pub fn open_bucket(rent_payer: Pubkey, report: Pubkey) -> Instruction {
    let accounts = accounts::OpenBucket {
        rent_payer,
        report,
        bucket: address::bucket(&report),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenBucket {})
}

/// Whose voucher is collected, and for which report.
#[derive(Clone, Copy, Debug)]
pub struct CollectedLane {
    /// Of the operator.
    pub authority: Pubkey,
    pub rent_payer: Pubkey,
    pub operator: Pubkey,
    pub report: Pubkey,
    pub credit: Pubkey,
}

/// Signed by the operator's authority. Two instructions that must stay neighbours: the check of the voucher's signature and the collection.
pub fn collect(lane: CollectedLane, voucher: &SignedVoucher, receipts_root: [u8; 32]) -> [Instruction; 2] {
    let CollectedLane {
        authority,
        rent_payer,
        operator,
        report,
        credit,
    } = lane;
    let args = CollectArgs {
        cumulative_amount_units: voucher.voucher.cumulative_amount_units,
        cumulative_count: voucher.voucher.cumulative_count,
        requests_root: voucher.voucher.requests_root,
        receipts_root,
        expires_unix: voucher.voucher.expires_unix,
    };
    let lane = address::lane(&credit, &operator);
    let accounts = accounts::Collect {
        authority,
        rent_payer,
        protocol: model_token::protocol(),
        operator,
        report,
        credit,
        lane,
        session: address::session(&credit, &voucher.voucher.session),
        bucket: address::bucket(&report),
        collection: address::collection(&report, &lane),
        instructions_sysvar: sysvar::instructions::ID,
        system_program: system_program::ID,
    };
    [
        voucher.verify_instruction(),
        build(ID, accounts, instruction::Collect { args }),
    ]
}

/// Signed by the operator's authority, whose associated account pays the fee.
pub fn announce_retraction(authority: Pubkey, report: &Report, collection: &Collection) -> Instruction {
    let accounts = accounts::AnnounceRetraction {
        authority,
        authority_tokens: addresses::payment_account(&authority, &report.mint),
        operator: report.operator,
        report: collection.report,
        model_version: report.model_version,
        bucket: address::bucket(&collection.report),
        collection: address::collection(&collection.report, &collection.lane),
        vault: address::vault(&report.model),
        mint: report.mint,
        vault_tokens: address::vault_tokens(&report.model),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::AnnounceRetraction {})
}

/// What a split pays to.
#[derive(Clone, Copy, Debug)]
pub struct SplitReport {
    pub rent_payer: Pubkey,
    pub report: Pubkey,
    /// The operator account and its authority.
    pub operator: Pubkey,
    pub operator_authority: Pubkey,
    pub model: Pubkey,
    pub developer: Pubkey,
    /// The account of the version that the report is on.
    pub model_version: Pubkey,
    pub treasury: Pubkey,
    pub mint: Pubkey,
    /// [`due_marks`](super::yield_distributor::due_marks) of the model's pool.
    pub due_marks: [Option<Pubkey>; 2],
}

/// Anyone, once the report is final.
pub fn split(split: SplitReport) -> Instruction {
    let SplitReport {
        rent_payer,
        report,
        operator,
        operator_authority,
        model,
        developer,
        model_version,
        treasury,
        mint,
        due_marks: [mark_a, mark_b],
    } = split;
    let vault = address::vault(&model);
    let pool = pool_address::pool(&model);
    let accounts = accounts::Split {
        rent_payer,
        protocol: model_token::protocol(),
        report,
        operator,
        model,
        model_version,
        bucket: address::bucket(&report),
        vault,
        mint,
        vault_tokens: address::vault_tokens(&model),
        operator_earnings: address::earnings(&vault, &operator_authority),
        developer_earnings: address::earnings(&vault, &developer),
        protocol_earnings: address::earnings(&vault, &treasury),
        contributions: address::contributions(&model_version),
        offering: model_token::offering(&model),
        depositor: address::depositor(),
        pool,
        token_mint: model_token::mint(&model),
        revenue_vault: pool_address::revenue_vault(&pool),
        mark_a,
        mark_b,
        token_program: anchor_spl::token::ID,
        yield_distributor: yield_distributor::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::Split {})
}

/// Anyone, once the report is rejected, or final and the collection retracted: the amount is available to its payer again.
pub fn refund(collection: &Collection) -> Instruction {
    let accounts = accounts::Refund {
        report: collection.report,
        bucket: address::bucket(&collection.report),
        collection: address::collection(&collection.report, &collection.lane),
        credit: collection.credit,
        rent_payer: collection.rent_payer,
    };
    build(ID, accounts, instruction::Refund {})
}

/// Anyone, once it is split with its report, or refunded; the rent goes back to who paid it.
pub fn close_collection(collection: &Collection) -> Instruction {
    let accounts = accounts::CloseCollection {
        report: collection.report,
        bucket: address::bucket(&collection.report),
        collection: address::collection(&collection.report, &collection.lane),
        credit: collection.credit,
        rent_payer: collection.rent_payer,
    };
    build(ID, accounts, instruction::CloseCollection {})
}

/// Anyone, once the report has ended and its collections are closed; the rent goes back to who paid it.
pub fn close_bucket(bucket: &Bucket) -> Instruction {
    let accounts = accounts::CloseBucket {
        report: bucket.report,
        bucket: address::bucket(&bucket.report),
        rent_payer: bucket.rent_payer,
    };
    build(ID, accounts, instruction::CloseBucket {})
}

/// Anyone; pays the recipient's associated account.
pub fn withdraw_earnings(caller: Pubkey, model: Pubkey, recipient: Pubkey, mint: Pubkey) -> Instruction {
    let vault = address::vault(&model);
    let accounts = accounts::WithdrawEarnings {
        caller,
        vault,
        earnings: address::earnings(&vault, &recipient),
        mint,
        destination: addresses::payment_account(&recipient, &mint),
        vault_tokens: address::vault_tokens(&model),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawEarnings {})
}

/// Anyone; pays the associated account of the contributor with this number in the version's list.
pub fn withdraw_contribution(
    caller: Pubkey,
    model: Pubkey,
    model_version: Pubkey,
    index: u8,
    recipient: Pubkey,
    mint: Pubkey,
) -> Instruction {
    let accounts = accounts::WithdrawContribution {
        caller,
        model_version,
        vault: address::vault(&model),
        contributions: address::contributions(&model_version),
        mint,
        destination: addresses::payment_account(&recipient, &mint),
        vault_tokens: address::vault_tokens(&model),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawContribution { index })
}

/// Which model pays which other one.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamPayment {
    pub rent_payer: Pubkey,
    /// The model that pays, and its version.
    pub model: Pubkey,
    pub model_version: Pubkey,
    /// The number of the upstream model in the version's list.
    pub index: u8,
    pub upstream: Pubkey,
    pub upstream_developer: Pubkey,
    pub mint: Pubkey,
    /// [`due_marks`](super::yield_distributor::due_marks) of the upstream model's pool.
    pub due_marks: [Option<Pubkey>; 2],
}

/// Anyone; pays a contributor that is a model.
pub fn pay_upstream(payment: UpstreamPayment) -> Instruction {
    let UpstreamPayment {
        rent_payer,
        model,
        model_version,
        index,
        upstream,
        upstream_developer,
        mint,
        due_marks: [mark_a, mark_b],
    } = payment;
    let vault = address::vault(&model);
    let pool = pool_address::pool(&upstream);
    let accounts = accounts::PayUpstream {
        rent_payer,
        model_version,
        vault,
        contributions: address::contributions(&model_version),
        mint,
        vault_tokens: address::vault_tokens(&model),
        upstream,
        upstream_earnings: address::earnings(&vault, &upstream_developer),
        depositor: address::depositor(),
        pool,
        token_mint: model_token::mint(&upstream),
        revenue_vault: pool_address::revenue_vault(&pool),
        mark_a,
        mark_b,
        token_program: anchor_spl::token::ID,
        yield_distributor: yield_distributor::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::PayUpstream { index })
}

/// Anyone; pays what is set aside of the treasury's earnings into the mint's audit fund.
pub fn pay_audit_share(model: Pubkey, treasury: Pubkey, mint: Pubkey) -> Instruction {
    let vault = address::vault(&model);
    let accounts = accounts::PayAuditShare {
        vault,
        earnings: address::earnings(&vault, &treasury),
        mint,
        audit_tokens: addresses::opml_oracle::audit_tokens(&mint),
        vault_tokens: address::vault_tokens(&model),
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::PayAuditShare {})
}
