//! `LayerNorm`: each row with mean 0 and variance 1, then scaled by channel.

use super::{AttributeReader, AttributeWriter, Operator, Region, RowStatistics, normalization, read_in_tile};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

/// `y_i = sat8(z_y + round((q_i * gamma_i + beta_i * 2^20) / 2^shift))`, where `q_i` is `(x_i - mean) / sqrt(variance + epsilon / 2^16)` with 20
/// fraction bits.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8, any zero point | [.., k], k at most 32,768 |
/// | gamma | int32, `shift - 20` fraction bits, in units of the scale of y | [k] |
/// | beta | int32, likewise | [k] |
/// | y | int8, zero point `z_y` | [.., k] |
///
/// Attributes: [`LayerNormAttributes`].
///
/// - *Statistics*: `S1 = Σ x` and `S2 = Σ x^2` are exact; the variance times k^2 is `k * S2 - S1^2 <= 2^44`, never negative.
/// - *Division*: `d_i = k * x_i - S1`, `W = (k * S2 - S1^2) * 2^16 + k^2 * epsilon`, `t` half of W's leading zeros as 64 bits, floored,
///   `R = floor(sqrt(W * 4^t))`, `q_i = floor((d_i * 2^(28 + t) + floor(R / 2)) / R)`, 0 when W is 0. Bounds are in `normalization.rs`: `|q_i| < 2^28`.
/// - *Scaling*: exact in 64 bits, below 2^60; rounded once, ties towards positive infinity; the zero point is added in 64 bits, then the value saturates to
///   int8.
///
/// Source: ONNX LayerNormalization, axis -1; integer-only after I-BERT (Kim et al. 2021), with a root that is exact.
pub struct LayerNorm;

/// The attributes of [`LayerNorm`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNormAttributes {
    pub y_zero_point: i8,
    /// 1 to 62.
    pub shift: i8,
    /// The real epsilon divided by the square of the scale of x, with 16 fraction bits.
    pub epsilon: u32,
}

impl LayerNormAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        AttributeWriter::new()
            .i8s(&[self.y_zero_point, self.shift])
            .put(&self.epsilon.to_le_bytes())
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            y_zero_point: reader.i8()?,
            shift: reader.shift()?,
            epsilon: reader.u32()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

impl LayerNorm {
    pub const NUMBER: u8 = 12;
}

impl Operator for LayerNorm {
    fn name(&self) -> &'static str {
        "LayerNorm"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        normalization::check(node, operands, 2)?;
        LayerNormAttributes::decode(node).map(|_| ())
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
        let (mut sum, mut squares) = (0i32, 0i32);
        for byte in *x {
            let x = i32::from(*byte as i8);
            // At most 2^22 and 2^29.
            sum = sum.wrapping_add(x);
            squares = squares.wrapping_add(x.wrapping_mul(x));
        }
        let (sum, squares) = (i64::from(sum), i64::from(squares));
        let spread = u64::try_from(i64::from(k) * squares - sum * sum).ok()?;
        let epsilon = LayerNormAttributes::decode(node).ok()?.epsilon;
        Some(normalization::statistics(k, sum, spread, epsilon))
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        statistics: &RowStatistics,
    ) -> Option<i32> {
        let ([_, gamma_spec, beta_spec], [x, gamma, beta]) = (operands, regions) else {
            return None;
        };
        let k = node.output.cols();
        let column = element.checked_rem(k)?;
        let attributes = LayerNormAttributes::decode(node).ok()?;
        Some(normalization::finish(
            k,
            ElementType::Int8.read(x, column as usize)?,
            statistics,
            read_in_tile(gamma_spec, gamma, column)?,
            read_in_tile(beta_spec, beta, column)?,
            attributes.shift,
            attributes.y_zero_point,
        ))
    }
}
