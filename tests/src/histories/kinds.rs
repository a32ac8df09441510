//! What somebody can try, and the instructions that it plays.

use proptest::prelude::*;

use super::beginning::Beginning;

/// An instruction: its program and its name, as in the program's interface.
pub type Instruction = (&'static str, &'static str);

macro_rules! kinds {
    ($($theme:ident { $($weight:literal $kind:ident [$($program:ident::$name:ident)*])* })*) => {
        /// What somebody tries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($($kind,)*)*
        }

        /// What kinds have in common.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Theme {
            $($theme,)*
        }

        impl Kind {
            pub const ALL: &[Self] = &[$($(Self::$kind,)*)*];

            pub fn theme(self) -> Theme {
                match self {
                    $($(Self::$kind => Theme::$theme,)*)*
                }
            }

            /// The instructions that it plays, and those that these call: none off chain.
            pub fn instructions(self) -> &'static [Instruction] {
                match self {
                    $($(Self::$kind => &[$((stringify!($program), stringify!($name)),)*],)*)*
                }
            }

            /// How often it is tried, of its theme.
            fn weight(self) -> u32 {
                match self {
                    $($(Self::$kind => $weight,)*)*
                }
            }
        }
    };
}

kinds! {
    Time {
        6 Wait []
        14 WaitUntilDue []
        1 Restart []
    }
    Founding {
        5 InitProtocol [model_token::init_protocol]
        2 CreateStakeVault [opml_oracle::create_stake_vault]
        1 CreateAuditFund [opml_oracle::create_audit_fund]
        1 OpenVault [revenue_escrow::open_vault]
        2 RegisterModel [model_token::register_model]
        1 PublishVersion [model_token::publish_version]
        2 RegisterOperator [opml_oracle::register_operator]
    }
    Roles {
        2 SetPause [model_token::set_pause]
        2 SetOperatorAccess [model_token::set_operator_access]
        2 AppointOperator [model_token::appoint_operator]
        2 DismissOperator [model_token::dismiss_operator]
        2 CloseAppointment [model_token::close_appointment]
        2 ProposeUpdate [model_token::propose_update]
        1 ExecuteUpdate [model_token::execute_update]
        2 CancelUpdate [model_token::cancel_update]
        2 ProposeAuthority [model_token::propose_authority]
        1 AcceptAuthority [model_token::accept_authority]
        2 ProposeDeveloper [model_token::propose_developer]
        1 AcceptDeveloper [model_token::accept_developer]
        1 ActivateVersion [model_token::activate_version]
        2 ProposeMetadata [model_token::propose_metadata]
        1 ApplyMetadata [model_token::apply_metadata]
        2 CancelMetadata [model_token::cancel_metadata]
        2 UpdateOperator [opml_oracle::update_operator]
    }
    Offering {
        4 OpenOffering [model_token::open_offering]
        8 Commit [model_token::commit]
        4 WithdrawCommitment [model_token::withdraw_commitment]
        5 SettleOffering [model_token::settle_offering]
        6 ClaimCommitment [model_token::claim_commitment]
        4 CreatePool [yield_distributor::create_pool]
        3 WithdrawTranche [model_token::withdraw_tranche]
        3 MissTranche [yield_distributor::miss_tranche model_token::miss_tranche]
        3 SweepDust [yield_distributor::sweep_dust model_token::sweep_dust]
    }
    Vesting {
        4 OpenVesting [yield_distributor::open_vesting]
        5 ReleaseVested [yield_distributor::release_vested model_token::release_commitment]
        3 ReleaseDeveloper [yield_distributor::release_developer model_token::release_developer]
        4 ClaimVesting [yield_distributor::claim_vesting]
        3 CloseVesting [yield_distributor::close_vesting]
    }
    Credit {
        2 OpenCredit [revenue_escrow::open_credit]
        4 DepositCredit [revenue_escrow::deposit_credit]
        3 RequestWithdraw [revenue_escrow::request_withdraw]
        3 WithdrawCredit [revenue_escrow::withdraw_credit]
        1 CloseCredit [revenue_escrow::close_credit]
        4 OpenLane [revenue_escrow::open_lane]
        3 FundLane [revenue_escrow::fund_lane]
        3 RequestRelease [revenue_escrow::request_release]
        3 ReleaseLane [revenue_escrow::release_lane]
        2 CloseLane [revenue_escrow::close_lane]
        4 GrantSession [revenue_escrow::grant_session]
        1 RevokeSession [revenue_escrow::revoke_session]
        2 CloseSession [revenue_escrow::close_session]
        10 Ask []
    }
    Revenue {
        12 Collect [revenue_escrow::collect]
        2 CollectReplayed [revenue_escrow::collect]
        3 AnnounceRetraction [revenue_escrow::announce_retraction]
        4 Split [revenue_escrow::split yield_distributor::deposit]
        4 Refund [revenue_escrow::refund]
        3 CloseCollection [revenue_escrow::close_collection]
        3 CloseBucket [revenue_escrow::close_bucket]
        3 WithdrawEarnings [revenue_escrow::withdraw_earnings]
        3 WithdrawContribution [revenue_escrow::withdraw_contribution]
        2 PayUpstream [revenue_escrow::pay_upstream]
        2 PayAuditShare [revenue_escrow::pay_audit_share]
    }
    Reports {
        2 StakeBond [opml_oracle::stake_bond]
        2 RequestUnbond [opml_oracle::request_unbond]
        2 WithdrawBond [opml_oracle::withdraw_bond]
        6 PostReport [opml_oracle::post_report revenue_escrow::open_bucket]
        8 SealReport [opml_oracle::seal_report]
        2 SealReportByStranger [opml_oracle::seal_report]
        6 FinaliseReport [opml_oracle::finalise_report]
        3 CloseReport [opml_oracle::close_report]
        2 CloseTrace [opml_oracle::close_trace]
    }
    Disputes {
        8 OpenDispute [opml_oracle::open_dispute]
        22 NextMove []
        2 Point [opml_oracle::point]
        2 PostTrace [opml_oracle::post_trace opml_oracle::post_trace_root]
        2 AttachTrace [opml_oracle::attach_trace]
        2 Demand [opml_oracle::demand]
        2 Reveal [opml_oracle::reveal]
        1 RevealOtherHashes [opml_oracle::reveal]
        2 DemandNode [opml_oracle::demand_node]
        2 RevealTile [opml_oracle::reveal_tile]
        2 RevealOtherBytes [opml_oracle::reveal_tile]
        4 Prove [opml_oracle::init_witness opml_oracle::write_witness opml_oracle::prove opml_oracle::close_witness]
        8 TimeOut [opml_oracle::timeout]
        8 SettleDispute [opml_oracle::settle_dispute]
        5 WithdrawPayout [opml_oracle::withdraw_payout]
    }
    Evidence {
        2 ProveEquivocation [opml_oracle::prove_equivocation]
        3 ProveWrongQuestion [opml_oracle::prove_wrong_question]
        2 ProveMalformed [opml_oracle::prove_malformed]
        2 PunishEquivocation [opml_oracle::punish_equivocation]
        2 SettleEquivocation [opml_oracle::settle_equivocation]
        2 WithdrawReward [opml_oracle::withdraw_reward]
        2 CloseEquivocation [opml_oracle::close_equivocation]
    }
    Inquiries {
        2 OpenReceiptsInquiry [opml_oracle::open_receipts_inquiry]
        2 OpenInputInquiry [opml_oracle::open_input_inquiry]
        2 OpenConstantInquiry [opml_oracle::open_constant_inquiry]
        7 DemandData [opml_oracle::demand_data]
        6 ServeData [opml_oracle::serve_data]
        1 ServeOtherBytes [opml_oracle::serve_data]
        3 TimeOutDemand [opml_oracle::time_out_demand]
        4 SettleInquiry [opml_oracle::settle_inquiry]
        3 WithdrawInquiry [opml_oracle::withdraw_inquiry]
    }
    Audits {
        4 DrawAudit [opml_oracle::draw_audit]
        6 CommitAudit [opml_oracle::commit_audit]
        4 AskAudit [opml_oracle::ask_audit]
        5 PostAuditTrace [opml_oracle::post_audit_trace opml_oracle::post_audit_trace_root]
        3 AttachAuditTrace [opml_oracle::attach_audit_trace]
        6 RevealAudit [opml_oracle::reveal_audit]
        2 TimeOutAudit [opml_oracle::time_out_audit]
        4 SettleAudit [opml_oracle::settle_audit]
        4 WithdrawAuditFee [opml_oracle::withdraw_audit_fee]
        3 CloseAudit [opml_oracle::close_audit]
    }
    Yield {
        4 Stake [yield_distributor::stake]
        3 Unstake [yield_distributor::unstake]
        3 Claim [yield_distributor::claim]
        3 ClaimTo [yield_distributor::claim_to]
        2 SetClaimDelegate [yield_distributor::set_claim_delegate]
        2 RevokeClaimDelegate [yield_distributor::revoke_claim_delegate]
        3 Redeem [yield_distributor::redeem]
        2 ClosePosition [yield_distributor::close_position]
        2 CloseEpochMark [yield_distributor::close_epoch_mark]
    }
}

