//! `GroupedFullyConnected`: a matrix product of its own for each group.

use super::{
    AttributeReader, Operator, Region, RowStatistics, check_element, check_operand, check_reduction, fully_connected,
    tile_of,
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

/// `y[.., t, c] = clamp(z_y + round((Σ_i (x[.., t, i] - z_x) * w[t, c, i] + bias[t, c]) * multiplier[t, c] / 2^shift[t, c]), low, high)`
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8, zero point `z_x` | [.., g, k], rank 2 to 4, k at most 32,768 |
/// | weights | int8, symmetric (zero point 0) | [g, n, k] |
/// | bias | int32 | [g, n] |
/// | multiplier | int32 | [g, n] |
/// | shift | int8 | [g, n] |
/// | y | int8, zero point `z_y` | [.., g, n] |
///
/// Attributes, ranges and rounding are those of [`super::FullyConnected`]. On the output of [`super::Patches`] it is a grouped convolution, with one
/// channel a group a depthwise one.
///
/// Source: TensorFlow Lite's 8-bit quantisation specification, CONV_2D and DEPTHWISE_CONV_2D, with single rounding.
pub struct GroupedFullyConnected;

impl GroupedFullyConnected {
    pub const NUMBER: u8 = 6;

    /// The attribute bytes.
    pub fn attributes(x_zero_point: i8, y_zero_point: i8, low: i8, high: i8) -> [u8; ATTRIBUTE_BYTES] {
        super::attributes(&[x_zero_point, y_zero_point, low, high])
    }

    /// The element of weight rows, bias, multiplier and shift that output element `element` is made with: `t * n + c`.
    fn channel(node: &NodeRecord, element: u32) -> Option<u32> {
        let [.., groups, n] = node.output.shape() else {
            return None;
        };
        element.checked_rem(groups * n)
    }
}

impl Operator for GroupedFullyConnected {
    fn name(&self) -> &'static str {
        "GroupedFullyConnected"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x, weights, _, _, _] = operands else {
            return Err(NodeError::OperandCount);
        };
        let mut reader = AttributeReader::new(node);
        reader.i8()?;
        reader.i8()?;
        reader.limits()?;
        reader.finish()?;
        check_element(operands, X, ElementType::Int8)?;
        let [outer @ .., groups, k] = x.shape() else {
            return Err(NodeError::Operand { operand: X as u8 });
        };
        check_reduction(*k)?;
        let [_, n, _] = *weights.shape() else {
            return Err(NodeError::Operand { operand: WEIGHTS as u8 });
        };
        check_operand(operands, WEIGHTS, ElementType::Int8, &[*groups, n, *k])?;
        check_operand(operands, BIAS, ElementType::Int32, &[*groups, n])?;
        check_operand(operands, MULTIPLIER, ElementType::Int32, &[*groups, n])?;
        check_operand(operands, SHIFT, ElementType::Int8, &[*groups, n])?;
        let output = node.output;
        match output.shape() {
            [y_outer @ .., y_groups, y_n]
                if output.element() == ElementType::Int8 && y_outer == outer && y_groups == groups && *y_n == n =>
            {
                Ok(())
            }
            _ => Err(NodeError::OutputSpec),
        }
    }

    fn region(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        let channel = Self::channel(node, element)?;
        match operand {
            X => Some(Region::Row(element.checked_div(node.output.cols())?)),
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
        fully_connected::channel(node, operands, regions, Self::channel(node, element)?)
    }
}
