use anchor_lang::prelude::*;

use crate::{
    game::{Move, Phase},
    state::{Audit, Dispute, Operator, Subject},
};

/// A mint got its vault of stakes.
#[event]
pub struct StakeVaultCreated {
    pub stake_vault: Pubkey,
    pub mint: Pubkey,
}

/// An operator registered.
#[event]
pub struct OperatorRegistered {
    pub operator: Pubkey,
    pub authority: Pubkey,
    pub backup: Pubkey,
    pub mint: Pubkey,
    /// Slot of the registration.
    pub generation: u64,
    pub endpoint: String,
    pub endpoint_key_hash: [u8; 32],
}

/// An operator says where it serves, with which key, and who stands in for it.
#[event]
pub struct OperatorUpdated {
    pub operator: Pubkey,
    pub backup: Pubkey,
    pub endpoint: String,
    pub endpoint_key_hash: [u8; 32],
}

/// Stake came in.
#[event]
pub struct BondStaked {
    pub operator: Pubkey,
    pub depositor: Pubkey,
    pub amount_units: u64,
    /// The operator's whole stake after it, in units.
    pub stake_units: u64,
}

/// Free stake will leave.
#[event]
pub struct UnbondRequested {
    pub operator: Pubkey,
    pub amount_units: u64,
    /// All that is leaving, in units.
    pub unbonding_units: u64,
    /// Last slot in which it cannot be withdrawn.
    pub due_slot: u64,
    /// Last second in which it cannot be withdrawn.
    pub due_unix: i64,
}

/// Stake left.
#[event]
pub struct BondWithdrawn {
    pub operator: Pubkey,
    pub recipient: Pubkey,
    pub amount_units: u64,
}

/// A report is open for collecting.
#[event]
pub struct ReportPosted {
    pub report: Pubkey,
    pub operator: Pubkey,
    pub model: Pubkey,
    pub version_number: u16,
    pub sequence: u64,
    pub bond_units: u64,
    pub max_collect_units: u64,
    pub period_start_unix: i64,
    pub period_end_unix: i64,
}

/// A report can be disputed until its window is past.
#[event]
pub struct ReportSealed {
    pub report: Pubkey,
    pub operator: Pubkey,
    /// Last slot of the window.
    pub due_slot: u64,
    /// Last second of the window.
    pub due_unix: i64,
}

/// A report stands for good.
#[event]
pub struct ReportFinalised {
    pub report: Pubkey,
    pub operator: Pubkey,
    pub bond_units: u64,
}

/// A report is fraud; its bond is slashed.
#[event]
pub struct ReportRejected {
    pub report: Pubkey,
    pub operator: Pubkey,
    /// The dispute that did it, or the inquiry that was not answered.
    pub dispute: Pubkey,
    pub slashed_units: u64,
}

/// An operator posts no report and takes out no stake for some time.
#[event]
pub struct OperatorJailed {
    pub operator: Pubkey,
    /// Last slot of it.
    pub due_slot: u64,
    /// Last second of it.
    pub due_unix: i64,
}

impl OperatorJailed {
    /// What an operator's account says after it was jailed.
    pub fn of(operator: &Account<Operator>) -> Self {
        Self {
            operator: operator.key(),
            due_slot: operator.jail.due_slot,
            due_unix: operator.jail.due_unix,
        }
    }
}

/// A report's account is gone.
#[event]
pub struct ReportClosed {
    pub report: Pubkey,
    pub operator: Pubkey,
}

/// A dispute was opened.
#[event]
pub struct DisputeOpened {
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub operator: Pubkey,
    pub challenger: Pubkey,
    pub nonce: u64,
    pub order: u32,
    pub bond_units: u64,
    pub fee_units: u64,
}

/// The place of a dispute is known.
#[event]
pub struct DisputePointed {
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub collection: Pubkey,
    pub receipt_index: u32,
    pub claim_hash: [u8; 32],
}

impl DisputePointed {
    /// What a dispute's account says after its place was named.
    pub fn of(dispute: &Account<Dispute>) -> Self {
        Self {
            dispute: dispute.key(),
            report: dispute.report,
            collection: dispute.collection,
            receipt_index: dispute.receipt_index,
            claim_hash: dispute.claim_hash,
        }
    }
}

/// An operator committed to a trace.
#[event]
pub struct TracePosted {
    pub trace: Pubkey,
    pub report: Pubkey,
    pub claim_hash: [u8; 32],
    pub trace_root: [u8; 32],
    pub whole: bool,
}

/// A trace's account is gone.
#[event]
pub struct TraceClosed {
    pub trace: Pubkey,
    pub report: Pubkey,
}

