//! Instructions of opml-oracle. Every move of a dispute names the digest of the state that it answers.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_protocol::{Collection, question_hash};
use opml::{Claim, Hash, ModelHeader, NodeRecord};
use opml_oracle::{
    ID, accounts, instruction,
    instructions::PointArgs,
    state::{Dispute, Equivocation, Operator, Report, Trace},
};
use solana_sdk_ids::{system_program, sysvar};

use super::build;
use crate::{
    addresses::{self, model_token, opml_oracle as address, revenue_escrow},
    answer::SignedAnswer,
};

/// Anyone, once per mint.
pub fn create_stake_vault(payer: Pubkey, mint: Pubkey) -> Instruction {
    let accounts = accounts::CreateStakeVault {
        payer,
        protocol: model_token::protocol(),
        mint,
        stake_vault: address::stake_vault(&mint),
        stake_tokens: address::stake_tokens(&mint),
        token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::CreateStakeVault {})
}

/// Where an operator serves and who may answer for it.
#[derive(Clone, Debug)]
pub struct OperatorProfile {
    /// May post traces besides the authority.
    pub backup: Pubkey,
    /// At most 128 bytes.
    pub endpoint: String,
    /// SHA-256 of the key that signs answers.
    pub endpoint_key_hash: [u8; 32],
}

/// Signed by the authority.
pub fn register_operator(payer: Pubkey, authority: Pubkey, mint: Pubkey, profile: OperatorProfile) -> Instruction {
    let OperatorProfile {
        backup,
        endpoint,
        endpoint_key_hash,
    } = profile;
    let accounts = accounts::RegisterOperator {
        payer,
        authority,
        protocol: model_token::protocol(),
        stake_vault: address::stake_vault(&mint),
        operator: address::operator(&authority, &mint),
        system_program: system_program::ID,
    };
    build(
        ID,
        accounts,
        instruction::RegisterOperator {
            backup,
            endpoint,
            endpoint_key_hash,
        },
    )
}

/// Signed by the authority.
pub fn update_operator(authority: Pubkey, mint: Pubkey, profile: OperatorProfile) -> Instruction {
    let OperatorProfile {
        backup,
        endpoint,
        endpoint_key_hash,
    } = profile;
    let accounts = accounts::UpdateOperator {
        authority,
        operator: address::operator(&authority, &mint),
        protocol: model_token::protocol(),
    };
    build(
        ID,
        accounts,
        instruction::UpdateOperator {
            backup,
            endpoint,
            endpoint_key_hash,
        },
    )
}

/// Signed by whoever pays in, from its associated account.
pub fn stake_bond(depositor: Pubkey, operator: Pubkey, mint: Pubkey, amount_units: u64) -> Instruction {
    let accounts = accounts::StakeBond {
        depositor,
        depositor_tokens: addresses::payment_account(&depositor, &mint),
        operator,
        stake_vault: address::stake_vault(&mint),
        stake_tokens: address::stake_tokens(&mint),
        mint,
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::StakeBond { amount_units })
}

/// Signed by the authority.
pub fn request_unbond(authority: Pubkey, mint: Pubkey, amount_units: u64) -> Instruction {
    let accounts = accounts::RequestUnbond {
        authority,
        operator: address::operator(&authority, &mint),
        protocol: model_token::protocol(),
    };
    build(ID, accounts, instruction::RequestUnbond { amount_units })
}

/// Signed by the authority, once what it announced is unbonded.
pub fn withdraw_bond(authority: Pubkey, mint: Pubkey, recipient: Pubkey) -> Instruction {
    let accounts = accounts::WithdrawBond {
        authority,
        operator: address::operator(&authority, &mint),
        stake_vault: address::stake_vault(&mint),
        stake_tokens: address::stake_tokens(&mint),
        recipient,
        mint,
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawBond {})
}

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct ReportTerms {
    pub model: Pubkey,
    /// Number of the model's version.
    pub version: u16,
    pub bond_units: u64,
    /// The period, in Unix seconds.
    pub period_start_unix: i64,
    pub period_end_unix: i64,
}

