//! Scaling an accumulator by a real number without floating point.

/// The smallest shift that has a rounding term.
pub const MIN_SHIFT: i32 = 1;
/// The largest shift for which nothing overflows.
pub const MAX_SHIFT: i32 = 62;

/// `round(value * multiplier / 2^shift)`, ties towards positive infinity: `(value * multiplier + 2^(shift - 1)) >> shift` in 64 bits with an arithmetic
/// shift, as TensorFlow Lite computes it with `TFLITE_SINGLE_ROUNDING`. A shift outside 1..=62 is taken as the nearer bound.
///
/// Nothing overflows: the product is at most 2^62 in magnitude, the rounding term at most 2^61.
pub fn multiply_by_quantized_multiplier(value: i32, multiplier: i32, shift: i32) -> i64 {
    rounding_shift(i64::from(value) * i64::from(multiplier), shift)
}

/// `round(value / 2^shift)`, ties towards positive infinity. A shift outside 1..=62 is taken as the nearer bound. Nothing overflows below 2^62 in magnitude.
pub fn rounding_shift(value: i64, shift: i32) -> i64 {
    let shift = shift.clamp(MIN_SHIFT, MAX_SHIFT);
    (value + (1 << (shift - 1))) >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_extreme_operands_when_scaled_then_nothing_overflows() {
        for value in [i32::MIN, -1, 0, 1, i32::MAX] {
            for multiplier in [i32::MIN, -1, 0, 1, i32::MAX] {
                for shift in [i32::MIN, -1, 0, 1, 31, 62, 63, i32::MAX] {
                    let exact = i128::from(value) * i128::from(multiplier);
                    let shift_used = shift.clamp(1, 62);
                    let rounded = (exact + (1 << (shift_used - 1))) >> shift_used;
                    assert_eq!(
                        i128::from(multiply_by_quantized_multiplier(value, multiplier, shift)),
                        rounded
                    );
                }
            }
        }
    }

    #[test]
    fn given_a_tie_when_scaled_then_rounded_towards_positive_infinity() {
        assert_eq!(multiply_by_quantized_multiplier(3, 1, 1), 2);
        assert_eq!(multiply_by_quantized_multiplier(-3, 1, 1), -1);
        assert_eq!(multiply_by_quantized_multiplier(-5, 1 << 30, 31), -2);
    }
}
