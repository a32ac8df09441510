//! What a witness shows of a Collection's two trees: the receipt that an operator reported, and the request that its payer signed for.
//!
//! | part | bytes |
//! | --- | --- |
//! | salt of the place that the dispute committed to | 32 |
//! | index of the receipt in the Collection u32 | 4 |
//! | the receipt's input root, output root and salt | 96 |
//! | its path in the receipt tree | 32 x `ceil_log2(count)` |
//! | and, for a wrong question, the request's model root, input root, price u64 and salt | 104 |
//! | its path in the request tree | 32 x `ceil_log2(first_sequence + count)` |
//!
//! Everything else of both records follows from the Collection and the report, and so do the lengths: nothing can be stated wrongly.

use imo_protocol::{Collection, Receipt, Request};
use opml::{Claim, Hash, merkle};

use crate::errors::OracleError;

/// A receipt of a Collection, as it was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownReceipt {
    /// Its index in the Collection.
    pub index: u32,
    /// Opens the commitment to that place.
    pub place_salt: [u8; 32],
    pub receipt: Receipt,
}

/// Refuses a receipt that is not at `index` of the Collection. Its lane and sequence are the Collection's.
pub fn require_receipt(
    collection: &Collection,
    index: u32,
    claim: Claim,
    salt: [u8; 32],
    path: &[u8],
) -> Result<Receipt, OracleError> {
    if index >= collection.count {
        return Err(OracleError::ReceiptOutOfRange);
    }
    let sequence = collection.first_sequence.checked_add(u64::from(index));
    let receipt = Receipt {
        lane: collection.lane,
        sequence: sequence.ok_or(OracleError::ReceiptOutOfRange)?,
        claim,
        salt,
    };
    let leaf = receipt
        .leaf(collection.first_sequence)
        .map_err(|_| OracleError::ReceiptOutOfRange)?;
    if merkle::verify_path(&collection.receipts_root, &leaf, index, collection.count, path) {
        Ok(receipt)
    } else {
        Err(OracleError::WrongReceiptPath)
    }
}

/// Reads a receipt of the Collection that claims something of this model. Returns it and what follows.
pub fn read_receipt<'a>(
    collection: &Collection,
    model_root: &Hash,
    witness: &'a [u8],
) -> Result<(ShownReceipt, &'a [u8]), OracleError> {
    let mut reader = Reader(witness);
    let place_salt = reader.array()?;
    let index = u32::from_le_bytes(reader.array()?);
    let claim = Claim {
        model_root: *model_root,
        input_root: reader.array()?,
        output_root: reader.array()?,
    };
    let salt = reader.array()?;
    let path = reader.path(collection.count)?;
    let receipt = require_receipt(collection, index, claim, salt, path)?;
    let shown = ShownReceipt {
        index,
        place_salt,
        receipt,
    };
    Ok((shown, reader.0))
}

/// Reads the request of the Collection's lane that `receipt` answers, which ends the witness.
pub fn read_request(collection: &Collection, receipt: &Receipt, witness: &[u8]) -> Result<Request, OracleError> {
    let mut reader = Reader(witness);
    let request = Request {
        lane: collection.lane,
        sequence: receipt.sequence,
        model_root: reader.array()?,
        input_root: reader.array()?,
        price_units: u64::from_le_bytes(reader.array()?),
        salt: reader.array()?,
    };
    let count = collection.request_count().ok_or(OracleError::ReceiptOutOfRange)?;
    let path = reader.path(count)?;
    reader.finish()?;
    let index = request.index().map_err(|_| OracleError::ReceiptOutOfRange)?;
    let leaf = request.leaf().map_err(|_| OracleError::ReceiptOutOfRange)?;
    if merkle::verify_path(&collection.requests_root, &leaf, index, count, path) {
        Ok(request)
    } else {
        Err(OracleError::WrongRequestPath)
    }
}

/// Refuses bytes after what a witness shows.
pub fn require_end(rest: &[u8]) -> Result<(), OracleError> {
    Reader(rest).finish()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], OracleError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(OracleError::WitnessTruncated)?;
        self.0 = rest;
        Ok(*head)
    }

    /// A path in a plain tree over `count` leaves.
    fn path(&mut self, count: u32) -> Result<&'a [u8], OracleError> {
        let (path, rest) = self
            .0
            .split_at_checked(usize::from(merkle::depth(count)) * size_of::<Hash>())
            .ok_or(OracleError::WitnessTruncated)?;
        self.0 = rest;
        Ok(path)
    }

    fn finish(self) -> Result<(), OracleError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(OracleError::WitnessTrailingBytes)
        }
    }
}
