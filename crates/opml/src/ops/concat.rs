//! `Concat`: two tensors one after the other.

use super::{
    AttributeReader, Operator, Region, RowStatistics,
    index::{Origin, element_at, indices},
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::TensorSpec,
};

const A: usize = 0;
const B: usize = 1;

/// a, then b along `axis`.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | a | int8 or int32 | any |
/// | b | type and quantisation of a | that of a, but for dimension `axis` |
/// | y | type and quantisation of a | that of a, with the sum of both along `axis` |
///
/// Attributes: `axis` u8, below the rank. Nothing is computed; the witness holds the tile of one operand and nothing of the other.
///
/// Source: ONNX Concat with two inputs.
pub struct Concat;

impl Concat {
    pub const NUMBER: u8 = 18;

    /// The attribute bytes.
    pub fn attributes(axis: u8) -> [u8; ATTRIBUTE_BYTES] {
        super::AttributeWriter::new().put(&[axis]).finish()
    }

    /// The dimension along which the tensors follow each other.
    pub fn axis(node: &NodeRecord) -> Result<usize, NodeError> {
        let mut reader = AttributeReader::new(node);
        let axis = reader.u8()?;
        reader.finish()?;
        Ok(usize::from(axis))
    }

    fn origin(node: &NodeRecord, operands: &[TensorSpec], element: u32) -> Option<Origin> {
        let [a, b] = operands else { return None };
        let axis = Self::axis(node).ok()?;
        let mut place = indices(node.output.shape(), element)?.map(i64::from);
        let along = place.get_mut(axis)?;
        let end_of_a = i64::from(*a.shape().get(axis)?);
        let (operand, spec) = if *along < end_of_a { (A, a) } else { (B, b) };
        if operand == B {
            *along -= end_of_a;
        }
        let element = element_at(spec.shape(), place)?;
        Some(Origin::Element { operand, element })
    }
}

impl Operator for Concat {
    fn name(&self) -> &'static str {
        "Concat"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [a, b] = operands else {
            return Err(NodeError::OperandCount);
        };
        let axis = Self::axis(node)?;
        if axis >= a.shape().len() {
            return Err(NodeError::Attribute);
        }
        let equal_but_axis = |x: &TensorSpec, y: &TensorSpec| {
            x.element() == y.element()
                && x.shape().len() == y.shape().len()
                && x.shape()
                    .iter()
                    .zip(y.shape())
                    .enumerate()
                    .all(|(i, (x, y))| i == axis || x == y)
        };
        if !equal_but_axis(a, b) {
            return Err(NodeError::Operand { operand: B as u8 });
        }
        let along = |spec: &TensorSpec| spec.shape().get(axis).copied().map_or(0, u64::from);
        if !equal_but_axis(a, &node.output) || along(a) + along(b) != along(&node.output) {
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
