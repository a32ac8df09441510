use anchor_lang::prelude::*;
use imo_protocol::{Collection, Now, Session, credit_address};

use crate::errors::OracleError;

/// Whether data of a Collection may be shown: a public one's to anybody, a private one's with the signature of its payer, or of a session key of its credit that
/// is neither expired nor being revoked. `session` is the account of the key that signed, `model` the report's.
pub fn require_permission(
    collection: &Collection,
    model: &Pubkey,
    signer: Option<&Signer>,
    session: Option<&Session>,
    now: &Now,
) -> Result<()> {
    if collection.private {
        require_payers_permission(collection, model, signer, session, now)
    } else {
        Ok(())
    }
}

/// The signature of a Collection's payer, or of a session key of its credit that is neither expired nor being revoked.
pub fn require_payers_permission(
    collection: &Collection,
    model: &Pubkey,
    signer: Option<&Signer>,
    session: Option<&Session>,
    now: &Now,
) -> Result<()> {
    let signer = signer.ok_or(OracleError::PermissionMissing)?.key();
    let is_permitted = match session {
        Some(session) => session.key == signer && session.credit == collection.credit && session.is_live(now),
        None => credit_address(&signer, model) == collection.credit,
    };
    require!(is_permitted, OracleError::PermissionMissing);
    Ok(())
}
