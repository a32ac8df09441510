//! `FullyConnected`: a matrix product with bias, requantised to int8.

use super::{
    attributes, check_unused_attributes, multiply_by_quantized_multiplier, read_in_tile, tile_of, Operator, Region,
    MAX_REDUCTION,
};
use crate::{
    model::{NodeError, NodeRecord, ATTRIBUTE_BYTES},
    tensor::{ElementType, TensorSpec},
};

const X: usize = 0;
const WEIGHTS: usize = 1;
const BIAS: usize = 2;
const MULTIPLIER: usize = 3;
const SHIFT: usize = 4;

/// Elements that the inner loop takes in one step: enough to make its bookkeeping small, few enough to stay in registers.
const STEP: usize = 8;

/// `y[.., c] = clamp(z_y + round((Σ_i (x[.., i] - z_x) * w[c, i] + bias[c]) * multiplier[c] / 2^shift[c]), low, high)`
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8, zero point `z_x` | [.., k], k at most 32,768 |
/// | weights | int8, symmetric (zero point 0) | [n, k] |
/// | bias | int32 | [n] |
/// | multiplier | int32 | [n] |
/// | shift | int8 | [n] |
/// | y | int8, zero point `z_y` | [.., n] |
///
/// Attributes: `z_x` i8, `z_y` i8, `low` i8, `high` i8 with `low <= high`. A fused ReLU is `low = z_y`.
///
/// - *Accumulation* is exact in 32 bits, in any order: `|x - z_x| <= 255`, `|w| <= 128` and `k <= 32,768` give at most
///   255 * 128 * 32,768 = 1,069,547,520 < 2^31.
/// - *Bias* is added with saturation to 32 bits.
/// - *Scaling* rounds once, ties towards positive infinity: [`multiply_by_quantized_multiplier`]; a shift outside 1..=62 is taken as the nearer bound.
///   The multiplier may be any int32, also zero or negative.
/// - *The zero point* is added in 64 bits, then the value is clamped, which is the saturation to int8.
///
/// Source: TensorFlow Lite's 8-bit quantisation specification, FULLY_CONNECTED (per-channel weights, int32 bias), with single rounding.
pub struct FullyConnected;

impl FullyConnected {
    pub const NUMBER: u8 = 1;

    /// The attribute bytes.
    pub fn attributes(x_zero_point: i8, y_zero_point: i8, low: i8, high: i8) -> [u8; ATTRIBUTE_BYTES] {
        attributes(&[x_zero_point, y_zero_point, low, high])
    }
}

impl Operator for FullyConnected {
    fn name(&self) -> &'static str {
        "FullyConnected"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x, weights, bias, multiplier, shift] = operands else {
            return Err(NodeError::OperandCount);
        };
        check_unused_attributes(node, 4)?;
        let [_, _, low, high, ..] = node.attributes;
        if low as i8 > high as i8 {
            return Err(NodeError::Attribute);
        }
        if x.element() != ElementType::Int8 {
            return Err(NodeError::Operand { operand: X as u8 });
        }
        if x.cols() > MAX_REDUCTION {
            return Err(NodeError::ReductionTooLong);
        }
        let [n, k] = *weights.shape() else {
            return Err(NodeError::Operand { operand: WEIGHTS as u8 });
        };
        if weights.element() != ElementType::Int8 || k != x.cols() {
            return Err(NodeError::Operand { operand: WEIGHTS as u8 });
        }
        let per_channel = [
            (BIAS, bias, ElementType::Int32),
            (MULTIPLIER, multiplier, ElementType::Int32),
            (SHIFT, shift, ElementType::Int8),
        ];
        for (operand, spec, element) in per_channel {
            if spec.element() != element || spec.shape() != [n] {
                return Err(NodeError::Operand { operand: operand as u8 });
            }
        }
        let output = node.output;
        if output.element() != ElementType::Int8 || output.outer_shape() != x.outer_shape() || output.cols() != n {
            return Err(NodeError::OutputSpec);
        }
        Ok(())
    }

    fn region(&self, node: &NodeRecord, operands: &[TensorSpec], operand: usize, element: u32) -> Option<Region> {
        let row = element / node.output.cols();
        let channel = element % node.output.cols();
        match operand {
            X => Some(Region::Row(row)),
            WEIGHTS => Some(Region::Row(channel)),
            _ => tile_of(operands.get(operand)?, channel),
        }
    }

    fn element(&self, node: &NodeRecord, operands: &[TensorSpec], regions: &[&[u8]], element: u32) -> Option<i32> {
        let [x, weights, bias, multiplier, shift] = regions else {
            return None;
        };
        let [_, _, bias_spec, multiplier_spec, shift_spec] = operands else {
            return None;
        };
        let [x_zero_point, y_zero_point, low, high, ..] = node.attributes.map(|byte| i64::from(byte as i8));
        let channel = element % node.output.cols();
        let accumulator = dot(x, weights, x_zero_point as i32).saturating_add(read_in_tile(bias_spec, bias, channel)?);
        let scaled = multiply_by_quantized_multiplier(
            accumulator,
            read_in_tile(multiplier_spec, multiplier, channel)?,
            read_in_tile(shift_spec, shift, channel)?,
        );
        Some((scaled + y_zero_point).max(low).min(high) as i32)
    }
}

/// `Σ (x - x_zero_point) * w` over rows of equal length, at most [`MAX_REDUCTION`]. Nothing wraps, as shown above; the wrapping operations spare the chain
/// the overflow checks.
fn dot(x: &[u8], weights: &[u8], x_zero_point: i32) -> i32 {
    let product = |x: u8, w: u8| {
        i32::from(x as i8)
            .wrapping_sub(x_zero_point)
            .wrapping_mul(i32::from(w as i8))
    };
    let (x_steps, x_rest) = x.as_chunks::<STEP>();
    let (w_steps, w_rest) = weights.as_chunks::<STEP>();
    let mut sum = 0i32;
    for (x, w) in x_steps.iter().zip(w_steps) {
        for i in 0..STEP {
            sum = sum.wrapping_add(product(x[i], w[i]));
        }
    }
    for (x, w) in x_rest.iter().zip(w_rest) {
        sum = sum.wrapping_add(product(*x, *w));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_longest_row_of_extremes_when_summed_then_the_accumulator_is_exact() {
        let k = MAX_REDUCTION as usize;
        let x = std::vec![0x80; k];
        let weights = std::vec![0x80; k];
        assert_eq!(dot(&x, &weights, 127), 255 * 128 * 32_768);
        let x = std::vec![0x7f; k];
        assert_eq!(dot(&x, &weights, -128), -255 * 128 * 32_768);
    }
}
