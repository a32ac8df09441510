//! What [`super::ArgMax`], [`super::ReduceMax`] and [`super::ReduceMean`] have in common: each row becomes one element.

use super::{Region, check_element, check_reduction, check_row_output};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// The only operand is int8; the output has one element of this type for each of its rows.
pub(super) fn check(node: &NodeRecord, operands: &[TensorSpec], output: ElementType) -> Result<(), NodeError> {
    let [x] = operands else {
        return Err(NodeError::OperandCount);
    };
    check_element(operands, 0, ElementType::Int8)?;
    check_reduction(x.cols())?;
    check_row_output(node, x, output, 1)
}

/// The row that becomes output element `element`.
pub(super) fn region(operand: usize, element: u32) -> Option<Region> {
    (operand == 0).then_some(Region::Row(element))
}
