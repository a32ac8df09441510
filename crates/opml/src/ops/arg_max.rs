//! `ArgMax`: the position of the largest value of each row.

use super::{Operator, Region, RowStatistics, check_unused_attributes, reduction};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// `y[.., 0] = ` the smallest `i` for which `x[.., i]` is the maximum of its row.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 | [.., k], k at most 32,768 |
/// | y | int32 | [.., 1] |
///
/// No attributes. Of equal values the first wins. Nothing rounds, saturates or overflows.
///
/// Source: ONNX ArgMax over the last axis with `keepdims = 1` and `select_last_index = 0`; TensorFlow Lite ARG_MAX on int8.
pub struct ArgMax;

impl ArgMax {
    pub const NUMBER: u8 = 4;
}

impl Operator for ArgMax {
    fn name(&self) -> &'static str {
        "ArgMax"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        reduction::check(node, operands, ElementType::Int32)?;
        check_unused_attributes(node, 0)
    }

    fn region(
        &self,
        _node: &NodeRecord,
        _operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        reduction::region(operand, element)
    }

    fn element(
        &self,
        _node: &NodeRecord,
        _operands: &[TensorSpec],
        regions: &[&[u8]],
        _element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let [x] = regions else { return None };
        let maximum = x.iter().map(|byte| *byte as i8).max()?;
        let first = x.iter().position(|byte| *byte as i8 == maximum)?;
        i32::try_from(first).ok()
    }
}
