//! Instructions of opml-oracle about random audits: who draws one, who recomputes the drawn receipt, and what the operator answers.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_protocol::Collection;
use opml::Hash;
use opml_oracle::{
    ID, accounts,
    constants::{MAX_WHOLE_TRACE_NODES, SLOT_HASHES},
    instruction,
    instructions::ShownReceipt,
    state::{Audit, AuditEntry, Report},
};
use opml_runtime::execute::trace_tree;
use solana_sdk_ids::system_program;

use super::{build, data::Permission};
use crate::addresses::{self, model_token, opml_oracle as address, revenue_escrow};

/// Anyone, once per mint.
pub fn create_audit_fund(payer: Pubkey, mint: Pubkey) -> Instruction {
    let accounts = accounts::CreateAuditFund {
        payer,
        protocol: model_token::protocol(),
        mint,
        audit_fund: address::audit_fund(&mint),
        audit_tokens: address::audit_tokens(&mint),
        token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::CreateAuditFund {})
}

/// Anyone; `collection` is the one that holds the receipt of [`crate::audit::drawn`].
pub fn draw_audit(payer: Pubkey, report: &Report, collection: &Collection, number: u8) -> Instruction {
    let report_address = address::report(&report.operator, report.sequence);
    let accounts = accounts::DrawAudit {
        payer,
        protocol: model_token::protocol(),
        report: report_address,
        model_version: report.model_version,
        bucket: revenue_escrow::bucket(&report_address),
        collection: revenue_escrow::collection(&collection.report, &collection.lane),
        audit_fund: address::audit_fund(&report.mint),
        audit_tokens: address::audit_tokens(&report.mint),
        slot_hashes: SLOT_HASHES,
        audit: address::audit(&report_address, number),
        system_program: system_program::ID,
    };
    build(ID, accounts, instruction::DrawAudit { number })
}

/// Signed by the auditor, and where the audit asks for it by who permits; `commitment` is `opml_oracle::audit_game::audit_commitment`. `collection` is the audit's.
pub fn commit_audit(
    auditor: Pubkey,
    audit: &Audit,
    collection: &Collection,
    permission: Option<Permission>,
    commitment: Hash,
) -> Instruction {
    let (permission, session) = permission
        .map(|permission| permission.accounts(&collection.credit))
        .unzip();
    let audit_address = audit_address(audit);
    let accounts = accounts::CommitAudit {
        auditor,
        audit: audit_address,
        report: audit.report,
        collection: audit.collection,
        permission,
        session: session.flatten(),
        entry: address::audit_entry(&audit_address, &auditor),
        system_program: system_program::ID,
    };
    let data = instruction::CommitAudit {
        receipt_index: audit.receipt_index,
        commitment,
    };
    build(ID, accounts, data)
}

/// Anyone who has the drawn receipt, once the time to commit is over.
pub fn ask_audit(audit: &Audit, receipt: ShownReceipt) -> Instruction {
    let accounts = accounts::AskAudit {
        audit: audit_address(audit),
        report: audit.report,
        collection: audit.collection,
    };
    build(ID, accounts, instruction::AskAudit { receipt })
}

/// Signed by the operator's authority or backup key: shows the trace made of every node's root, whole or as its root, as its size wants it.
pub fn answer_audit(payer: Pubkey, signer: Pubkey, audit: &Audit, roots: &[Hash]) -> Instruction {
    match u32::try_from(roots.len()) {
        Ok(nodes) if nodes > MAX_WHOLE_TRACE_NODES => {
            let tree = trace_tree(roots);
            post_audit_trace_root(payer, signer, audit, tree.root(), tree.path(0, nodes - 1))
        }
        _ => post_audit_trace(payer, signer, audit, roots.to_vec()),
    }
}

