//! `RotaryEmbedding`: turns pairs of channels by an angle that depends on the position.

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics, check_element, check_operand, check_reduction,
    read_in_tile, rounding_shift, saturate_to_int8, tile_of,
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

const X: usize = 0;
const POSITIONS: usize = 1;
const COS: usize = 2;
const SIN: usize = 3;

/// `u' = sat8(z_y + round((u * c - v * s) / 2^shift))`, `v' = sat8(z_y + round((v * c + u * s) / 2^shift))` for each pair `(u, v)` of a row, less
/// `z_x`: elements `(j, j + d/2)`, or `(2j, 2j + 1)` when `interleaved`. `c = cos[p, j]`, `s = sin[p, j]`, and `p` is the position of the row, that is
/// `positions[i]` with `i` its index in the second last dimension.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8, zero point `z_x` | [.., s, d], rank 2 to 4, d even, at most 32,768 |
/// | positions | int32 | [s] |
/// | cos | int32, `shift` fraction bits | [p, d / 2] |
/// | sin | int32, likewise | [p, d / 2] |
/// | y | int8, zero point `z_y` | [.., s, d] |
///
/// Attributes: [`RotaryEmbeddingAttributes`]. A position outside the tables is taken as the nearer bound. A change of scale is multiplied into the tables.
///
/// Exact in 64 bits: each product is at most 255 * 2^31 in magnitude. It rounds once, ties towards positive infinity; the zero point is added in 64 bits, then
/// the value saturates to int8.
///
/// Source: ONNX RotaryEmbedding (`interleaved`, position ids, caches); Su et al. 2021.
pub struct RotaryEmbedding;

/// The attributes of [`RotaryEmbedding`], in the order of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotaryEmbeddingAttributes {
    pub x_zero_point: i8,
    pub y_zero_point: i8,
    /// 1 to 62.
    pub shift: i8,
    /// Whether a pair is two neighbours rather than an element of each half.
    pub interleaved: bool,
}

impl RotaryEmbeddingAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        AttributeWriter::new()
            .i8s(&[self.x_zero_point, self.y_zero_point, self.shift])
            .put(&[self.interleaved.into()])
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            x_zero_point: reader.i8()?,
            y_zero_point: reader.i8()?,
            shift: reader.shift()?,
            interleaved: reader.flag()?,
        };
        reader.finish()?;
        Ok(attributes)
    }
}

/// Where the pair of an element is in its row.
struct Pair {
    /// Its number, the column of the tables.
    number: u32,
    /// The columns of its two elements.
    columns: [u32; 2],
    second: bool,
}

impl Pair {
    fn of(column: u32, d: u32, interleaved: bool) -> Self {
        let half = d / 2;
        if interleaved {
            let number = column / 2;
            Self {
                number,
                columns: [2 * number, 2 * number + 1],
                second: column % 2 == 1,
            }
        } else {
            let second = column >= half;
            let number = if second { column - half } else { column };
            Self {
                number,
                columns: [number, number + half],
                second,
            }
        }
    }
}

impl RotaryEmbedding {
    pub const NUMBER: u8 = 14;

    /// The element of `positions` for the row of output element `element`.
    fn position_element(x: &TensorSpec, element: u32) -> Option<u32> {
        let [.., s, d] = x.shape() else { return None };
        element.checked_div(*d)?.checked_rem(*s)
    }

    /// The element of the tables for output element `element`, given the tile of its position.
    fn table_element(node: &NodeRecord, operands: &[TensorSpec], element: u32, positions_tile: &[u8]) -> Option<u32> {
        let [x, positions, cos, _] = operands else { return None };
        let position = read_in_tile(positions, positions_tile, Self::position_element(x, element)?)?;
        let position = u32::try_from(position).unwrap_or(0).min(cos.rows().checked_sub(1)?);
        let interleaved = RotaryEmbeddingAttributes::decode(node).ok()?.interleaved;
        let pair = Pair::of(element.checked_rem(x.cols())?, x.cols(), interleaved);
        Some(position * cos.cols() + pair.number)
    }
}

impl Operator for RotaryEmbedding {
    fn name(&self) -> &'static str {
        "RotaryEmbedding"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let [x, _, cos, _] = operands else {
            return Err(NodeError::OperandCount);
        };
        RotaryEmbeddingAttributes::decode(node)?;
        check_element(operands, X, ElementType::Int8)?;
        check_reduction(x.cols())?;
        let [.., s, d] = *x.shape() else {
            return Err(NodeError::Operand { operand: X as u8 });
        };
        if d % 2 != 0 {
            return Err(NodeError::Operand { operand: X as u8 });
        }
        check_operand(operands, POSITIONS, ElementType::Int32, &[s])?;
        let [p, _] = *cos.shape() else {
            return Err(NodeError::Operand { operand: COS as u8 });
        };
        check_operand(operands, COS, ElementType::Int32, &[p, d / 2])?;
        check_operand(operands, SIN, ElementType::Int32, &[p, d / 2])?;
        if node.output != *x {
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
        proven: &[&[u8]],
    ) -> Option<Region> {
        let x = operands.first()?;
        match operand {
            X => Some(Region::Row(element.checked_div(x.cols())?)),
            POSITIONS => tile_of(operands.get(POSITIONS)?, Self::position_element(x, element)?),
            _ => tile_of(
                operands.get(operand)?,
                Self::table_element(node, operands, element, proven.get(POSITIONS)?)?,
            ),
        }
    }

    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        _statistics: &RowStatistics,
    ) -> Option<i32> {
        let ([x_spec, _, cos_spec, sin_spec], [x, positions, cos, sin]) = (operands, regions) else {
            return None;
        };
        let attributes = RotaryEmbeddingAttributes::decode(node).ok()?;
        let table_element = Self::table_element(node, operands, element, positions)?;
        let cos = i64::from(read_in_tile(cos_spec, cos, table_element)?);
        let sin = i64::from(read_in_tile(sin_spec, sin, table_element)?);
        let d = x_spec.cols();
        let pair = Pair::of(element.checked_rem(d)?, d, attributes.interleaved);
        let [first, second] = pair.columns;
        let value = |column: u32| {
            let x = ElementType::Int8.read(x, column as usize)?;
            Some(i64::from(x) - i64::from(attributes.x_zero_point))
        };
        let (u, v) = (value(first)?, value(second)?);
        let turned = if pair.second {
            v * cos + u * sin
        } else {
            u * cos - v * sin
        };
        let y = rounding_shift(turned, attributes.shift.into()) + i64::from(attributes.y_zero_point);
        Some(saturate_to_int8(y))
    }
}
