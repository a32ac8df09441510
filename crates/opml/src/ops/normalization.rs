//! What [`super::LayerNorm`] and [`super::RmsNorm`] have in common: a row of x with parameters of its channels, and dividing by the root of a mean of squares, in integers.
//!
//! With `d_i = k * x_i - center`, k times the distance from the centre, and `spread = k^2 * mean square`:
//!
//! - `W = spread * 2^16 + k^2 * epsilon`. `spread <= 2^46` and `epsilon < 2^32` give `W < 2^63`.
//! - `t` is half of W's leading zeros, floored, `R = floor(sqrt(W * 4^t))`: `2^31 <= R < 2^32` unless W is 0.
//! - `q_i = floor((d_i * 2^(28 + t) + floor(R / 2)) / R)`: the normalised value with 20 fraction bits; 0 when W is 0.
//!
//! `d_i^2 <= k * spread` and `k <= 2^15`, so that `|d_i| * 2^(8 + t) <= sqrt(k * W * 4^t) < 2^39.5`: the dividend is below 2^60 and `|q_i|` below 2^28.

use super::{
    Region, RowStatistics, check_element, check_operand, check_reduction, rounding_shift, saturate_to_int8, tile_of,
};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// Fraction bits of a normalised value.
pub const NORMALIZED_FRACTION_BITS: u32 = 20;

/// Fraction bits of `epsilon` and of W, even so that their root is a shift.
const SPREAD_FRACTION_BITS: u32 = 16;

const X: usize = 0;

/// An int8 operand, whose specification the output has, and then so many parameters: int32, one for each channel.
pub(super) fn check(node: &NodeRecord, operands: &[TensorSpec], parameters: usize) -> Result<(), NodeError> {
    let [x, rest @ ..] = operands else {
        return Err(NodeError::OperandCount);
    };
    if rest.len() != parameters {
        return Err(NodeError::OperandCount);
    }
    check_element(operands, X, ElementType::Int8)?;
    check_reduction(x.cols())?;
    for parameter in X + 1..operands.len() {
        check_operand(operands, parameter, ElementType::Int32, &[x.cols()])?;
    }
    if node.output != *x {
        return Err(NodeError::OutputSpec);
    }
    Ok(())
}

/// The row of x, and of each parameter the tile with that of the element's channel.
pub(super) fn region(node: &NodeRecord, operands: &[TensorSpec], operand: usize, element: u32) -> Option<Region> {
    let k = node.output.cols();
    match operand {
        X => Some(Region::Row(element.checked_div(k)?)),
        _ => tile_of(operands.get(operand)?, element.checked_rem(k)?),
    }
}

/// `center`, R and t.
pub(super) fn statistics(k: u32, center: i64, spread: u64, epsilon: u32) -> RowStatistics {
    let k = u64::from(k);
    let w = (spread << SPREAD_FRACTION_BITS) + k * k * u64::from(epsilon);
    let t = w.leading_zeros() / 2;
    let root = match w {
        0 => 0,
        _ => (w << (2 * t)).isqrt(),
    };
    [center, root as i64, t.into()]
}

/// `q` for an element of a row of `k`.
fn normalized(k: u32, x: i32, [center, root, t]: &RowStatistics) -> i64 {
    if *root == 0 {
        return 0;
    }
    let distance = i64::from(k) * i64::from(x) - center;
    let bits = i64::from(SPREAD_FRACTION_BITS / 2 + NORMALIZED_FRACTION_BITS) + t;
    ((distance << bits) + root / 2).div_euclid(*root)
}

/// `sat8(((q * gamma + beta * 2^20 + 2^(shift - 1)) >> shift) + zero_point)`. The products are below 2^59 and at most 2^51.
pub(super) fn finish(
    k: u32,
    x: i32,
    statistics: &RowStatistics,
    gamma: i32,
    beta: i32,
    shift: i8,
    zero_point: i8,
) -> i32 {
    let scaled = normalized(k, x, statistics) * i64::from(gamma) + (i64::from(beta) << NORMALIZED_FRACTION_BITS);
    saturate_to_int8(rounding_shift(scaled, shift.into()) + i64::from(zero_point))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One element as far out, all others as far the other way, as the longest row allows.
    #[test]
    fn given_the_longest_row_and_extreme_parameters_when_normalised_then_nothing_overflows() {
        for k in [1u32, 2, 3, 768, 32_767, 32_768] {
            let n = i64::from(k);
            let (sum, squares) = (127 - 128 * (n - 1), 127 * 127 + 128 * 128 * (n - 1));
            let spread = (n * squares - sum * sum) as u64;
            for epsilon in [0, 1, u32::MAX] {
                let row = statistics(k, sum, spread, epsilon);
                for (gamma, beta) in [(i32::MIN, i32::MIN), (i32::MAX, i32::MAX), (i32::MIN, i32::MAX)] {
                    for shift in [1, 62] {
                        for x in [127, -128] {
                            finish(k, x, &row, gamma, beta, shift, -128);
                        }
                    }
                }
                if epsilon == 0 && k > 1 {
                    let expected = ((k - 1) as f64).sqrt() * f64::from(1 << NORMALIZED_FRACTION_BITS);
                    assert!((normalized(k, 127, &row) as f64 - expected).abs() < 2.0, "{k}");
                }
            }
        }
    }

    #[test]
    fn given_the_smallest_and_the_largest_spread_when_normalised_then_all_fraction_bits_are_right() {
        // k = 2: one unit apart, and 255 apart; both are -1 and 1 when normalised.
        for (low, high) in [(0, 1), (-128, 127)] {
            let (low, high) = (i64::from(low), i64::from(high));
            let row = statistics(
                2,
                low + high,
                (2 * (low * low + high * high) - (low + high).pow(2)) as u64,
                0,
            );
            assert_eq!(normalized(2, high as i32, &row), 1 << NORMALIZED_FRACTION_BITS);
            assert_eq!(normalized(2, low as i32, &row), -1 << NORMALIZED_FRACTION_BITS);
        }
        // An equal row has no spread and no distance.
        assert_eq!(normalized(5, 9, &statistics(5, 45, 0, 0)), 0);
        assert_eq!(normalized(5, 9, &statistics(5, 45, 0, 1)), 0);
    }
}
