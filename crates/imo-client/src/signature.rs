//! Checking signatures as the chain's Ed25519 program does.
//!
//! Nothing is accepted here that the program refuses: an operator that takes a voucher with such a signature has worked for nothing.

use anchor_lang::prelude::Pubkey;
use ed25519_dalek::{Signature, Verifier};

use crate::voucher::SIGNATURE_BYTES;

/// The encodings of the points of small order: what `R` of a signature may not be. No point has another that is written out canonically.
const SMALL_ORDER: [[u8; 32]; 8] = {
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    let mut one = [0; 32];
    one[0] = 1;
    [
        one,
        minus_one,
        [0; 32],
        negated([0; 32]),
        EIGHTH,
        negated(EIGHTH),
        OTHER_EIGHTH,
        negated(OTHER_EIGHTH),
    ]
};

/// The points of order eight but for their signs.
const EIGHTH: [u8; 32] = [
    0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac,
    0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
];
const OTHER_EIGHTH: [u8; 32] = [
    0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53,
    0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
];

/// The point of the same y on the other side.
const fn negated(mut point: [u8; 32]) -> [u8; 32] {
    point[31] |= 0x80;
    point
}

/// A key as a point, for whoever checks many signatures of it: finding the point takes a fifth of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// `None` for what is no point or one of small order: the program accepts no signature of it.
    pub fn new(key: &Pubkey) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(key.as_array()).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    pub fn key(&self) -> Pubkey {
        Pubkey::new_from_array(self.0.to_bytes())
    }

    /// Whether the program accepts this signature. As `verify_strict` does, this takes `S` below the group's order and `R` canonical and not of small order, and does not
    /// multiply with the cofactor. What it saves is to find the point of `R`: the check computes it, and compares what it is written as.
    pub fn accepts(&self, signature: &[u8; SIGNATURE_BYTES], message: &[u8]) -> bool {
        let signature = Signature::from_bytes(signature);
        !SMALL_ORDER.contains(signature.r_bytes()) && self.0.verify(message, &signature).is_ok()
    }
}

/// Whether the chain's Ed25519 program accepts this signature.
pub fn is_signed(key: &Pubkey, signature: &[u8; SIGNATURE_BYTES], message: &[u8]) -> bool {
    VerifyingKey::new(key).is_some_and(|key| key.accepts(signature, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voucher::verify_signature;
    use curve25519_dalek::{
        EdwardsPoint, Scalar,
        constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION},
    };
    use sha2::{Digest, Sha512};
    use std::collections::BTreeSet;

    const BASE: EdwardsPoint = ED25519_BASEPOINT_POINT;

    /// As the program of Agave says, whose code this is.
    fn chain_accepts(key: [u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
        let instruction = verify_signature(&Pubkey::new_from_array(key), signature, message);
        agave_precompiles::ed25519::verify(&instruction.data, &[&instruction.data], &Default::default()).is_ok()
    }

    fn accepts(key: [u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
        is_signed(&Pubkey::new_from_array(key), signature, message)
    }

    fn joined(point: [u8; 32], scalar: [u8; 32]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&point);
        signature[32..].copy_from_slice(&scalar);
        signature
    }

    fn challenge(point: [u8; 32], key: [u8; 32], message: &[u8]) -> Scalar {
        let hash = Sha512::new()
            .chain_update(point)
            .chain_update(key)
            .chain_update(message);
        Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    }

    fn scalar(number: u64) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&Sha512::digest(number.to_le_bytes()).into())
    }

    /// What everybody's rules accept who multiplies with the cofactor: for the key `secret * B` and an `R` of `nonce * B`, with a point of small order added to each.
    fn signed(number: u64, to_key: EdwardsPoint, to_point: EdwardsPoint) -> ([u8; 32], [u8; 64], [u8; 8]) {
        let (secret, nonce, message) = (scalar(2 * number), scalar(2 * number + 1), number.to_le_bytes());
        let key = (secret * BASE + to_key).compress().to_bytes();
        let point = (nonce * BASE + to_point).compress().to_bytes();
        let proof = nonce + challenge(point, key, &message) * secret;
        (key, joined(point, proof.to_bytes()), message)
    }

    #[test]
    fn given_the_points_of_small_order_when_written_out_then_they_are_the_ones_that_are_refused() {
        let written: BTreeSet<[u8; 32]> = EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
        assert_eq!(written, SMALL_ORDER.into_iter().collect());
    }

    #[test]
    fn given_signatures_when_made_as_they_should_be_then_accepted_and_no_longer_with_any_bit_turned() {
        let none = EIGHT_TORSION[0];
        let (key, signature, message) = signed(1, none, none);
        assert!(accepts(key, &signature, &message) && chain_accepts(key, &signature, &message));
        for bit in 0..512 {
            let mut other = signature;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!accepts(key, &other, &message), "bit {bit}");
        }
        assert!(!accepts(key, &signature, b"another"));
    }

    #[test]
    fn given_a_signature_when_the_groups_order_is_added_to_its_scalar_then_refused() {
        /// Little-endian.
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let (key, mut signature, message) = signed(2, EIGHT_TORSION[0], EIGHT_TORSION[0]);
        let mut carry = 0;
        for (byte, more) in signature[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert!(!accepts(key, &signature, &message) && !chain_accepts(key, &signature, &message));
    }

    #[test]
    fn given_a_key_of_small_order_when_its_signature_fits_then_refused() {
        let mut fitting = 0;
        for key in EIGHT_TORSION {
            for number in 0..24 {
                let proof = scalar(number);
                let (key_bytes, point) = (key.compress().to_bytes(), (proof * BASE).compress().to_bytes());
                let message = number.to_le_bytes();
                // Nobody's secret: the key vanishes from the equation.
                if challenge(point, key_bytes, &message) * key != EIGHT_TORSION[0] {
                    continue;
                }
                fitting += 1;
                let signature = joined(point, proof.to_bytes());
                assert!(!accepts(key_bytes, &signature, &message) && !chain_accepts(key_bytes, &signature, &message));
            }
        }
        assert!(fitting > 24, "{fitting}");
    }

    #[test]
    fn given_a_point_of_small_order_in_a_signature_when_it_fits_then_refused() {
        for number in 0..8 {
            let secret = scalar(number);
            let key = (secret * BASE).compress().to_bytes();
            let message = number.to_le_bytes();
            let mut minus_zero = SMALL_ORDER[0];
            minus_zero[31] |= 0x80;
            for point in SMALL_ORDER.into_iter().chain([minus_zero]) {
                let signature = joined(point, (challenge(point, key, &message) * secret).to_bytes());
                assert!(!accepts(key, &signature, &message) && !chain_accepts(key, &signature, &message));
            }
        }
    }

    #[test]
    fn given_points_of_mixed_order_when_signed_with_then_accepted_only_where_the_program_accepts_it() {
        let mut accepted = 0;
        for number in 0..3 {
            for to_key in EIGHT_TORSION {
                for to_point in EIGHT_TORSION {
                    let (key, signature, message) = signed(number, to_key, to_point);
                    let here = accepts(key, &signature, &message);
                    assert_eq!(here, chain_accepts(key, &signature, &message));
                    accepted += usize::from(here);
                }
            }
        }
        // All without a part of small order, and of the others those where both parts cancel.
        assert!((8..64).contains(&accepted), "{accepted} of 192");
    }
}
