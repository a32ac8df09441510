//! Addresses of opml-oracle.

use anchor_lang::prelude::Pubkey;
use opml_oracle::{
    ID,
    state::{
        AUDIT_ENTRY_SEED, AUDIT_FUND_SEED, AUDIT_SEED, AUDIT_TOKENS_SEED, DISPUTE_SEED, EQUIVOCATION_SEED,
        INQUIRY_SEED, OPERATOR_SEED, REPORT_SEED, STAKE_TOKENS_SEED, STAKE_VAULT_SEED, TRACE_SEED,
    },
};

use super::find;

/// All stake and bonds in a mint.
pub fn stake_vault(mint: &Pubkey) -> Pubkey {
    find(&[STAKE_VAULT_SEED, mint.as_ref()], &ID)
}

/// The token account of a mint's stake vault.
pub fn stake_tokens(mint: &Pubkey) -> Pubkey {
    find(&[STAKE_TOKENS_SEED, mint.as_ref()], &ID)
}

/// An operator with its stake in a mint.
pub fn operator(authority: &Pubkey, mint: &Pubkey) -> Pubkey {
    find(&[OPERATOR_SEED, authority.as_ref(), mint.as_ref()], &ID)
}

/// An operator's report, numbered from 0.
pub fn report(operator: &Pubkey, sequence: u64) -> Pubkey {
    find(&[REPORT_SEED, operator.as_ref(), &sequence.to_le_bytes()], &ID)
}

/// A challenger's case against a report.
pub fn dispute(report: &Pubkey, challenger: &Pubkey, nonce: u64) -> Pubkey {
    find(
        &[DISPUTE_SEED, report.as_ref(), challenger.as_ref(), &nonce.to_le_bytes()],
        &ID,
    )
}

/// The operator's trace of a claim of a report.
pub fn trace(report: &Pubkey, claim_hash: &[u8; 32]) -> Pubkey {
    find(&[TRACE_SEED, report.as_ref(), claim_hash], &ID)
}

/// Somebody's inquiry about data of a report.
pub fn inquiry(report: &Pubkey, demander: &Pubkey, nonce: u64) -> Pubkey {
    find(
        &[INQUIRY_SEED, report.as_ref(), demander.as_ref(), &nonce.to_le_bytes()],
        &ID,
    )
}

/// A question, by `imo_protocol::question_hash`, that an operator answered in two ways.
pub fn equivocation(operator: &Pubkey, question: &[u8; 32]) -> Pubkey {
    find(&[EQUIVOCATION_SEED, operator.as_ref(), question], &ID)
}

/// What random audits in a mint are paid from.
pub fn audit_fund(mint: &Pubkey) -> Pubkey {
    find(&[AUDIT_FUND_SEED, mint.as_ref()], &ID)
}

/// The token account of a mint's audit fund. Anyone adds to the fund by a transfer to it.
pub fn audit_tokens(mint: &Pubkey) -> Pubkey {
    find(&[AUDIT_TOKENS_SEED, mint.as_ref()], &ID)
}

/// An audit of a report, numbered from 0.
pub fn audit(report: &Pubkey, number: u8) -> Pubkey {
    find(&[AUDIT_SEED, report.as_ref(), &[number]], &ID)
}

/// What an auditor committed to in an audit.
pub fn audit_entry(audit: &Pubkey, auditor: &Pubkey) -> Pubkey {
    find(&[AUDIT_ENTRY_SEED, audit.as_ref(), auditor.as_ref()], &ID)
}
