//! Where keys are in the oracle's accounts, for asking an RPC for those of somebody.

/// Of a discriminator, a version and a bump.
const HEAD: usize = 8 + 1 + 1;

/// The operator of a `Report`, and the report of everything that belongs to one.
pub const FIRST_KEY: usize = HEAD;

/// The challenger of a `Dispute`, the demander of an `Inquiry`, the auditor of an `AuditEntry`.
pub const SECOND_KEY: usize = FIRST_KEY + 32;

/// The operator of a `Dispute`, behind nonce and order.
pub const DISPUTE_OPERATOR: usize = SECOND_KEY + 32 + 8 + 4;

/// The operator of an `Inquiry`, behind the nonce.
pub const INQUIRY_OPERATOR: usize = SECOND_KEY + 32 + 8;

/// The operator of an `Audit`, behind the number.
pub const AUDIT_OPERATOR: usize = SECOND_KEY + 1;

/// Who paid for an `Audit`, behind operator, mint, deciding slot, Collection, index, permission, fee, two hashes, the game, what it pays and the entries.
pub const AUDIT_RENT_PAYER: usize = AUDIT_OPERATOR + 32 + 32 + 8 + 32 + 4 + 1 + 8 + 64 + AUDIT_GAME + 1 + 8 + 4;

/// Phase, length, deadline, counts, trace root, slot.
const AUDIT_GAME: usize = 1 + 8 + 24 + 4 + 4 + 32 + 8;

/// The prover of an `Equivocation`, behind operator, mint, question and the hashes of two keys.
pub const EQUIVOCATION_PROVER: usize = FIRST_KEY + 32 + 32 + 32 + 64;

#[cfg(test)]
mod tests {
    use super::*;
    use anchor_lang::{AccountDeserialize, AccountSerialize, Discriminator, prelude::Pubkey};
    use opml_oracle::state::{Audit, AuditEntry, Dispute, Equivocation, Inquiry, Report};

    /// An account of a kind that is zero but for a key at a place.
    fn with<T: AccountDeserialize + Discriminator>(place: usize, key: &Pubkey, bytes: usize) -> T {
        let mut data = vec![0; 8 + bytes];
        data[..8].copy_from_slice(T::DISCRIMINATOR);
        data[place..][..32].copy_from_slice(key.as_ref());
        T::try_deserialize(&mut data.as_slice()).unwrap()
    }

    #[test]
    fn given_accounts_when_a_key_is_at_its_place_then_it_is_the_field() {
        use anchor_lang::Space;
        let key = Pubkey::new_unique();
        assert_eq!(with::<Report>(FIRST_KEY, &key, Report::INIT_SPACE).operator, key);
        let dispute = |place| with::<Dispute>(place, &key, Dispute::INIT_SPACE);
        assert_eq!(dispute(FIRST_KEY).report, key);
        assert_eq!(dispute(SECOND_KEY).challenger, key);
        assert_eq!(dispute(DISPUTE_OPERATOR).operator, key);
        let inquiry = |place| with::<Inquiry>(place, &key, Inquiry::INIT_SPACE);
        assert_eq!(inquiry(FIRST_KEY).report, key);
        assert_eq!(inquiry(SECOND_KEY).demander, key);
        assert_eq!(inquiry(INQUIRY_OPERATOR).operator, key);
        let audit = |place| with::<Audit>(place, &key, Audit::INIT_SPACE);
        assert_eq!(audit(FIRST_KEY).report, key);
        assert_eq!(audit(AUDIT_OPERATOR).operator, key);
        assert_eq!(audit(AUDIT_RENT_PAYER).rent_payer, key);
        let entry = with::<AuditEntry>(SECOND_KEY, &key, AuditEntry::INIT_SPACE);
        assert_eq!(entry.auditor, key);
        let equivocation = with::<Equivocation>(EQUIVOCATION_PROVER, &key, Equivocation::INIT_SPACE);
        assert_eq!(equivocation.prover, key);
    }

    #[test]
    fn given_a_collection_when_written_then_its_report_is_where_it_is_looked_for() {
        let report = Pubkey::new_unique();
        let mut collection = with::<imo_protocol::Collection>(FIRST_KEY, &report, 400);
        collection.version = 1;
        let mut data = Vec::new();
        collection.try_serialize(&mut data).unwrap();
        assert_eq!(data[FIRST_KEY..][..32], report.to_bytes());
    }
}
