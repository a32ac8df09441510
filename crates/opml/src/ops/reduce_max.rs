//! `ReduceMax`: the largest value of each row.

use super::{Operator, Region, RowStatistics, check_unused_attributes, reduction};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// `y[.., 0] = ` the maximum of the row.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 | [.., k], k at most 32,768 |
/// | y | int8, the quantisation of x | [.., 1] |
///
/// No attributes. Nothing rounds, saturates or overflows.
///
/// Source: TensorFlow Lite REDUCE_MAX int8 over the last axis.
pub struct ReduceMax;

impl ReduceMax {
    pub const NUMBER: u8 = 21;
}

impl Operator for ReduceMax {
    fn name(&self) -> &'static str {
        "ReduceMax"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        reduction::check(node, operands, ElementType::Int8)?;
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
        x.iter().map(|byte| i32::from(*byte as i8)).max()
    }
}
