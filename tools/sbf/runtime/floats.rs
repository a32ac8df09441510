//! Conversions between 128-bit integers and f64.

use crate::integers::{join, leading_zeros};

/// Rounds to nearest, ties to even: the 64-bit conversion does that, given one bit for everything below.
#[no_mangle]
pub fn __sbf_floatuntidf(integer: u128) -> f64 {
    let (low, high) = (integer as u64, (integer >> 64) as u64);
    if high == 0 {
        return low as f64;
    }
    let zeros = leading_zeros(high);
    let shift = 64 - zeros;
    let (top, below) = if shift == 64 {
        (high, low)
    } else {
        (high << zeros | low >> shift, low << zeros)
    };
    let scaled = (top | (below != 0) as u64) as f64;
    // Adding to the exponent multiplies by two to the shift.
    f64::from_bits(scaled.to_bits() + ((shift as u64) << 52))
}

#[no_mangle]
pub fn __sbf_floattidf(integer: i128) -> f64 {
    let magnitude = __sbf_floatuntidf(integer.unsigned_abs());
    if integer < 0 {
        f64::from_bits(magnitude.to_bits() | 1 << 63)
    } else {
        magnitude
    }
}

/// Saturates; NaN is zero.
#[no_mangle]
pub fn __sbf_fixunsdfti(float: f64) -> u128 {
    let bits = float.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1023;
    let fraction = bits << 12 >> 12;
    let is_nan = exponent == 1024 && fraction != 0;
    if bits >> 63 == 1 || exponent < 0 || is_nan {
        return 0;
    }
    if exponent >= 128 {
        return u128::MAX;
    }
    let mantissa = fraction | 1 << 52;
    if exponent <= 52 {
        return (mantissa >> (52 - exponent)) as u128;
    }
    let shift = (exponent - 52) as u32;
    if shift >= 64 {
        join(0, mantissa << (shift - 64))
    } else {
        join(mantissa << shift, mantissa >> (64 - shift))
    }
}

/// Saturates; NaN is zero.
#[no_mangle]
pub fn __sbf_fixdfti(float: f64) -> i128 {
    let negative = float.to_bits() >> 63 == 1;
    let magnitude = __sbf_fixunsdfti(f64::from_bits(float.to_bits() << 1 >> 1));
    match (negative, magnitude >> 127 != 0) {
        (true, true) => i128::MIN,
        (false, true) => i128::MAX,
        (true, false) => (magnitude as i128).wrapping_neg(),
        (false, false) => magnitude as i128,
    }
}
