//! `ReduceMean`: the mean of each row.

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics, multiply_by_quantized_multiplier, reduction,
    saturate_to_int8,
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// `y[.., 0] = sat8(z_y + round(Σ_i (x[.., i] - z_x) * multiplier / 2^shift))`
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8, zero point `z_x` | [.., k], k at most 32,768 |
/// | y | int8, zero point `z_y` | [.., 1] |
///
/// Attributes: [`ReduceMeanAttributes`]. The multiplier includes `1 / k`; without it this is a sum.
///
/// The sum is exact in 32 bits: 255 * 32,768 < 2^23. It is scaled by [`multiply_by_quantized_multiplier`], which rounds once, ties towards positive infinity. The
/// zero point is added in 64 bits, then the value saturates to int8.
///
/// Source: TensorFlow Lite MEAN int8 over the last axis, with single rounding.
pub struct ReduceMean;

/// The attributes of [`ReduceMean`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReduceMeanAttributes {
    pub x_zero_point: i8,
    pub y_zero_point: i8,
    /// 1 to 62.
    pub shift: i8,
    pub multiplier: i32,
}

impl ReduceMeanAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        AttributeWriter::new()
            .i8s(&[self.x_zero_point, self.y_zero_point, self.shift])
            .i32(self.multiplier)
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            x_zero_point: reader.i8()?,
            y_zero_point: reader.i8()?,
            shift: reader.shift()?,
            multiplier: reader.i32()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

impl ReduceMean {
    pub const NUMBER: u8 = 20;
}

impl Operator for ReduceMean {
    fn name(&self) -> &'static str {
        "ReduceMean"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        reduction::check(node, operands, ElementType::Int8)?;
        ReduceMeanAttributes::decode(node).map(|_| ())
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
        node: &NodeRecord,
        _operands: &[TensorSpec],
        regions: &[&[u8]],
        _element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let [x] = regions else { return None };
        let attributes = ReduceMeanAttributes::decode(node).ok()?;
        let zero_point = i32::from(attributes.x_zero_point);
        let sum = x.iter().fold(0i32, |sum, byte| {
            sum.wrapping_add(i32::from(*byte as i8).wrapping_sub(zero_point))
        });
        let scaled = multiply_by_quantized_multiplier(sum, attributes.multiplier, attributes.shift.into());
        Some(saturate_to_int8(scaled + i64::from(attributes.y_zero_point)))
    }
}
