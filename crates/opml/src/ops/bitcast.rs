//! `Bitcast`: int8 as the bytes of int32, and back.

use super::{Operator, Region, RowStatistics, check_unused_attributes, read_in_tile, tile_of};
use crate::{
    model::{NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// Bytes of an int32.
const BYTES: u32 = 4;

/// Four int8 are the bytes, least significant first, of one int32.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8, or int32 | [.., 4k], or [.., k] |
/// | y | int32, or int8 | [.., k], or [.., 4k] |
///
/// No attributes. Nothing is converted. So token ids and lengths travel in the same int8 tensor as activations. A tile is a multiple of four bytes and starts
/// with its row, so that an int32 is never in two tiles.
///
/// Source: XLA BitcastConvertType, but for the dimension of 4, which is part of the last one here.
pub struct Bitcast;

impl Bitcast {
    pub const NUMBER: u8 = 22;

    /// The first element of x that output element `element` is made of.
    fn source(node: &NodeRecord, element: u32) -> Option<u32> {
        match node.output.element() {
            ElementType::Int32 => element.checked_mul(BYTES),
            ElementType::Int8 => Some(element / BYTES),
        }
    }
}

impl Operator for Bitcast {
    fn name(&self) -> &'static str {
        "Bitcast"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x] = operands else {
            return Err(NodeError::OperandCount);
        };
        check_unused_attributes(node, 0)?;
        let output = node.output;
        if output.element() == x.element()
            || output.outer_shape() != x.outer_shape()
            || output.row_bytes() != x.row_bytes()
        {
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
        tile_of(operands.get(operand)?, Self::source(node, element)?)
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let ([x_spec], [x]) = (operands, regions) else {
            return None;
        };
        let source = Self::source(node, element)?;
        match node.output.element() {
            ElementType::Int32 => {
                let (_, offset) = x_spec.leaf_of_element(source)?;
                ElementType::Int32.read(x, offset as usize)
            }
            ElementType::Int8 => {
                let bytes = read_in_tile(x_spec, x, source)?.to_le_bytes();
                bytes.get((element % BYTES) as usize).map(|byte| i32::from(*byte as i8))
            }
        }
    }
}
