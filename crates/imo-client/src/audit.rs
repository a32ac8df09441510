//! Finding what an audit is about before anybody has drawn it.

use imo_protocol::Bucket;
use opml_oracle::{
    audit_game::{SlotHashes, deciding_slot, drawn_receipt},
    state::Report,
};

use crate::addresses::opml_oracle as address;

/// The number of the receipt that a draw would give in `slot`, by the data of the sysvar of slot hashes: it is in the Collection whose `index_of` knows it. `None` while no slot decides, and for a
/// report without receipts. Another slot may decide when the draw lands later; then it is refused, and is to be calculated again.
pub fn drawn(slot_hashes: &[u8], slot: u64, report: &Report, bucket: &Bucket, number: u8) -> Option<u64> {
    let deciding = deciding_slot(report.window.opened_slot, slot)?;
    let (_, hash) = SlotHashes::new(slot_hashes)?.first_from(deciding)?;
    let report = address::report(&report.operator, report.sequence);
    drawn_receipt(&hash, &report.to_bytes(), number, bucket.receipt_count)
}
