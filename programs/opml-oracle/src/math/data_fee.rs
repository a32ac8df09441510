//! What a demand for data costs.

/// Bytes that an answer is paid for at least: a tile's. An answer of one byte takes the operator as much of a transaction as one of many.
pub const LEAST_PAID_BYTES: u32 = opml::tensor::TILE_BYTES;

/// The fee for an answer of `answer_bytes`, in units. `None` when it is no amount.
pub fn data_fee_units(byte_fee_units: u64, answer_bytes: u32) -> Option<u64> {
    byte_fee_units.checked_mul(answer_bytes.max(LEAST_PAID_BYTES).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn given_a_short_answer_when_priced_then_like_a_tile() {
        assert_eq!(data_fee_units(10, 1), Some(5_120));
        assert_eq!(data_fee_units(10, 512), Some(5_120));
        assert_eq!(data_fee_units(10, 513), Some(5_130));
        assert_eq!(data_fee_units(u64::MAX / 512 + 1, 1), None);
    }

    proptest! {
        #[test]
        fn given_more_bytes_when_priced_then_never_cheaper(fee in 0u64..1 << 40, bytes in 0u32..1_000, more in 0u32..1_000) {
            let less = data_fee_units(fee, bytes).unwrap();
            prop_assert!(less <= data_fee_units(fee, bytes + more).unwrap());
            prop_assert!(less >= fee * u64::from(bytes));
        }
    }
}
