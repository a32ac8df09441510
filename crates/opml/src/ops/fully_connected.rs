//! `FullyConnected`: a matrix product with bias, requantised to int8.

use super::{
    MAX_REDUCTION, Operator, Region, RowStatistics, attributes, check_unused_attributes, dot,
    multiply_by_quantized_multiplier, read_in_tile, tile_of,
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

const X: usize = 0;
const WEIGHTS: usize = 1;
const BIAS: usize = 2;
const MULTIPLIER: usize = 3;
const SHIFT: usize = 4;

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

    fn region(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        let row = element / node.output.cols();
        let channel = element % node.output.cols();
        match operand {
            X => Some(Region::Row(row)),
            WEIGHTS => Some(Region::Row(channel)),
            _ => tile_of(operands.get(operand)?, channel),
        }
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        channel(node, operands, regions, element % node.output.cols())
    }
}

/// One output channel, of which bias, multiplier and shift are elements `channel` of their tensors.
pub(super) fn channel(node: &NodeRecord, operands: &[TensorSpec], regions: &[&[u8]], channel: u32) -> Option<i32> {
    let [x, weights, bias, multiplier, shift] = regions else {
        return None;
    };
    let [_, _, bias_spec, multiplier_spec, shift_spec] = operands else {
        return None;
    };
    let [x_zero_point, y_zero_point, low, high, ..] = node.attributes.map(|byte| i64::from(byte as i8));
    let sum = dot(x, x_zero_point as i32, weights, 0);
    let scaled = multiply_by_quantized_multiplier(
        sum.saturating_add(read_in_tile(bias_spec, bias, channel)?),
        read_in_tile(multiplier_spec, multiplier, channel)?,
        read_in_tile(shift_spec, shift, channel)?,
    );
    Some((scaled + y_zero_point).max(low).min(high) as i32)
}
