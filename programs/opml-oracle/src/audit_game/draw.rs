//! Which receipt an audit is about. Nobody chooses it: the hash of a slot that was still to come when the report was sealed does.
//!
//! The chain remembers the hashes of the last 512 slots that had a block. So the slots after the seal are cut into periods of 512, of which one counts at any time:
//! the last that has begun. Within it the first slot with a block decides, whoever calls and whenever. Waiting for another period is of no use to somebody who
//! fears a draw as long as one other party calls within the first.

use opml::{Hash, hashv};

/// Slots between the seal and the first one whose hash may decide: longer than a leader's turn, so that who seals into its own block does not know it.
pub const DRAW_LAG_SLOTS: u64 = 32;
/// How long a period's slot decides: as many slots as the chain is sure to remember.
pub const DRAW_PERIOD_SLOTS: u64 = 512;
/// Receipts of a report for each further audit.
pub const RECEIPTS_PER_AUDIT: u64 = 512;
/// The most audits of a report, whatever its size.
pub const MAX_AUDITS: u8 = 16;

/// Audits that a report of so many receipts may have: one for each begun [`RECEIPTS_PER_AUDIT`], at most [`MAX_AUDITS`].
pub fn audits_of(receipts: u64) -> u8 {
    u8::try_from(receipts.div_ceil(RECEIPTS_PER_AUDIT)).map_or(MAX_AUDITS, |audits| audits.min(MAX_AUDITS))
}

/// The first slot of the period that counts now. `None` while none has begun: its first slot must be over, or its hash could not be known.
pub fn deciding_slot(sealed_slot: u64, now_slot: u64) -> Option<u64> {
    let first = sealed_slot.checked_add(DRAW_LAG_SLOTS)?;
    let over = now_slot.checked_sub(first)?.checked_sub(1)?;
    first.checked_add(over.checked_sub(over.checked_rem(DRAW_PERIOD_SLOTS)?)?)
}

/// The number of the receipt that an audit is about, among the `receipts` of its report. `None` when there are none.
pub fn drawn_receipt(slot_hash: &Hash, report: &[u8; 32], number: u8, receipts: u64) -> Option<u64> {
    let hash = hashv(&[b"imo:audit-draw:v1", slot_hash, report, &[number]]);
    let (drawn, _) = hash.split_first_chunk()?;
    // Of 128 bits, so that no receipt is likelier than another by more than one in 2^64.
    let number = u128::from_le_bytes(*drawn).checked_rem(receipts.into())?;
    u64::try_from(number).ok()
}

/// The hashes of the last slots that had a block, as their sysvar holds them: a count u64, then (slot u64, hash), the latest first.
#[derive(Clone, Copy, Debug)]
pub struct SlotHashes<'a>(&'a [Entry]);

const ENTRY_BYTES: usize = 40;
type Entry = [u8; ENTRY_BYTES];

impl<'a> SlotHashes<'a> {
    /// Reads the sysvar's data in place.
    pub fn new(data: &'a [u8]) -> Option<Self> {
        let (count, entries) = data.split_first_chunk()?;
        let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
        entries.as_chunks().0.get(..count).map(Self)
    }

    /// The first slot from `slot` on that had a block, and its hash. `None` when there is none yet, and when an earlier one may have been forgotten.
    pub fn first_from(&self, slot: u64) -> Option<(u64, Hash)> {
        let Self(entries) = self;
        let later = entries.partition_point(|entry| Self::read(entry).is_some_and(|(entry, _)| entry >= slot));
        let (decides, hash) = Self::read(entries.get(later.checked_sub(1)?)?)?;
        // Whatever was between is remembered, when something before it still is.
        let is_known = decides == slot || entries.get(later).is_some();
        is_known.then_some((decides, hash))
    }

    fn read(entry: &Entry) -> Option<(u64, Hash)> {
        let (slot, hash) = entry.split_first_chunk()?;
        Some((u64::from_le_bytes(*slot), hash.try_into().ok()?))
    }
}
