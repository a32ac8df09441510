//! `Gather`: the rows of a table that indices name.

use super::{Operator, Region, RowStatistics, check_element, check_unused_attributes, read_in_tile, tile_of};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

const INDICES: usize = 0;
const TABLE: usize = 1;

/// `y[.., j] = table[min(max(indices[..], 0), v - 1), j]`: an embedding.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | indices | int32 | [..], rank 1 to 3 |
/// | table | int8 or int32 | [v, d] |
/// | y | type and quantisation of the table | [.., d] |
///
/// No attributes. An index outside the table is taken as the nearer bound, so that every input has a result. Nothing rounds, saturates or overflows.
///
/// Source: ONNX Gather, axis 0; TensorFlow GATHER on a device that clamps.
pub struct Gather;

impl Gather {
    pub const NUMBER: u8 = 10;

    /// The element of the table that output element `element` is, given the tile of its index.
    fn source(operands: &[TensorSpec], element: u32, indices_tile: &[u8]) -> Option<u32> {
        let [indices, table] = operands else { return None };
        let (d, v) = (table.cols(), table.rows());
        let index = read_in_tile(indices, indices_tile, element.checked_div(d)?)?;
        let row = u32::try_from(index).unwrap_or(0).min(v.checked_sub(1)?);
        Some(row * d + element.checked_rem(d)?)
    }
}

impl Operator for Gather {
    fn name(&self) -> &'static str {
        "Gather"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [indices, table] = operands else {
            return Err(NodeError::OperandCount);
        };
        check_unused_attributes(node, 0)?;
        check_element(operands, INDICES, ElementType::Int32)?;
        let [_, d] = *table.shape() else {
            return Err(NodeError::Operand { operand: TABLE as u8 });
        };
        let output = node.output;
        if output.element() != table.element() || output.outer_shape() != indices.shape() || output.cols() != d {
            return Err(NodeError::OutputSpec);
        }
        Ok(())
    }

    fn region(
        &self,
        _node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        proven: &[&[u8]],
    ) -> Option<Region> {
        let [indices, table] = operands else { return None };
        match operand {
            INDICES => tile_of(indices, element.checked_div(table.cols())?),
            TABLE => tile_of(table, Self::source(operands, element, proven.first()?)?),
            _ => None,
        }
    }

    fn element(
        &self,
        _node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let ([_, table_spec], [indices, table]) = (operands, regions) else {
            return None;
        };
        read_in_tile(table_spec, table, Self::source(operands, element, indices)?)
    }
}