/// Signed by the authority, on a model that is open to every operator.
pub fn post_report(payer: Pubkey, operator: &Operator, terms: ReportTerms) -> Instruction {
    build_report(payer, operator, terms, None)
}

/// The same on a model with a list.
pub fn post_report_as_appointed(payer: Pubkey, operator: &Operator, terms: ReportTerms) -> Instruction {
    let appointment = model_token::appointment(&terms.model, &operator.authority);
    build_report(payer, operator, terms, Some(appointment))
}

fn build_report(payer: Pubkey, operator: &Operator, terms: ReportTerms, appointment: Option<Pubkey>) -> Instruction {
    let ReportTerms {
        model,
        version,
        bond_units,
        period_start_unix,
        period_end_unix,
    } = terms;
    let operator_address = address::operator(&operator.authority, &operator.mint);
    let accounts = accounts::PostReport {
        payer,
        authority: operator.authority,
        operator: operator_address,
        model,
        model_version: model_token::model_version(&model, version),
        report: address::report(&operator_address, operator.next_sequence),
        system_program: system_program::ID,
        appointment,
    };
    build(
        ID,
        accounts,
        instruction::PostReport {
            bond_units,
            period_start_unix,
            period_end_unix,
        },
    )
}

/// Signed by the operator's authority, or by anyone once the report's `seal_by` is past.
pub fn seal_report(caller: Pubkey, report: &Report) -> Instruction {
    let accounts = accounts::SealReport {
        caller,
        report: report_address(report),
        operator: report.operator,
    };
    build(ID, accounts, instruction::SealReport {})
}

/// Anyone, once the window is past and every dispute is settled.
pub fn finalise_report(report: &Report) -> Instruction {
    let accounts = accounts::FinaliseReport {
        report: report_address(report),
        operator: report.operator,
    };
    build(ID, accounts, instruction::FinaliseReport {})
}

/// Anyone, once nothing refers to it any more; the rent goes back to who paid it.
pub fn close_report(report: &Report) -> Instruction {
    let report_address = report_address(report);
    let accounts = accounts::CloseReport {
        report: report_address,
        rent_payer: report.rent_payer,
        bucket: revenue_escrow::bucket(&report_address),
    };
    build(ID, accounts, instruction::CloseReport {})
}

/// Signed by the challenger, whose associated account pays bond and fee. `commitment` is [`imo_protocol::place_commitment`].
pub fn open_dispute(payer: Pubkey, challenger: Pubkey, report: &Report, nonce: u64, commitment: Hash) -> Instruction {
    let report_address = report_address(report);
    let mint = report.mint;
    let accounts = accounts::OpenDispute {
        payer,
        challenger,
        challenger_tokens: addresses::payment_account(&challenger, &mint),
        report: report_address,
        operator: report.operator,
        dispute: address::dispute(&report_address, &challenger, nonce),
        stake_vault: address::stake_vault(&mint),
        stake_tokens: address::stake_tokens(&mint),
        mint,
        token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::OpenDispute { nonce, commitment })
}

/// The receipt that a challenger committed to.
#[derive(Clone, Debug)]
pub struct Place {
    pub collection: Pubkey,
    /// Index of the receipt in the Collection.
    pub receipt_index: u32,
    /// Kept secret until the place is named.
    pub salt: [u8; 32],
    pub claim: Claim,
    /// The receipt's own salt.
    pub receipt_salt: [u8; 32],
    /// Siblings on the way up from the receipt.
    pub path: Vec<Hash>,
}

impl Place {
    /// What the opening of `dispute` commits to.
    pub fn commitment(&self, dispute: &Pubkey) -> Hash {
        imo_protocol::place_commitment(dispute, &self.collection, self.receipt_index, &self.salt)
    }

