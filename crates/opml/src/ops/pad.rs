//! `Pad`: a tensor inside a larger one of a constant.

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics,
    index::{Origin, element_at, indices},
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, MAX_RANK, TensorSpec},
};

/// `y[i, j, ..] = x[i - before[0], j - before[1], ..]`, and `value` where that lies outside x.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 or int32 | any |
/// | y | type and quantisation of x | rank of x; x lies inside |
///
/// Attributes: [`PadAttributes`]. What comes after x follows from the shape of y. Nothing is computed.
///
/// Source: ONNX Pad, mode constant.
pub struct Pad;

/// The attributes of [`Pad`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PadAttributes {
    /// How many elements come before x in each dimension; 0 beyond the rank.
    pub before: [u32; MAX_RANK],
    /// A value of the element type.
    pub value: i32,
}

impl PadAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        self.before
            .iter()
            .fold(AttributeWriter::new(), |writer, before| {
                writer.put(&before.to_le_bytes())
            })
            .i32(self.value)
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            before: [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?],
            value: reader.i32()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

impl Pad {
    pub const NUMBER: u8 = 19;

    fn origin(node: &NodeRecord, operands: &[TensorSpec], element: u32) -> Option<Origin> {
        let attributes = PadAttributes::decode(node).ok()?;
        let places = indices(node.output.shape(), element)?
            .into_iter()
            .zip(attributes.before)
            .map(|(index, before)| i64::from(index) - i64::from(before));
        Some(match element_at(operands.first()?.shape(), places) {
            Some(element) => Origin::Element { operand: 0, element },
            None => Origin::Fill(attributes.value),
        })
    }
}

impl Operator for Pad {
    fn name(&self) -> &'static str {
        "Pad"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x] = operands else {
            return Err(NodeError::OperandCount);
        };
        let attributes = PadAttributes::decode(node)?;
        let rank = x.shape().len();
        let beyond_rank = attributes.before.iter().skip(rank).any(|before| *before != 0);
        let of_type = x.element() == ElementType::Int32 || i8::try_from(attributes.value).is_ok();
        if beyond_rank || !of_type {
            return Err(NodeError::Attribute);
        }
        let output = node.output;
        if output.element() != x.element() || output.shape().len() != rank {
            return Err(NodeError::OutputSpec);
        }
        for ((x, y), before) in x.shape().iter().zip(output.shape()).zip(attributes.before) {
            if u64::from(before) + u64::from(*x) > u64::from(*y) {
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
