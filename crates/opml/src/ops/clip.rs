//! `Clip`: limits a value, as ReLU and its relatives do.

use super::{
    Operator, Region, RowStatistics, attributes, check_elementwise, check_unused_attributes, read_in_tile, tile_of,
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::TensorSpec,
};

/// `y = min(max(x, low), high)`, element by element.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 | any |
/// | y | int8, the quantisation of x | that of x |
///
/// Attributes: `low` i8, `high` i8 with `low <= high`. ReLU is `low` = the zero point of x, `high` = 127; ReLU6 has `high` = the quantised 6. Nothing rounds,
/// saturates or overflows.
///
/// Source: TensorFlow Lite's 8-bit quantisation specification, RELU, RELU6 and their relatives with equal input and output scale; ONNX Clip on int8.
pub struct Clip;

impl Clip {
    pub const NUMBER: u8 = 2;

    /// The attribute bytes.
    pub fn attributes(low: i8, high: i8) -> [u8; ATTRIBUTE_BYTES] {
        attributes(&[low, high])
    }
}

impl Operator for Clip {
    fn name(&self) -> &'static str {
        "Clip"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x] = operands else {
            return Err(NodeError::OperandCount);
        };
        check_unused_attributes(node, 2)?;
        let [low, high, ..] = node.attributes;
        if low as i8 > high as i8 {
            return Err(NodeError::Attribute);
        }
        check_elementwise(node, x)
    }

    fn region(
        &self,
        _node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        tile_of(operands.get(operand)?, element)
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let ([x], [spec]) = (regions, operands) else {
            return None;
        };
        let [low, high, ..] = node.attributes.map(|byte| i32::from(byte as i8));
        Some(read_in_tile(spec, x, element)?.max(low).min(high))
    }
}
