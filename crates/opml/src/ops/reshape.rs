//! `Reshape`: the same elements under another shape.

use super::{Operator, Region, RowStatistics, check_unused_attributes, index::Origin};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::TensorSpec,
};

/// Element `e` of y, in row-major order, is element `e` of x.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 or int32 | any |
/// | y | type and quantisation of x | any with as many elements |
///
/// No attributes. It is an operator because rows are others; the bytes, and so the commitment, are the same.
///
/// Source: ONNX Reshape.
pub struct Reshape;

impl Reshape {
    pub const NUMBER: u8 = 16;

    fn origin(_node: &NodeRecord, _operands: &[TensorSpec], element: u32) -> Option<Origin> {
        Some(Origin::Element { operand: 0, element })
    }
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "Reshape"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x] = operands else {
            return Err(NodeError::OperandCount);
        };
        check_unused_attributes(node, 0)?;
        if node.output.element() != x.element() || node.output.elements() != x.elements() {
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
        Self::origin(node, operands, element)?.region(operands, operand)
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        Self::origin(node, operands, element)?.value(operands, regions)
    }
}