/// A dispute's game moved on.
#[event]
pub struct DisputeMoved {
    pub dispute: Pubkey,
    pub report: Pubkey,
    /// The kind of the last move (`game::Move`).
    pub kind: u8,
    pub phase: Phase,
    /// The digest that the next move answers.
    pub digest: [u8; 32],
    /// Last slot in time for it.
    pub due_slot: u64,
    /// Last second in time for it.
    pub due_unix: i64,
}

impl DisputeMoved {
    /// What a dispute's account says after a move.
    pub fn of(dispute: &Account<Dispute>, kind: Move) -> Self {
        let game = &dispute.game;
        Self {
            dispute: dispute.key(),
            report: dispute.report,
            kind: kind as u8,
            phase: game.phase,
            digest: game.digest,
            due_slot: game.clocks.deadline.due_slot,
            due_unix: game.clocks.deadline.due_unix,
        }
    }
}

/// A dispute is won.
#[event]
pub struct DisputeProven {
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub challenger: Pubkey,
    /// Whether the operator did not answer, instead of being proven wrong.
    pub by_silence: bool,
}

/// A dispute is lost: the challenger did not go on.
#[event]
pub struct DisputeLost {
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub challenger: Pubkey,
}

/// What a dispute is owed is decided.
#[event]
pub struct DisputeSettled {
    pub dispute: Pubkey,
    pub report: Pubkey,
    pub challenger: Pubkey,
    pub order: u32,
    /// What the challenger gets, in units: its bond, its costs, the prover's share.
    pub payout_units: u64,
    /// Its costs, in units.
    pub costs_units: u64,
    /// The prover's share, in units.
    pub share_units: u64,
    /// What the operator's free stake gets of the challenger's bond, in units.
    pub operator_units: u64,
    /// What the insurance pool gets of the challenger's bond, in units.
    pub insurance_units: u64,
}

/// The rest of a slashed bond went to the insurance pool.
#[event]
pub struct SlashInsured {
    pub report: Pubkey,
    pub mint: Pubkey,
    pub amount_units: u64,
}

/// A dispute is paid and its account gone.
#[event]
pub struct PayoutWithdrawn {
    pub dispute: Pubkey,
    pub challenger: Pubkey,
    pub amount_units: u64,
}

/// A witness account belongs to a dispute now.
#[event]
pub struct WitnessBound {
    pub witness: Pubkey,
    pub dispute: Pubkey,
    pub challenger: Pubkey,
}

/// Bytes of a witness were written.
#[event]
pub struct WitnessWritten {
    pub witness: Pubkey,
    pub offset: u32,
    pub len: u32,
}

/// A witness account is gone.
#[event]
pub struct WitnessClosed {
    pub witness: Pubkey,
    pub dispute: Pubkey,
}

/// Somebody begins to ask for data.
#[event]
pub struct InquiryOpened {
    pub inquiry: Pubkey,
    pub report: Pubkey,
    pub operator: Pubkey,
    pub demander: Pubkey,
    pub nonce: u64,
    pub subject: Subject,
    pub root: [u8; 32],
}

/// Data is demanded: anyone who has it may show it.
#[event]
pub struct DataDemanded {
    pub inquiry: Pubkey,
    pub report: Pubkey,
    pub operator: Pubkey,
    /// Height of the node above the leaves.
    pub level: u8,
    /// Its index on that level.
    pub index: u32,
    pub hash: [u8; 32],
    /// Bytes of the answer.
    pub answer_bytes: u32,
    pub fee_units: u64,
    /// Last slot in time for the answer.
    pub due_slot: u64,
    /// Last second in time for it.
    pub due_unix: i64,
}

/// What was demanded is shown: the instruction's data has it.
#[event]
pub struct DataServed {
    pub inquiry: Pubkey,
    pub report: Pubkey,
    pub level: u8,
    pub index: u32,
    pub answer_bytes: u32,
}

/// What was demanded was not shown.
#[event]
pub struct DataWithheld {
    pub inquiry: Pubkey,
    pub report: Pubkey,
    pub demander: Pubkey,
    pub level: u8,
    pub index: u32,
    /// The inquiry's turn to be settled.
    pub order: u32,
}

/// What becomes of an inquiry's fees is decided.
#[event]
pub struct InquirySettled {
    pub inquiry: Pubkey,
    pub report: Pubkey,
    pub demander: Pubkey,
    /// What the demander gets, in units: the fees of a rejected report, and costs and the prover's share when it was not answered.
    pub payout_units: u64,
    /// What the operator's free stake gets of the fees, in units.
    pub earned_units: u64,
    /// The demander's costs out of the slashed bond, in units.
    pub costs_units: u64,
    /// The prover's share, in units.
    pub share_units: u64,
}