/// Any kind, as often as its theme matters after a beginning.
pub fn kind(beginning: Beginning) -> impl Strategy<Value = Kind> {
    let weighted = Kind::ALL
        .iter()
        .map(|kind| (kind.weight() * beginning.matters(kind.theme()), Just(*kind)))
        .filter(|(weight, _)| *weight > 0);
    proptest::strategy::Union::new_weighted(weighted.collect())
}

/// What goes on or comes to an end. A prime number of kinds, so that any stride visits all.
pub const CARRIES_ON: [Kind; 79] = [
    Kind::InitProtocol,
    Kind::CreateStakeVault,
    Kind::CreateAuditFund,
    Kind::RegisterModel,
    Kind::PublishVersion,
    Kind::OpenVault,
    Kind::RegisterOperator,
    Kind::AcceptDeveloper,
    Kind::AcceptAuthority,
    Kind::ApplyMetadata,
    Kind::ExecuteUpdate,
    Kind::CloseAppointment,
    Kind::ActivateVersion,
    Kind::OpenOffering,
    Kind::Commit,
    Kind::SettleOffering,
    Kind::ClaimCommitment,
    Kind::CreatePool,
    Kind::WithdrawTranche,
    Kind::MissTranche,
    Kind::SweepDust,
    Kind::OpenVesting,
    Kind::ReleaseVested,
    Kind::ReleaseDeveloper,
    Kind::ClaimVesting,
    Kind::CloseVesting,
    Kind::WithdrawCredit,
    Kind::ReleaseLane,
    Kind::CloseSession,
    Kind::CloseLane,
    Kind::CloseCredit,
    Kind::Collect,
    Kind::Split,
    Kind::Refund,
    Kind::CloseCollection,
    Kind::CloseBucket,
    Kind::WithdrawEarnings,
    Kind::WithdrawContribution,
    Kind::PayUpstream,
    Kind::PayAuditShare,
    Kind::WithdrawBond,
    Kind::PostReport,
    Kind::SealReport,
    Kind::FinaliseReport,
    Kind::CloseReport,
    Kind::CloseTrace,
    Kind::NextMove,
    Kind::NextMove,
    Kind::TimeOut,
    Kind::SettleDispute,
    Kind::WithdrawPayout,
    Kind::SettleEquivocation,
    Kind::WithdrawReward,
    Kind::CloseEquivocation,
    Kind::DemandData,
    Kind::ServeData,
    Kind::TimeOutDemand,
    Kind::SettleInquiry,
    Kind::WithdrawInquiry,
    Kind::DrawAudit,
    Kind::CommitAudit,
    Kind::AskAudit,
    Kind::PostAuditTrace,
    Kind::AttachAuditTrace,
    Kind::RevealAudit,
    Kind::TimeOutAudit,
    Kind::SettleAudit,
    Kind::WithdrawAuditFee,
    Kind::CloseAudit,
    Kind::Stake,
    Kind::Claim,
    Kind::ClaimTo,
    Kind::Redeem,
    Kind::ClosePosition,
    Kind::CloseEpochMark,
    Kind::FinaliseReport,
    Kind::Split,
    Kind::OpenVesting,
    Kind::RevealAudit,
];