/// Signed by the operator's authority or backup key; for a model of at most 16 nodes.
pub fn post_audit_trace(payer: Pubkey, signer: Pubkey, audit: &Audit, roots: Vec<Hash>) -> Instruction {
    build(
        ID,
        post_trace_accounts(payer, signer, audit),
        instruction::PostAuditTrace { roots },
    )
}

/// Signed by the operator's authority or backup key; for a model of more than 16 nodes.
pub fn post_audit_trace_root(
    payer: Pubkey,
    signer: Pubkey,
    audit: &Audit,
    trace_root: Hash,
    path: Vec<Hash>,
) -> Instruction {
    build(
        ID,
        post_trace_accounts(payer, signer, audit),
        instruction::PostAuditTraceRoot { trace_root, path },
    )
}

fn post_trace_accounts(payer: Pubkey, signer: Pubkey, audit: &Audit) -> accounts::PostAuditTrace {
    accounts::PostAuditTrace {
        payer,
        signer,
        operator: audit.operator,
        report: audit.report,
        audit: audit_address(audit),
        trace: address::trace(&audit.report, &audit.claim_hash),
        system_program: system_program::ID,
    }
}

/// Anyone, when a dispute or another audit on the same claim has brought the trace.
pub fn attach_audit_trace(audit: &Audit) -> Instruction {
    let accounts = accounts::AttachAuditTrace {
        audit: audit_address(audit),
        report: audit.report,
        trace: address::trace(&audit.report, &audit.claim_hash),
    };
    build(ID, accounts, instruction::AttachAuditTrace {})
}

/// Signed by the auditor, when the operator has shown the trace that it committed to.
pub fn reveal_audit(auditor: Pubkey, audit: &Audit, salt: [u8; 32]) -> Instruction {
    let audit = audit_address(audit);
    let accounts = accounts::RevealAudit {
        auditor,
        audit,
        entry: address::audit_entry(&audit, &auditor),
    };
    build(ID, accounts, instruction::RevealAudit { salt })
}

/// Anyone, once the deadline of an answer is past.
pub fn time_out_audit(audit: &Audit) -> Instruction {
    let accounts = accounts::TimeOutAudit {
        audit: audit_address(audit),
        report: audit.report,
        operator: audit.operator,
        stake_vault: address::stake_vault(&audit.mint),
        trace: address::trace(&audit.report, &audit.claim_hash),
    };
    build(ID, accounts, instruction::TimeOutAudit {})
}

/// Anyone, once it is over.
pub fn settle_audit(audit: &Audit) -> Instruction {
    let accounts = accounts::SettleAudit {
        audit: audit_address(audit),
        report: audit.report,
        audit_fund: address::audit_fund(&audit.mint),
    };
    build(ID, accounts, instruction::SettleAudit {})
}

/// Anyone, once the audit is settled; pays the auditor's associated account and closes the entry.
pub fn withdraw_audit_fee(caller: Pubkey, audit: &Audit, entry: &AuditEntry) -> Instruction {
    let pays = entry.matched && audit.auditor_units > 0;
    let accounts = accounts::WithdrawAuditFee {
        caller,
        audit: entry.audit,
        entry: address::audit_entry(&entry.audit, &entry.auditor),
        auditor: entry.auditor,
        audit_fund: address::audit_fund(&audit.mint),
        audit_tokens: address::audit_tokens(&audit.mint),
        recipient: pays.then(|| addresses::payment_account(&entry.auditor, &audit.mint)),
        mint: audit.mint,
        token_program: anchor_spl::token::ID,
    };
    build(ID, accounts, instruction::WithdrawAuditFee {})
}

/// Anyone, once it is settled and all its entries are closed.
pub fn close_audit(audit: &Audit) -> Instruction {
    let accounts = accounts::CloseAudit {
        audit: audit_address(audit),
        rent_payer: audit.rent_payer,
    };
    build(ID, accounts, instruction::CloseAudit {})
}

fn audit_address(audit: &Audit) -> Pubkey {
    address::audit(&audit.report, audit.number)
}
