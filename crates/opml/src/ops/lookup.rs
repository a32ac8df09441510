//! `Lookup`: any function of one int8 value, as a table.

use super::{Operator, Region, RowStatistics, check_elementwise, check_unused_attributes, read_in_tile, tile_of};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// Entries of a table: one for each int8 value.
pub const TABLE_ENTRIES: u32 = 256;

const TABLE: usize = 1;

/// `y = table[x + 128]`, element by element: tanh, GELU, logistic, a requantisation.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 | any |
/// | table | int8; entry i is the result for x = i - 128 | [256] |
/// | y | int8, any quantisation | that of x |
///
/// No attributes. Nothing rounds, saturates or overflows here: the table is bytes under the model root, made once when the model is made, so that no
/// machine ever computes a transcendental function.
///
/// Source: TensorFlow Lite's reference kernels for int8 TANH, LOGISTIC and GELU, which look up 256 entries.
pub struct Lookup;

impl Lookup {
    pub const NUMBER: u8 = 3;
}

impl Operator for Lookup {
    fn name(&self) -> &'static str {
        "Lookup"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x, table] = operands else {
            return Err(NodeError::OperandCount);
        };
        check_unused_attributes(node, 0)?;
        if table.element() != ElementType::Int8 || table.shape() != [TABLE_ENTRIES] {
            return Err(NodeError::Operand { operand: TABLE as u8 });
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
        match operand {
            // 256 entries of one byte are exactly one tile.
            TABLE => Some(Region::Row(0)),
            _ => tile_of(operands.get(operand)?, element),
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
        let ([x, table], [x_spec, table_spec]) = (regions, operands) else {
            return None;
        };
        let entry = read_in_tile(x_spec, x, element)? + 128;
        read_in_tile(table_spec, table, entry as u32)
    }
}
