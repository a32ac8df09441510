//! `MatMul`: the product of two activations.

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics, check_element, check_reduction, dot,
    multiply_by_quantized_multiplier, saturate_to_int8,
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

const A: usize = 0;
const B: usize = 1;

/// `y[.., i, j] = sat8(z_y + round(Σ_l (a[.., i, l] - z_a) * (b[.., j, l] - z_b) * multiplier / 2^shift))`
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | a | int8, zero point `z_a` | [.., h, m, k], rank 2 to 4, k at most 32,768 |
/// | b | int8, zero point `z_b` | [.., h / r, n, k], transposed already, rank of a |
/// | y | int8, zero point `z_y` | [.., h, m, n] |
///
/// Attributes: [`MatMulAttributes`]. The product is A x B-transposed, so that both factors are rows. The dimensions before the last two are equal, but that
/// the last of them may be a divisor of a's in b: head `t` of a then meets head `t / r` of b (grouped-query attention).
///
/// - *Accumulation* is exact in 32 bits, in any order: 255 * 255 * 32,768 = 2,130,739,200 < 2^31.
/// - *Scaling* rounds once, ties towards positive infinity: [`multiply_by_quantized_multiplier`].
/// - *The zero point* is added in 64 bits, then the value saturates to int8.
///
/// Source: TensorFlow Lite BATCH_MATMUL int8 with `adj_y`, with single rounding; ONNX QLinearMatMul.
pub struct MatMul;

/// The attributes of [`MatMul`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatMulAttributes {
    pub a_zero_point: i8,
    pub b_zero_point: i8,
    pub y_zero_point: i8,
    /// 1 to 62.
    pub shift: i8,
    pub multiplier: i32,
}

impl MatMulAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        AttributeWriter::new()
            .i8s(&[self.a_zero_point, self.b_zero_point, self.y_zero_point, self.shift])
            .i32(self.multiplier)
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            a_zero_point: reader.i8()?,
            b_zero_point: reader.i8()?,
            y_zero_point: reader.i8()?,
            shift: reader.shift()?,
            multiplier: reader.i32()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

impl MatMul {
    pub const NUMBER: u8 = 5;

    /// The rows of a and b that output element `element` is made of.
    pub fn rows(a: &TensorSpec, b: &TensorSpec, element: u32) -> Option<(u32, u32)> {
        let ([.., m, _], [.., n, _]) = (a.shape(), b.shape()) else {
            return None;
        };
        let (a_row, column) = (element.checked_div(*n)?, element.checked_rem(*n)?);
        let (a_matrices, b_matrices) = (a.rows().checked_div(*m)?, b.rows().checked_div(*n)?);
        let heads_per_group = a_matrices.checked_div(b_matrices)?;
        let b_matrix = a_row.checked_div(*m)?.checked_div(heads_per_group)?;
        Some((a_row, b_matrix * n + column))
    }
}

impl Operator for MatMul {
    fn name(&self) -> &'static str {
        "MatMul"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [a, b] = operands else {
            return Err(NodeError::OperandCount);
        };
        MatMulAttributes::decode(node)?;
        check_element(operands, A, ElementType::Int8)?;
        check_element(operands, B, ElementType::Int8)?;
        let [a_leading @ .., m, k] = a.shape() else {
            return Err(NodeError::Operand { operand: A as u8 });
        };
        check_reduction(*k)?;
        let wrong_b = NodeError::Operand { operand: B as u8 };
        let [b_leading @ .., n, b_k] = b.shape() else {
            return Err(wrong_b);
        };
        let leading_fit = match (a_leading, b_leading) {
            ([], []) => true,
            ([a_outer @ .., h], [b_outer @ .., b_h]) => a_outer == b_outer && h.is_multiple_of(*b_h),
            _ => false,
        };
        if k != b_k || !leading_fit {
            return Err(wrong_b);
        }
        let output = node.output;
        match output.shape() {
            [leading @ .., rows, cols]
                if output.element() == ElementType::Int8 && leading == a_leading && rows == m && cols == n =>
            {
                Ok(())
            }
            _ => Err(NodeError::OutputSpec),
        }
    }

    fn region(
        &self,
        _node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        let [a, b] = operands else { return None };
        let (a_row, b_row) = Self::rows(a, b, element)?;
        match operand {
            A => Some(Region::Row(a_row)),
            B => Some(Region::Row(b_row)),
            _ => None,
        }
    }

    fn element(
        &self,
        node: &NodeRecord,
        _operands: &[TensorSpec],
        regions: &[&[u8]],
        _element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let [a, b] = regions else { return None };
        let attributes = MatMulAttributes::decode(node).ok()?;
        let sum = dot(a, attributes.a_zero_point.into(), b, attributes.b_zero_point.into());
        let scaled = multiply_by_quantized_multiplier(sum, attributes.multiplier, attributes.shift.into());
        Some(saturate_to_int8(scaled + i64::from(attributes.y_zero_point)))
    }
}
