//! `Transpose`: the dimensions in another order.

use super::{
    AttributeReader, Operator, Region, RowStatistics,
    index::{Origin, element_at, indices},
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{MAX_RANK, TensorSpec},
};

/// Dimension `i` of y is dimension `permutation[i]` of x.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 or int32 | any |
/// | y | type and quantisation of x | that of x, permuted |
///
/// Attributes: `permutation`, a byte for each dimension, each below the rank once. Nothing is computed.
///
/// Source: ONNX Transpose.
pub struct Transpose;

impl Transpose {
    pub const NUMBER: u8 = 15;

    /// The attribute bytes. At most four dimensions.
    pub fn attributes(permutation: &[u8]) -> [u8; ATTRIBUTE_BYTES] {
        super::AttributeWriter::new().put(permutation).finish()
    }

    /// For each dimension of y the one of x. Refuses what is no permutation of `rank` dimensions.
    pub fn permutation(node: &NodeRecord, rank: usize) -> Result<[u8; MAX_RANK], NodeError> {
        let mut reader = AttributeReader::new(node);
        let mut permutation = [0; MAX_RANK];
        let mut seen = [false; MAX_RANK];
        for dimension in permutation.iter_mut().take(rank) {
            *dimension = reader.u8()?;
            let seen = seen
                .iter_mut()
                .take(rank)
                .nth(usize::from(*dimension))
                .ok_or(NodeError::Attribute)?;
            if core::mem::replace(seen, true) {
                return Err(NodeError::Attribute);
            }
        }
        reader.finish()?;
        Ok(permutation)
    }

    fn origin(node: &NodeRecord, operands: &[TensorSpec], element: u32) -> Option<Origin> {
        let x_shape = operands.first()?.shape();
        let permutation = Self::permutation(node, x_shape.len()).ok()?;
        let y_indices = indices(node.output.shape(), element)?;
        let mut x_indices = [0; MAX_RANK];
        for (dimension, index) in permutation.iter().zip(y_indices).take(x_shape.len()) {
            *x_indices.get_mut(usize::from(*dimension))? = i64::from(index);
        }
        let element = element_at(x_shape, x_indices)?;
        Some(Origin::Element { operand: 0, element })
    }
}

impl Operator for Transpose {
    fn name(&self) -> &'static str {
        "Transpose"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x] = operands else {
            return Err(NodeError::OperandCount);
        };
        let permutation = Self::permutation(node, x.shape().len())?;
        let output = node.output;
        let permuted = permutation
            .iter()
            .take(x.shape().len())
            .map(|dimension| x.shape().get(usize::from(*dimension)));
        if output.element() != x.element() || !permuted.eq(output.shape().iter().map(Some)) {
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
