//! `Add`: the sum or difference of two tensors of different scales.

use super::{AttributeReader, AttributeWriter, Operator, Region, RowStatistics, broadcast, rounding_shift};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::TensorSpec,
};

/// `y = clamp(z_y + round(((a - z_a) * multiplier_a + (b - z_b) * multiplier_b) / 2^shift), low, high)`, element `e` of a with element
/// `e mod elements(b)` of b.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | a | int8, zero point `z_a` | any |
/// | b | int8, zero point `z_b` | that of the last dimensions of a, or [1] |
/// | y | int8, zero point `z_y` | that of a |
///
/// Attributes: [`AddAttributes`]. A multiplier is any int32; subtraction is a negative one. A fused ReLU is `low = z_y`.
///
/// - *Rounding* is once, ties towards positive infinity: [`rounding_shift`]. Each product is at most 255 * 2^31 in magnitude, so that their sum is exact in
///   64 bits and below 2^40.
/// - *The zero point* is added in 64 bits, then the value is clamped, which is the saturation to int8.
///
/// Source: TensorFlow Lite ADD and SUB int8, but with one rounding instead of three.
pub struct Add;

/// The attributes of [`Add`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddAttributes {
    pub a_zero_point: i8,
    pub b_zero_point: i8,
    pub y_zero_point: i8,
    pub low: i8,
    /// Not below `low`.
    pub high: i8,
    /// 1 to 62.
    pub shift: i8,
    pub a_multiplier: i32,
    pub b_multiplier: i32,
}

impl AddAttributes {
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
            .i32(self.a_multiplier)
            .i32(self.b_multiplier)
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
            a_multiplier: reader.i32()?,
            b_multiplier: reader.i32()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

impl Add {
    pub const NUMBER: u8 = 8;
}

impl Operator for Add {
    fn name(&self) -> &'static str {
        "Add"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        broadcast::check(node, operands)?;
        AddAttributes::decode(node).map(|_| ())
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
        let attributes = AddAttributes::decode(node).ok()?;
        let a = i64::from(a - i32::from(attributes.a_zero_point)) * i64::from(attributes.a_multiplier);
        let b = i64::from(b - i32::from(attributes.b_zero_point)) * i64::from(attributes.b_multiplier);
        let y = rounding_shift(a + b, attributes.shift.into()) + i64::from(attributes.y_zero_point);
        Some(y.max(attributes.low.into()).min(attributes.high.into()) as i32)
    }
}
