//! Addresses of revenue-escrow.

use anchor_lang::prelude::Pubkey;
use imo_protocol::{Bucket, Collection};
use revenue_escrow::{
    ID,
    constants::DEPOSITOR_SEED,
    state::{
        CONTRIBUTIONS_SEED, CREDIT_SEED, EARNINGS_SEED, LANE_SEED, MODEL_VAULT_SEED, SESSION_SEED, VAULT_TOKENS_SEED,
    },
};

use super::find;

/// Custody of what was paid in for a model.
pub fn vault(model: &Pubkey) -> Pubkey {
    find(&[MODEL_VAULT_SEED, model.as_ref()], &ID)
}

/// The token account of a model's vault.
pub fn vault_tokens(model: &Pubkey) -> Pubkey {
    find(&[VAULT_TOKENS_SEED, model.as_ref()], &ID)
}

/// What a payer has in a model's vault.
pub fn credit(payer: &Pubkey, model: &Pubkey) -> Pubkey {
    find(&[CREDIT_SEED, payer.as_ref(), model.as_ref()], &ID)
}

/// A key that signs vouchers for a credit.
pub fn session(credit: &Pubkey, key: &Pubkey) -> Pubkey {
    find(&[SESSION_SEED, credit.as_ref(), key.as_ref()], &ID)
}

/// What a payer has set aside for an operator.
pub fn lane(credit: &Pubkey, operator: &Pubkey) -> Pubkey {
    find(&[LANE_SEED, credit.as_ref(), operator.as_ref()], &ID)
}

/// What was collected for a report.
pub fn bucket(report: &Pubkey) -> Pubkey {
    Bucket::address(report).0
}

/// One lane's part of a report.
pub fn collection(report: &Pubkey, lane: &Pubkey) -> Pubkey {
    Collection::address(report, lane).0
}

/// What a vault owes a recipient from splits.
pub fn earnings(vault: &Pubkey, recipient: &Pubkey) -> Pubkey {
    find(&[EARNINGS_SEED, vault.as_ref(), recipient.as_ref()], &ID)
}

/// What the contributors of a version have earned.
pub fn contributions(model_version: &Pubkey) -> Pubkey {
    find(&[CONTRIBUTIONS_SEED, model_version.as_ref()], &ID)
}

/// The signer that deposits into pools of yield-distributor.
pub fn depositor() -> Pubkey {
    find(&[DEPOSITOR_SEED], &ID)
}
