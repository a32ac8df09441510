//! `Slice`: a box cut out of a tensor.

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics,
    index::{Origin, element_at, indices},
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{MAX_RANK, TensorSpec},
};

/// `y[i, j, ..] = x[starts[0] + i, starts[1] + j, ..]`
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 or int32 | any |
/// | y | type and quantisation of x | rank of x; the box lies inside x |
///
/// Attributes: `starts`, a u32 for each dimension. Where the box ends follows from the shape of y. Nothing is computed.
///
/// Source: ONNX Slice with steps of 1.
pub struct Slice;

impl Slice {
    pub const NUMBER: u8 = 17;

    /// The attribute bytes. At most four dimensions.
    pub fn attributes(starts: &[u32]) -> [u8; ATTRIBUTE_BYTES] {
        starts
            .iter()
            .fold(AttributeWriter::new(), |writer, start| writer.put(&start.to_le_bytes()))
            .finish()
    }

    /// Where the box starts in each dimension; 0 beyond the rank.
    pub fn starts(node: &NodeRecord, rank: usize) -> Result<[u32; MAX_RANK], NodeError> {
        let mut reader = AttributeReader::new(node);
        let mut starts = [0; MAX_RANK];
        for start in starts.iter_mut().take(rank) {
            *start = reader.u32()?;
        }
        reader.finish()?;
        Ok(starts)
    }

    fn origin(node: &NodeRecord, operands: &[TensorSpec], element: u32) -> Option<Origin> {
        let x_shape = operands.first()?.shape();
        let starts = Self::starts(node, x_shape.len()).ok()?;
        let places = indices(node.output.shape(), element)?
            .into_iter()
            .zip(starts)
            .map(|(index, start)| i64::from(index) + i64::from(start));
        let element = element_at(x_shape, places)?;
        Some(Origin::Element { operand: 0, element })
    }
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        "Slice"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x] = operands else {
            return Err(NodeError::OperandCount);
        };
        let starts = Self::starts(node, x.shape().len())?;
        let output = node.output;
        if output.element() != x.element() || output.shape().len() != x.shape().len() {
            return Err(NodeError::OutputSpec);
        }
        let dimensions = x.shape().iter().zip(output.shape()).zip(starts);
        for ((x, y), start) in dimensions {
            if u64::from(start) + u64::from(*y) > u64::from(*x) {
                return Err(NodeError::OutputSpec);
            }
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
