//! What a payer's session key signs before each answer.

use anchor_lang::prelude::Pubkey;
use opml::Hash;

/// Bytes of a voucher.
pub const VOUCHER_BYTES: usize = 216;

/// First bytes of a voucher: what kind of message it is. No transaction and no other message of the protocol begins like this.
pub const VOUCHER_DOMAIN: [u8; 16] = *b"imo:voucher:v1\0\0";

/// All that a payer has asked of one operator so far and owes for it. Amount and count are cumulative, so that the last voucher replaces all
/// before it and a lost one does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Genesis hash of the cluster.
    pub cluster: [u8; 32],
    /// The escrow program.
    pub escrow: Pubkey,
    pub lane: Pubkey,
    pub lane_generation: u64,
    /// The key that signs.
    pub session: Pubkey,
    pub session_generation: u64,
    /// Price of all requests so far, in units of the revenue mint.
    pub cumulative_amount_units: u64,
    /// Requests so far.
    pub cumulative_count: u64,
    /// Root of the tree over all requests so far.
    pub requests_root: Hash,
    /// Last second at which it can be collected, in Unix seconds.
    pub expires_unix: i64,
}

impl Voucher {
    /// The bytes to sign.
    pub fn message(&self) -> [u8; VOUCHER_BYTES] {
        let Self {
            cluster,
            escrow,
            lane,
            lane_generation,
            session,
            session_generation,
            cumulative_amount_units,
            cumulative_count,
            requests_root,
            expires_unix,
        } = self;
        let mut message = [0; VOUCHER_BYTES];
        message[..16].copy_from_slice(&VOUCHER_DOMAIN);
        message[16..48].copy_from_slice(cluster);
        message[48..80].copy_from_slice(escrow.as_ref());
        message[80..112].copy_from_slice(lane.as_ref());
        message[112..120].copy_from_slice(&lane_generation.to_le_bytes());
        message[120..152].copy_from_slice(session.as_ref());
        message[152..160].copy_from_slice(&session_generation.to_le_bytes());
        message[160..168].copy_from_slice(&cumulative_amount_units.to_le_bytes());
        message[168..176].copy_from_slice(&cumulative_count.to_le_bytes());
        message[176..208].copy_from_slice(requests_root);
        message[208..].copy_from_slice(&expires_unix.to_le_bytes());
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_voucher_when_written_then_each_field_at_its_place() {
        let voucher = Voucher {
            cluster: [1; 32],
            escrow: Pubkey::new_from_array([2; 32]),
            lane: Pubkey::new_from_array([3; 32]),
            lane_generation: 4,
            session: Pubkey::new_from_array([5; 32]),
            session_generation: 6,
            cumulative_amount_units: 7,
            cumulative_count: 8,
            requests_root: [9; 32],
            expires_unix: -1,
        };
        let mut expected = b"imo:voucher:v1\0\0".to_vec();
        expected.extend([1; 32]);
        expected.extend([2; 32]);
        expected.extend([3; 32]);
        expected.extend(4u64.to_le_bytes());
        expected.extend([5; 32]);
        expected.extend(6u64.to_le_bytes());
        expected.extend(7u64.to_le_bytes());
        expected.extend(8u64.to_le_bytes());
        expected.extend([9; 32]);
        expected.extend([0xff; 8]);
        assert_eq!(voucher.message().as_slice(), expected);
    }
}
