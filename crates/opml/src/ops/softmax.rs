//! `Softmax`: the weights of attention.

use super::{
    AttributeReader, AttributeWriter, Operator, Region, RowStatistics, TABLE_ENTRIES, check_element, check_operand,
    check_reduction, tile_of,
};
use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

const X: usize = 0;
const EXPONENTIALS: usize = 1;
const LENGTH: usize = 2;

/// What stands for the probability 0.
pub const SOFTMAX_ZERO_POINT: i8 = -128;

/// The largest quantised probability, 255 / 256.
const MAX_PROBABILITY: i64 = 255;

/// Over the elements of a row that are not masked: `M` their maximum, `e_j = max(exponentials[M - x_j], 0)`, `S` the sum of all `e_j`;
/// `y_j = min((512 * e_j + S) div (2 * S), 255) - 128`. A masked element, and every element when `S` is 0, is -128.
///
/// | operand | type | shape |
/// | --- | --- | --- |
/// | x | int8 | [.., k], k at most 32,768 |
/// | exponentials | int32; entry d is `exp(-scale_x * d)` in any fixed point | [256] |
/// | length, may be left out | int32 | [1] |
/// | y | int8, scale 1/256, zero point -128 | [.., k] |
///
/// Attributes: [`SoftmaxAttributes`]. Element `j` of row `i`, its index in the second last dimension (0 for rank 1), is masked when `causal` and `j > i + offset`, or when
/// there is a length and `j >= length`, which may be any int32. What is not masked is therefore the beginning of the row.
///
/// - *The sum* is exact: `e < 2^31` and `k <= 2^15` give `S < 2^46`.
/// - *The quotient* `256 * e / S` rounds half up; `512 * e < 2^40`. It saturates at 255.
///
/// Source: TensorFlow Lite SOFTMAX int8 (output scale 1/256, zero point -128), with a table and division that are exact.
pub struct Softmax;

/// The attributes of [`Softmax`], in the order of their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SoftmaxAttributes {
    pub causal: bool,
    /// How many keys come before the first query. 0 unless `causal`.
    pub offset: i32,
}

impl SoftmaxAttributes {
    pub fn encode(&self) -> [u8; ATTRIBUTE_BYTES] {
        AttributeWriter::new()
            .put(&[self.causal.into()])
            .i32(self.offset)
            .finish()
    }

    pub fn decode(node: &NodeRecord) -> Result<Self, NodeError> {
        let mut reader = AttributeReader::new(node);
        let attributes = Self {
            causal: reader.flag()?,
            offset: reader.i32()?,
        };
        reader.finish()?;
        if !attributes.causal && attributes.offset != 0 {
            return Err(NodeError::Attribute);
        }
        Ok(attributes)
    }

    /// How many elements at the beginning of row `row` of x (all rows counted) are not masked.
    pub fn visible(&self, x: &TensorSpec, row: u32, length: Option<i32>) -> u32 {
        let queries = x.outer_shape().last().copied().unwrap_or(1);
        let causal = if self.causal {
            i64::from(row % queries) + i64::from(self.offset) + 1
        } else {
            i64::MAX
        };
        causal
            .min(length.map_or(i64::MAX, i64::from))
            .clamp(0, i64::from(x.cols())) as u32
    }
}

impl Softmax {
    pub const NUMBER: u8 = 11;
}

/// `max(exponentials[maximum - x], 0)` for `x <= maximum`: the difference of two int8 is a byte.
fn exponential(exponentials: &[[u8; 4]; TABLE_ENTRIES as usize], maximum: i8, x: i8) -> i64 {
    let entry = maximum.wrapping_sub(x) as u8;
    i32::from_le_bytes(exponentials[usize::from(entry)]).max(0).into()
}

/// The operand as a table.
fn table(exponentials: &[u8]) -> Option<&[[u8; 4]; TABLE_ENTRIES as usize]> {
    let (entries, _) = exponentials.as_chunks();
    entries.first_chunk()
}

/// Maximum of the elements and the sum of their exponentials; the row is at most [`super::MAX_REDUCTION`] long. It counts equal elements first, so that each costs
/// the chain a few instructions and no look-up.
fn maximum_and_sum(seen: &[u8], exponentials: &[[u8; 4]; TABLE_ENTRIES as usize]) -> (i8, i64) {
    let mut counts = [0u16; TABLE_ENTRIES as usize];
    for x in seen {
        let count = &mut counts[usize::from(*x)];
        *count = count.wrapping_add(1);
    }
    let mut maximum = None;
    let mut sum = 0;
    for x in (i8::MIN..=i8::MAX).rev() {
        let count = counts[usize::from(x as u8)];
        if count != 0 {
            let maximum = *maximum.get_or_insert(x);
            sum += i64::from(count) * exponential(exponentials, maximum, x);
        }
    }
    (maximum.unwrap_or(i8::MIN), sum)
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        "Softmax"
    }

    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError> {
        let ([x, _] | [x, _, _]) = operands else {
            return Err(NodeError::OperandCount);
        };
        SoftmaxAttributes::decode(node)?;
        check_element(operands, X, ElementType::Int8)?;
        check_reduction(x.cols())?;
        check_operand(operands, EXPONENTIALS, ElementType::Int32, &[TABLE_ENTRIES])?;
        if operands.len() > LENGTH {
            check_operand(operands, LENGTH, ElementType::Int32, &[1])?;
        }
        if node.output != *x {
            return Err(NodeError::OutputSpec);
        }
        Ok(())
    }

    fn region(
        &self,
        _node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        _proven: &[&[u8]],
    ) -> Option<Region> {
        match operand {
            X => Some(Region::Row(element.checked_div(operands.first()?.cols())?)),
            EXPONENTIALS => Some(Region::Row(0)),
            _ => tile_of(operands.get(operand)?, 0),
        }
    }

    /// Maximum, sum of the exponentials, number of elements that are not masked.
    fn row_statistics(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
    ) -> Option<RowStatistics> {
        let (x_spec, [x, exponentials, length @ ..]) = (operands.first()?, regions) else {
            return None;
        };
        let length = match length {
            [] => None,
            [length, ..] => Some(ElementType::Int32.read(length, 0)?),
        };
        let row = element.checked_div(x_spec.cols())?;
        let visible = SoftmaxAttributes::decode(node).ok()?.visible(x_spec, row, length);
        let seen = x.get(..visible as usize)?;
        let (maximum, sum) = maximum_and_sum(seen, table(exponentials)?);
        Some([maximum.into(), sum, visible.into()])
    }

    fn element(
        &self,
        _node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        [maximum, sum, visible]: &RowStatistics,
    ) -> Option<i32> {
        let (x_spec, [x, exponentials, ..]) = (operands.first()?, regions) else {
            return None;
        };
        let column = element.checked_rem(x_spec.cols())?;
        let zero = i64::from(SOFTMAX_ZERO_POINT);
        if i64::from(column) >= *visible || *sum == 0 {
            return Some(zero as i32);
        }
        let x = *x.get(column as usize)? as i8;
        let e = exponential(table(exponentials)?, i8::try_from(*maximum).ok()?, x);
        let probability = (512 * e + sum).checked_div(2 * sum)?;
        Some((probability.min(MAX_PROBABILITY) + zero) as i32)
    }
}