    /// The place of receipt `receipt_index` of a lane's Collection.
    pub fn in_collection(
        collection: &Collection,
        receipt_index: u32,
        salt: [u8; 32],
        claim: Claim,
        receipt_salt: [u8; 32],
        path: Vec<Hash>,
    ) -> Self {
        let collection = revenue_escrow::collection(&collection.report, &collection.lane);
        Self {
            collection,
            receipt_index,
            salt,
            claim,
            receipt_salt,
            path,
        }
    }
}

/// Signed by the challenger.
pub fn point(dispute: &Dispute, expected_digest: Hash, place: &Place) -> Instruction {
    let Place {
        collection,
        receipt_index,
        salt,
        claim,
        receipt_salt,
        path,
    } = place;
    let accounts = accounts::Point {
        challenger: dispute.challenger,
        dispute: dispute_address(dispute),
        report: dispute.report,
        collection: *collection,
        trace: address::trace(&dispute.report, &claim.claim_hash()),
    };
    let args = PointArgs {
        receipt_index: *receipt_index,
        salt: *salt,
        input_root: claim.input_root,
        output_root: claim.output_root,
        receipt_salt: *receipt_salt,
        path: path.clone(),
    };
    build(ID, accounts, instruction::Point { expected_digest, args })
}

fn post_trace_accounts(payer: Pubkey, signer: Pubkey, dispute: &Dispute) -> accounts::PostTrace {
    accounts::PostTrace {
        payer,
        signer,
        operator: dispute.operator,
        report: dispute.report,
        dispute: dispute_address(dispute),
        trace: address::trace(&dispute.report, &dispute.claim_hash),
        system_program: system_program::ID,
    }
}

/// Signed by the operator's authority or backup key.
pub fn post_trace(
    payer: Pubkey,
    signer: Pubkey,
    dispute: &Dispute,
    expected_digest: Hash,
    roots: Vec<Hash>,
) -> Instruction {
    build(
        ID,
        post_trace_accounts(payer, signer, dispute),
        instruction::PostTrace { expected_digest, roots },
    )
}

/// Signed by the operator's authority or backup key, for models of more than 16 nodes.
pub fn post_trace_root(
    payer: Pubkey,
    signer: Pubkey,
    dispute: &Dispute,
    expected_digest: Hash,
    trace_root: Hash,
    path: Vec<Hash>,
) -> Instruction {
    let data = instruction::PostTraceRoot {
        expected_digest,
        trace_root,
        path,
    };
    build(ID, post_trace_accounts(payer, signer, dispute), data)
}

/// Anyone.
pub fn attach_trace(dispute: &Dispute, expected_digest: Hash) -> Instruction {
    let accounts = accounts::AttachTrace {
        dispute: dispute_address(dispute),
        trace: address::trace(&dispute.report, &dispute.claim_hash),
    };
    build(ID, accounts, instruction::AttachTrace { expected_digest })
}

/// Signed by the challenger.
pub fn demand(dispute: &Dispute, expected_digest: Hash, child: u8) -> Instruction {
    let accounts = accounts::Demand {
        challenger: dispute.challenger,
        dispute: dispute_address(dispute),
    };
    build(ID, accounts, instruction::Demand { expected_digest, child })
}

/// Signed by the challenger. `path` is the record's in the graph tree.
pub fn demand_node(
    dispute: &Dispute,
    expected_digest: Hash,
    child: u8,
    header: &ModelHeader,
    record: &NodeRecord,
    path: Vec<Hash>,
) -> Instruction {
    let accounts = accounts::DemandNode {
        challenger: dispute.challenger,
        dispute: dispute_address(dispute),
        report: dispute.report,
        operator: dispute.operator,
    };
    let data = instruction::DemandNode {
        expected_digest,
        child,
        header: header.encode(),
        record: record.encode(),
        path,
    };
    build(ID, accounts, data)
}

/// Anyone.
pub fn reveal(dispute: &Dispute, expected_digest: Hash, hashes: Vec<Hash>) -> Instruction {
    build(
        ID,
        accounts::Reveal {
            dispute: dispute_address(dispute),
        },
        instruction::Reveal {
            expected_digest,
            hashes,
        },
    )
}

