//! `Mul`: the product of two tensors, element by element.

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics, broadcast, multiply_by_quantized_multiplier,
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::TensorSpec,
};

/// `y = clamp(z_y + round((a - z_a) * (b - z_b) * multiplier / 2^shift), low, high)`, element `e` of a with element `e mod elements(b)` of b.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | a | int8, zero point `z_a` | any |
/// | b | int8, zero point `z_b` | that of the last dimensions of a, or [1] |
/// | y | int8, zero point `z_y` | that of a |
///
/// Attributes: [`MulAttributes`]. The product is at most 255 * 255 = 65,025 in magnitude; it is scaled by [`multiply_by_quantized_multiplier`], which rounds
/// once, ties towards positive infinity. The zero point is added in 64 bits, then the value is clamped, which is the saturation to int8.
///
/// Source: TensorFlow Lite MUL int8, with single rounding.
pub struct Mul;

/// The attributes of [`Mul`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MulAttributes {
    pub a_zero_point: i8,
    pub b_zero_point: i8,
    pub y_zero_point: i8,
    pub low: i8,
    /// Not below `low`.
    pub high: i8,
    /// 1 to 62.
    pub shift: i8,
    pub multiplier: i32,
}

impl MulAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        AttributeWriter::new()
            .i8s(&[
                self.a_zero_point,
                self.b_zero_point,
                self.y_zero_point,
                self.low,
                self.high,
                self.shift,
            ])
            .i32(self.multiplier)
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let (a_zero_point, b_zero_point, y_zero_point) = (reader.i8()?, reader.i8()?, reader.i8()?);
        let (low, high) = reader.limits()?;
        let attributes = Self {
            a_zero_point,
            b_zero_point,
            y_zero_point,
            low,
            high,
            shift: reader.shift()?,
            multiplier: reader.i32()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

impl Mul {
    pub const NUMBER: u8 = 9;
}

impl Operator for Mul {
    fn name(&self) -> &'static str {
        "Mul"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        broadcast::check(node, operands)?;
        MulAttributes::decode(node).map(|_| ())
    }

    fn region(
        &self,
        _node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        broadcast::region(operands, operand, element)
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let [a, b] = broadcast::values(operands, regions, element)?;
        let attributes = MulAttributes::decode(node).ok()?;
        let product = (a - i32::from(attributes.a_zero_point)) * (b - i32::from(attributes.b_zero_point));
        let scaled = multiply_by_quantized_multiplier(product, attributes.multiplier, attributes.shift.into());
        let y = scaled + i64::from(attributes.y_zero_point);
        Some(y.max(attributes.low.into()).min(attributes.high.into()) as i32)
    }
}
