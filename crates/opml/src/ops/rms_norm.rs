//! `RMSNorm`: each row with mean square 1, then scaled by channel.

use super::{AttributeReader, AttributeWriter, Operator, Region, RowStatistics, normalization, read_in_tile};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// `y_i = sat8(z_y + round(q_i * gamma_i / 2^shift))`, where `q_i` is `(x_i - z_x) / sqrt(mean((x - z_x)^2) + epsilon / 2^16)` with 20 fraction bits.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8, zero point `z_x` | [.., k], k at most 32,768 |
/// | gamma | int32, `shift - 20` fraction bits, in units of the scale of y | [k] |
/// | y | int8, zero point `z_y` | [.., k] |
///
/// Attributes: [`RmsNormAttributes`].
///
/// - *Statistics*: `S2 = Σ (x - z_x)^2` is exact in 32 bits: 255^2 * 32,768 < 2^31.
/// - *Division* as in [`super::LayerNorm`], with `d_i = k * (x_i - z_x)` and `W = k * S2 * 2^16 + k^2 * epsilon < 2^63`: `|q_i| < 2^28`.
/// - *Scaling*: exact in 64 bits, below 2^59; rounded once, ties towards positive infinity; the zero point is added in 64 bits, then the value saturates to
///   int8.
///
/// Source: ONNX RMSNormalization, axis -1 (Zhang and Sennrich 2019).
pub struct RmsNorm;

/// The attributes of [`RmsNorm`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RmsNormAttributes {
    pub x_zero_point: i8,
    pub y_zero_point: i8,
    /// 1 to 62.
    pub shift: i8,
    /// The real epsilon divided by the square of the scale of x, with 16 fraction bits.
    pub epsilon: u32,
}

impl RmsNormAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        AttributeWriter::new()
            .i8s(&[self.x_zero_point, self.y_zero_point, self.shift])
            .put(&self.epsilon.to_le_bytes())
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            x_zero_point: reader.i8()?,
            y_zero_point: reader.i8()?,
            shift: reader.shift()?,
            epsilon: reader.u32()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

impl RmsNorm {
    pub const NUMBER: u8 = 13;
}

impl Operator for RmsNorm {
    fn name(&self) -> &'static str {
        "RMSNorm"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        normalization::check(node, operands, 1)?;
        RmsNormAttributes::decode(node).map(|_| ())
    }

    fn region(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        normalization::region(node, operands, operand, element)
    }

    fn row_statistics(
        &self,
        node: &NodeRecord,
        _operands: &[TensorSpec],
        regions: &[&[u8]],
        _element: u32,
    ) -> Option<RowStatistics> {
        let x = regions.first()?;
        let k = node.output.cols();
        let attributes = RmsNormAttributes::decode(node).ok()?;
        let zero_point = i32::from(attributes.x_zero_point);
        let mut squares = 0i32;
        for byte in *x {
            let x = i32::from(*byte as i8).wrapping_sub(zero_point);
            squares = squares.wrapping_add(x.wrapping_mul(x));
        }
        let spread = u64::from(k) * u64::try_from(squares).ok()?;
        let center = i64::from(k) * i64::from(zero_point);
        Some(normalization::statistics(k, center, spread, attributes.epsilon))
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        statistics: &RowStatistics,
    ) -> Option<i32> {
        let ([_, gamma_spec], [x, gamma]) = (operands, regions) else {
            return None;
        };
        let k = node.output.cols();
        let column = element.checked_rem(k)?;
        let attributes = RmsNormAttributes::decode(node).ok()?;
        Some(normalization::finish(
            k,
            ElementType::Int8.read(x, column as usize)?,
            statistics,
            read_in_tile(gamma_spec, gamma, column)?,
            0,
            attributes.shift,
            attributes.y_zero_point,
        ))
    }
}