/// Anyone.
pub fn reveal_tile(dispute: &Dispute, expected_digest: Hash, tile: Vec<u8>) -> Instruction {
    let accounts = accounts::RevealTile {
        dispute: dispute_address(dispute),
    };
    build(ID, accounts, instruction::RevealTile { expected_digest, tile })
}

/// Signed by the challenger and the witness account's key.
pub fn init_witness(dispute: &Dispute, witness: Pubkey) -> Instruction {
    let accounts = accounts::InitWitness {
        challenger: dispute.challenger,
        dispute: dispute_address(dispute),
        witness,
    };
    build(ID, accounts, instruction::InitWitness {})
}

/// Signed by the challenger.
pub fn write_witness(challenger: Pubkey, witness: Pubkey, offset: u32, bytes: Vec<u8>) -> Instruction {
    build(
        ID,
        accounts::WriteWitness { challenger, witness },
        instruction::WriteWitness { offset, bytes },
    )
}

/// Signed by the challenger, to whom the rent goes.
pub fn close_witness(challenger: Pubkey, witness: Pubkey) -> Instruction {
    build(
        ID,
        accounts::CloseWitness { challenger, witness },
        instruction::CloseWitness {},
    )
}

/// Signed by the challenger.
pub fn prove(dispute: &Dispute, expected_digest: Hash, witness: Pubkey, element: u32) -> Instruction {
    let accounts = accounts::Prove {
        challenger: dispute.challenger,
        dispute: dispute_address(dispute),
        report: dispute.report,
        operator: dispute.operator,
        witness,
    };
    build(
        ID,
        accounts,
        instruction::Prove {
            expected_digest,
            element,
        },
    )
}

/// Signed by the challenger. The witness holds [`wrong_question`](crate::challenge::evidence::wrong_question).
pub fn prove_wrong_question(
    dispute: &Dispute,
    expected_digest: Hash,
    collection: Pubkey,
    witness: Pubkey,
) -> Instruction {
    let accounts = accounts::ProveWrongQuestion {
        challenger: dispute.challenger,
        dispute: dispute_address(dispute),
        report: dispute.report,
        operator: dispute.operator,
        collection,
        witness,
    };
    build(ID, accounts, instruction::ProveWrongQuestion { expected_digest })
}

/// The check of the answer's signature, and the proof that goes directly after it. Signed by the challenger. The witness holds
/// [`reported`](crate::challenge::evidence::reported).
pub fn prove_equivocation(
    dispute: &Dispute,
    expected_digest: Hash,
    collection: Pubkey,
    witness: Pubkey,
    answer: &SignedAnswer,
) -> [Instruction; 2] {
    let accounts = accounts::ProveEquivocation {
        challenger: dispute.challenger,
        protocol: model_token::protocol(),
        dispute: dispute_address(dispute),
        report: dispute.report,
        operator: dispute.operator,
        collection,
        witness,
        instructions_sysvar: sysvar::instructions::ID,
    };
    let prove = build(ID, accounts, instruction::ProveEquivocation { expected_digest });
    [answer.verify_instruction(), prove]
}

/// Signed by the challenger. The witness holds `opml_runtime::malformed::Records::witness`.
pub fn prove_malformed(dispute: &Dispute, expected_digest: Hash, witness: Pubkey, node_index: u32) -> Instruction {
    let accounts = accounts::ProveMalformed {
        challenger: dispute.challenger,
        dispute: dispute_address(dispute),
        report: dispute.report,
        operator: dispute.operator,
        witness,
    };
    let data = instruction::ProveMalformed {
        expected_digest,
        node_index,
    };
    build(ID, accounts, data)
}

