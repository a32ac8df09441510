//! Digests of a dispute.

use anchor_lang::prelude::Pubkey;
use opml::{Hash, hashv};

/// What a challenger commits to when it opens: `H("imo:place:v1" ‖ dispute ‖ collection ‖ receipt index ‖ salt)`. The place cannot be read from a
/// pending transaction, and nobody else can use the commitment, because it names the dispute.
pub fn place_commitment(dispute: &Pubkey, collection: &Pubkey, receipt_index: u32, salt: &[u8; 32]) -> Hash {
    hashv(&[
        b"imo:place:v1",
        dispute.as_ref(),
        collection.as_ref(),
        &receipt_index.to_le_bytes(),
        salt,
    ])
}

/// The state of a dispute before its first move.
pub fn first_digest(dispute: &Pubkey) -> Hash {
    hashv(&[b"imo:move:v1", dispute.as_ref()])
}

/// The state after a move: `H("imo:move:v1" ‖ previous ‖ kind ‖ H(payload))`. A move names the state that it answers, so that a fork cannot
/// redirect it.
pub fn move_digest(previous: &Hash, kind: u8, payload_hash: &Hash) -> Hash {
    hashv(&[b"imo:move:v1", previous, &[kind], payload_hash])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_place_when_any_part_differs_then_another_commitment() {
        let [a, b] = [Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32])];
        let commitment = place_commitment(&a, &b, 3, &[4; 32]);
        let mut preimage = b"imo:place:v1".to_vec();
        preimage.extend([1; 32]);
        preimage.extend([2; 32]);
        preimage.extend([3, 0, 0, 0]);
        preimage.extend([4; 32]);
        assert_eq!(commitment, hashv(&[&preimage]));
        assert_ne!(commitment, place_commitment(&b, &b, 3, &[4; 32]));
        assert_ne!(commitment, place_commitment(&a, &a, 3, &[4; 32]));
        assert_ne!(commitment, place_commitment(&a, &b, 4, &[4; 32]));
        assert_ne!(commitment, place_commitment(&a, &b, 3, &[5; 32]));
    }

    #[test]
    fn given_two_predecessors_when_the_same_move_is_made_then_another_digest() {
        let [a, b] = [[1; 32], [2; 32]].map(|key| first_digest(&Pubkey::new_from_array(key)));
        assert_ne!(a, b);
        assert_ne!(move_digest(&a, 1, &[0; 32]), move_digest(&b, 1, &[0; 32]));
        assert_ne!(move_digest(&a, 1, &[0; 32]), move_digest(&a, 2, &[0; 32]));
        assert_ne!(move_digest(&a, 1, &[0; 32]), move_digest(&a, 1, &[1; 32]));
    }
}