/// An inquiry is paid and its account gone.
#[event]
pub struct InquiryWithdrawn {
    pub inquiry: Pubkey,
    pub demander: Pubkey,
    pub amount_units: u64,
}

/// An operator answered one question in two ways.
#[event]
pub struct EquivocationPunished {
    pub equivocation: Pubkey,
    pub operator: Pubkey,
    /// Who showed it.
    pub prover: Pubkey,
    /// Names model and input.
    pub question: [u8; 32],
    /// What it costs, in units.
    pub due_units: u64,
}

/// A part of what an equivocation costs was taken from the operator's stake.
#[event]
pub struct EquivocationSlashed {
    pub equivocation: Pubkey,
    pub operator: Pubkey,
    /// Owed to the prover, in units.
    pub prover_units: u64,
    /// To the insurance pool, in units.
    pub insurance_units: u64,
}

/// Who showed an equivocation was paid.
#[event]
pub struct RewardWithdrawn {
    pub equivocation: Pubkey,
    pub prover: Pubkey,
    pub amount_units: u64,
}

/// A punished equivocation's account is gone.
#[event]
pub struct EquivocationClosed {
    pub equivocation: Pubkey,
    pub operator: Pubkey,
}

/// A mint got its fund for random audits.
#[event]
pub struct AuditFundCreated {
    pub audit_fund: Pubkey,
    pub mint: Pubkey,
}

/// A receipt of a report was drawn.
#[event]
pub struct AuditDrawn {
    pub audit: Pubkey,
    pub report: Pubkey,
    pub operator: Pubkey,
    pub number: u8,
    /// Whose hash drew it.
    pub deciding_slot: u64,
    pub collection: Pubkey,
    pub receipt_index: u32,
    /// Whether only who has the payer's permission audits it.
    pub by_permission: bool,
    /// Promised to all auditors together, in units.
    pub fee_units: u64,
    /// Last slot in which auditors commit.
    pub due_slot: u64,
    /// Last second in which auditors commit.
    pub due_unix: i64,
}

/// An auditor says that it knows the trace.
#[event]
pub struct AuditCommitted {
    pub audit: Pubkey,
    pub report: Pubkey,
    pub auditor: Pubkey,
    pub commitment: [u8; 32],
}

/// The operator owes a trace.
#[event]
pub struct AuditAsked {
    pub audit: Pubkey,
    pub report: Pubkey,
    pub operator: Pubkey,
    pub claim_hash: [u8; 32],
    /// Last slot that is in time.
    pub due_slot: u64,
    /// Last second that is in time.
    pub due_unix: i64,
}

/// The operator's trace is there.
#[event]
pub struct AuditAnswered {
    pub audit: Pubkey,
    pub report: Pubkey,
    pub trace_root: [u8; 32],
    /// When it was posted: commitments made before count.
    pub traced_slot: u64,
    /// Last slot in which auditors open their commitments.
    pub due_slot: u64,
    /// Last second in which auditors open their commitments.
    pub due_unix: i64,
}

impl AuditAnswered {
    pub fn of(audit: &Account<Audit>) -> Self {
        Self {
            audit: audit.key(),
            report: audit.report,
            trace_root: audit.game.trace_root,
            traced_slot: audit.game.traced_slot,
            due_slot: audit.game.deadline.due_slot,
            due_unix: audit.game.deadline.due_unix,
        }
    }
}

/// An auditor opened its commitment to the operator's trace.
#[event]
pub struct AuditRevealed {
    pub audit: Pubkey,
    pub report: Pubkey,
    pub auditor: Pubkey,
    /// How many have, this one included.
    pub matched: u32,
}

/// The operator did not show its trace in time.
#[event]
pub struct AuditUnanswered {
    pub audit: Pubkey,
    pub report: Pubkey,
    pub operator: Pubkey,
}

/// What an audit pays is decided.
#[event]
pub struct AuditSettled {
    pub audit: Pubkey,
    pub report: Pubkey,
    pub matched: u32,
    /// What each of them gets, in units.
    pub auditor_units: u64,
    /// What stays in the fund, in units.
    pub left_units: u64,
}

/// An auditor was paid, and its entry is gone.
#[event]
pub struct AuditFeeWithdrawn {
    pub audit: Pubkey,
    pub auditor: Pubkey,
    pub amount_units: u64,
}

/// An audit's account is gone.
#[event]
pub struct AuditClosed {
    pub audit: Pubkey,
    pub report: Pubkey,
}