/// The checks of the signatures of two answers to one question, and the punishment that goes directly after them. Signed by the prover.
pub fn punish_equivocation(prover: Pubkey, mint: Pubkey, answers: &[SignedAnswer; 2]) -> [Instruction; 3] {
    let [first, second] = answers;
    let operator = first.answer.operator;
    let question = question_hash(&first.answer.claim);
    let accounts = accounts::PunishEquivocation {
        prover,
        protocol: model_token::protocol(),
        operator,
        stake_vault: address::stake_vault(&mint),
        equivocation: address::equivocation(&operator, &question),
        instructions_sysvar: sysvar::instructions::ID,
        system_program: system_program::ID,
    };
    let punish = build(ID, accounts, instruction::PunishEquivocation { question });
    [first.verify_instruction(), second.verify_instruction(), punish]
}

/// Anyone, when stake is unlocked that was not when the equivocation was shown.
pub fn settle_equivocation(equivocation: &Equivocation) -> Instruction {
    let accounts = accounts::SettleEquivocation {
        equivocation: equivocation_address(equivocation),
        operator: equivocation.operator,
        stake_vault: address::stake_vault(&equivocation.mint),
    };
    build(ID, accounts, instruction::SettleEquivocation {})
}

/// Anyone; pays the prover's associated account.
pub fn withdraw_reward(caller: Pubkey, equivocation: &Equivocation) -> Instruction {
    let mint = equivocation.mint;
    let accounts = accounts::WithdrawReward {
        caller,
        equivocation: equivocation_address(equivocation),
        stake_vault: address::stake_vault(&mint),
        stake_tokens: address::stake_tokens(&mint),
        recipient: addresses::payment_account(&equivocation.prover, &mint),
        mint,
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawReward {})
}

/// Anyone, once the evidence counts no longer; the rent goes back to the prover.
pub fn close_equivocation(equivocation: &Equivocation) -> Instruction {
    let accounts = accounts::CloseEquivocation {
        equivocation: equivocation_address(equivocation),
        operator: equivocation.operator,
        prover: equivocation.prover,
    };
    build(ID, accounts, instruction::CloseEquivocation {})
}

/// Anyone, once the deadline of the side whose turn it is is past.
pub fn timeout(dispute: &Dispute) -> Instruction {
    let accounts = accounts::Timeout {
        dispute: dispute_address(dispute),
        report: dispute.report,
        operator: dispute.operator,
    };
    build(ID, accounts, instruction::Timeout {})
}

/// Anyone, in opening order, once the dispute is over.
pub fn settle_dispute(dispute: &Dispute) -> Instruction {
    let accounts = accounts::SettleDispute {
        dispute: dispute_address(dispute),
        report: dispute.report,
        operator: dispute.operator,
        stake_vault: address::stake_vault(&dispute.mint),
    };
    build(ID, accounts, instruction::SettleDispute {})
}

/// Anyone, once the dispute is settled; pays the challenger's associated account and closes the dispute.
pub fn withdraw_payout(caller: Pubkey, dispute: &Dispute) -> Instruction {
    let accounts = accounts::WithdrawPayout {
        caller,
        dispute: dispute_address(dispute),
        rent_payer: dispute.rent_payer,
        stake_vault: address::stake_vault(&dispute.mint),
        stake_tokens: address::stake_tokens(&dispute.mint),
        recipient: (dispute.payout_units > 0).then(|| addresses::payment_account(&dispute.challenger, &dispute.mint)),
        mint: dispute.mint,
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawPayout {})
}

/// Anyone, once the report has ended; the rent goes back to who paid it.
pub fn close_trace(trace: &Trace) -> Instruction {
    let accounts = accounts::CloseTrace {
        report: trace.report,
        trace: address::trace(&trace.report, &trace.claim_hash),
        rent_payer: trace.rent_payer,
    };
    build(ID, accounts, instruction::CloseTrace {})
}

fn report_address(report: &Report) -> Pubkey {
    address::report(&report.operator, report.sequence)
}

fn equivocation_address(equivocation: &Equivocation) -> Pubkey {
    address::equivocation(&equivocation.operator, &equivocation.question)
}

fn dispute_address(dispute: &Dispute) -> Pubkey {
    address::dispute(&dispute.report, &dispute.challenger, dispute.nonce)
}
