//! Accounts that the escrow writes and the oracle reads. Defined here because the oracle must not depend on the escrow.
//!
//! `#[account("account")]` gives the usual discriminator (`sha256("account:Name")[..8]`) and leaves the owner to us: it is the escrow, not this
//! crate.

use anchor_lang::prelude::*;

use crate::ids;

/// Seeds: `"bucket", report`.
pub const BUCKET_SEED: &[u8] = b"bucket";
/// Seeds: `"collection", report, lane`.
pub const COLLECTION_SEED: &[u8] = b"collection";

/// The money collected for one report, until it is split or refunded.
#[account("account")]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Bucket {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The report of opml-oracle.
    pub report: Pubkey,
    /// The model whose vault holds the money.
    pub model: Pubkey,
    /// Sum of the collections that are neither retracted nor refunded, in units of the revenue mint. Zero once it is split.
    pub collected_units: u64,
    /// Receipts of all collections together; the number in the report of the next collection's first receipt.
    pub receipt_count: u64,
    /// Collections not yet closed.
    pub open_collections: u32,
    /// Whether the report was final and the money was split.
    pub settled: bool,
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// Sum of the retracted collections that are not refunded, in units of the revenue mint.
    pub retracted_units: u64,
    /// What the operator paid for retractions, in units of the revenue mint. Zero once it is split, or given to the payers.
    pub fee_units: u64,
    /// Zero.
    pub reserved: [u8; 28],
}

const _: () = assert!(Bucket::INIT_SPACE == 163);

/// One lane's part of one report: whom a refund goes to, and the root that a dispute starts from.
#[account("account")]
#[derive(InitSpace, Debug, PartialEq)]
pub struct Collection {
    /// Layout version, 1.
    pub version: u8,
    /// Canonical bump of this address.
    pub bump: u8,
    /// The report of opml-oracle.
    pub report: Pubkey,
    /// The lane it was collected from.
    pub lane: Pubkey,
    /// Generation of the lane when it was collected.
    pub lane_generation: u64,
    /// The credit that a refund goes to.
    pub credit: Pubkey,
    /// What was collected, in units of the revenue mint.
    pub amount_units: u64,
    /// Receipts, and leaves of the receipt tree: 1 to 65,536.
    pub count: u32,
    /// Sequence of the first receipt.
    pub first_sequence: u64,
    /// Root of the receipt tree.
    pub receipts_root: [u8; 32],
    /// Root of the lane's request tree over all `first_sequence + count` requests, as the payer signed it.
    pub requests_root: [u8; 32],
    /// Who paid this account's rent and gets it back.
    pub rent_payer: Pubkey,
    /// The lane's: whether questions and answers are shown only with the payer's permission.
    pub private: bool,
    /// Whether the operator has taken it back: its payer is refunded when the report has ended.
    pub retracted: bool,
    /// What the operator paid for that, in units of the revenue mint.
    pub retraction_fee_units: u64,
    /// Number of its first receipt among all receipts of the report, in the order in which they were collected: an audit draws such a number.
    pub first_receipt: u64,
    /// Zero.
    pub reserved: [u8; 24],
}

const _: () = assert!(Collection::INIT_SPACE == 264);

impl Owner for Bucket {
    fn owner() -> Pubkey {
        ids::REVENUE_ESCROW
    }
}

impl Owner for Collection {
    fn owner() -> Pubkey {
        ids::REVENUE_ESCROW
    }
}

impl Bucket {
    /// The address and canonical bump of a report's bucket.
    pub fn address(report: &Pubkey) -> (Pubkey, u8) {
        Pubkey::find_program_address(&[BUCKET_SEED, report.as_ref()], &ids::REVENUE_ESCROW)
    }
}

impl Collection {
    /// The address and canonical bump of a lane's collection for a report.
    pub fn address(report: &Pubkey, lane: &Pubkey) -> (Pubkey, u8) {
        Pubkey::find_program_address(&[COLLECTION_SEED, report.as_ref(), lane.as_ref()], &ids::REVENUE_ESCROW)
    }

    /// The index in here of the report's receipt with this number, or `None` when another collection holds it. All collections of a report together hold each
    /// number once.
    pub fn index_of(&self, receipt_number: u64) -> Option<u32> {
        let index = u32::try_from(receipt_number.checked_sub(self.first_receipt)?).ok()?;
        (index < self.count).then_some(index)
    }

    /// Requests that `requests_root` is over.
    pub fn request_count(&self) -> Option<u32> {
        self.first_sequence
            .checked_add(u64::from(self.count))
            .and_then(|count| u32::try_from(count).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_shared_account_when_its_discriminator_is_read_then_the_usual_one() {
        for (discriminator, preimage) in [
            (Bucket::DISCRIMINATOR, "account:Bucket"),
            (Collection::DISCRIMINATOR, "account:Collection"),
        ] {
            assert_eq!(discriminator, &opml::hashv(&[preimage.as_bytes()])[..8]);
        }
    }

    #[test]
    fn given_a_shared_account_when_its_owner_is_asked_then_the_escrow() {
        assert_eq!(Bucket::owner(), ids::REVENUE_ESCROW);
        assert_eq!(Collection::owner(), ids::REVENUE_ESCROW);
    }

    #[test]
    fn given_a_collection_when_written_and_read_then_equal() {
        let collection = Collection {
            version: 1,
            bump: 254,
            report: Pubkey::new_unique(),
            lane: Pubkey::new_unique(),
            lane_generation: 7,
            credit: Pubkey::new_unique(),
            amount_units: 8,
            count: 9,
            first_sequence: 10,
            receipts_root: [11; 32],
            requests_root: [12; 32],
            rent_payer: Pubkey::new_unique(),
            private: true,
            retracted: true,
            retraction_fee_units: 13,
            first_receipt: 14,
            reserved: [0; 24],
        };
        let mut bytes = Vec::new();
        collection.try_serialize(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 8 + Collection::INIT_SPACE);
        assert_eq!(Collection::try_deserialize(&mut bytes.as_slice()).unwrap(), collection);
        assert_eq!(collection.request_count(), Some(19));
        for (number, index) in [(13, None), (14, Some(0)), (22, Some(8)), (23, None), (u64::MAX, None)] {
            assert_eq!(collection.index_of(number), index);
        }
        assert!(Bucket::try_deserialize(&mut bytes.as_slice()).is_err());
    }
}
