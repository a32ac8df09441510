//! Real scales as integers.

/// Significant bits of a multiplier.
const BITS: i32 = 31;
const MAX_SHIFT: i32 = 62;

/// `multiplier / 2^shift = real` as nearly as 31 significant bits allow, as TensorFlow Lite's `QuantizeMultiplier` computes it: the multiplier is in
/// 2^30..2^31 in magnitude, the relative error at most 2^-31, and `shift` is 1 to 62.
///
/// A real below 2^-32 in magnitude moves no accumulator of 32 bits away from 0 and is multiplier 0. `None` for 2^30 and above, which no quantisation needs, and for
/// what is no number.
pub fn fixed_point(real: f64) -> Option<(i32, i8)> {
    common([real]).map(|([multiplier], shift)| (multiplier, shift))
}

/// Multipliers of several reals under one shift: the largest has 31 significant bits.
pub fn common<const N: usize>(reals: [f64; N]) -> Option<([i32; N], i8)> {
    let largest = reals.iter().fold(0f64, |largest, real| largest.max(real.abs()));
    if !reals.iter().all(|real| real.is_finite()) || largest >= (1u64 << (BITS - 1)) as f64 {
        return None;
    }
    let (_, exponent) = libm::frexp(largest);
    let mut shift = BITS - exponent;
    // A mantissa that rounds up to 2^31 has one bit too many.
    if libm::rint(libm::ldexp(largest, shift)) >= (1u64 << BITS) as f64 {
        shift -= 1;
    }
    if largest == 0.0 || shift > MAX_SHIFT + 1 {
        return Some(([0; N], 1));
    }
    let shift = shift.min(MAX_SHIFT);
    let multipliers = reals.map(|real| libm::rint(libm::ldexp(real, shift)) as i32);
    Some((multipliers, shift as i8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn given_a_scale_when_made_fixed_then_31_bits_are_exact(mantissa in 0.5f64..1.0, exponent in -31i32..30, negative: bool) {
            let real = libm::ldexp(if negative { -mantissa } else { mantissa }, exponent);
            let (multiplier, shift) = fixed_point(real).unwrap();
            prop_assert!((1..=62).contains(&shift));
            prop_assert!(multiplier.unsigned_abs() >= 1 << 30);
            let back = libm::ldexp(f64::from(multiplier), -i32::from(shift));
            prop_assert!((back - real).abs() <= real.abs() / f64::from(1u32 << 31));
        }
    }

    #[test]
    fn given_a_mantissa_that_rounds_up_when_made_fixed_then_it_has_31_bits() {
        let just_below_one = 1.0 - f64::EPSILON;
        assert_eq!(fixed_point(just_below_one), Some((1 << 30, 30)));
        assert_eq!(fixed_point(1.0), Some((1 << 30, 30)));
        assert_eq!(fixed_point(0.5), Some((1 << 30, 31)));
    }

    #[test]
    fn given_a_scale_out_of_range_when_made_fixed_then_zero_or_none() {
        assert_eq!(fixed_point(0.0), Some((0, 1)));
        assert_eq!(fixed_point(libm::ldexp(1.0, -40)), Some((0, 1)));
        assert_eq!(fixed_point(libm::ldexp(1.0, 30)), None);
        assert_eq!(fixed_point(f64::INFINITY), None);
        assert_eq!(fixed_point(f64::NAN), None);
    }

    #[test]
    fn given_two_scales_when_made_fixed_then_they_share_a_shift() {
        assert_eq!(common([1.0, -0.25]), Some(([1 << 30, -(1 << 28)], 30)));
    }
}
