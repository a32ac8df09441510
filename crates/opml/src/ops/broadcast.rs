//! The second operand of an element-wise operator of two.

use super::{Region, check_element, read_in_tile, tile_of};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

const A: usize = 0;
const B: usize = 1;

/// Both operands are int8; b has the shape of a's last dimensions, or [1]; the output has a's.
pub(super) fn check(node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
    let [a, b] = operands else {
        return Err(NodeError::OperandCount);
    };
    check_element(operands, A, ElementType::Int8)?;
    check_element(operands, B, ElementType::Int8)?;
    if !a.shape().ends_with(b.shape()) && b.shape() != [1] {
        return Err(NodeError::Operand { operand: B as u8 });
    }
    if node.output != *a {
        return Err(NodeError::OutputSpec);
    }
    Ok(())
}

/// Element `element` of a and the one of b that meets it.
fn elements(operands: &[TensorSpec], element: u32) -> Option<[u32; 2]> {
    Some([element, element.checked_rem(operands.get(B)?.elements())?])
}

pub(super) fn region(operands: &[TensorSpec], operand: usize, element: u32) -> Option<Region> {
    tile_of(operands.get(operand)?, *elements(operands, element)?.get(operand)?)
}

/// The values of a and b.
pub(super) fn values(operands: &[TensorSpec], regions: &[&[u8]], element: u32) -> Option<[i32; 2]> {
    let ([a_spec, b_spec], [a, b]) = (operands, regions) else {
        return None;
    };
    let [a_element, b_element] = elements(operands, element)?;
    Some([read_in_tile(a_spec, a, a_element)?, read_in_tile(b_spec, b, b_element)?])
}
