//! The operators: one file each, each a unit struct behind [`Operator`]. `docs/operators.md` condenses their doc comments.
//!
//! An operator is **total**: once [`Operator::validate`] accepted a node, every byte pattern of its operands has a defined result. It is
//! **local**: an output element depends on one row, one tile or nothing of each operand, so that one element can be judged on chain. Which part may follow
//! from the bytes of the operands before it.
//!
//! To add one: a file that follows `clip.rs` (`mat_mul.rs` when it has more attributes, `softmax.rs` when the elements of a row share work), a number and a line in
//! [`operator`], cases in `tests/operators`, a section in `docs/operators.md`. Numbers, limits and results of an arithmetic version never change.

mod add;
mod arg_max;
mod attributes;
mod bitcast;
mod broadcast;
mod clip;
mod concat;
mod dot;
mod fixed_point;
mod fully_connected;
mod gather;
mod grouped_fully_connected;
mod index;
mod layer_norm;
mod lookup;
mod mat_mul;
mod mul;
mod normalization;
mod pad;
mod patches;
mod reduce_max;
mod reduce_mean;
mod reduction;
mod reshape;
mod rms_norm;
mod rotary_embedding;
mod slice;
mod softmax;
mod transpose;

use crate::{
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    tensor::{ElementType, TensorSpec},
};

use attributes::{AttributeReader, AttributeWriter};
use dot::dot;

pub use add::{Add, AddAttributes};
pub use arg_max::ArgMax;
pub use bitcast::Bitcast;
pub use clip::Clip;
pub use concat::Concat;
pub use fixed_point::{MAX_SHIFT, MIN_SHIFT, multiply_by_quantized_multiplier, rounding_shift};
pub use fully_connected::FullyConnected;
pub use gather::Gather;
pub use grouped_fully_connected::GroupedFullyConnected;
pub use layer_norm::{LayerNorm, LayerNormAttributes};
pub use lookup::{Lookup, TABLE_ENTRIES};
pub use mat_mul::{MatMul, MatMulAttributes};
pub use mul::{Mul, MulAttributes};
pub use normalization::NORMALIZED_FRACTION_BITS;
pub use pad::{Pad, PadAttributes};
pub use patches::{Patches, PatchesAttributes};
pub use reduce_max::ReduceMax;
pub use reduce_mean::{ReduceMean, ReduceMeanAttributes};
pub use reshape::Reshape;
pub use rms_norm::{RmsNorm, RmsNormAttributes};
pub use rotary_embedding::{RotaryEmbedding, RotaryEmbeddingAttributes};
pub use slice::Slice;
pub use softmax::{SOFTMAX_ZERO_POINT, Softmax, SoftmaxAttributes};
pub use transpose::Transpose;

/// Elements that one output element is reduced from at most. It bounds the witness, the compute units and the accumulators.
pub const MAX_REDUCTION: u32 = 32_768;

/// The part of an operand that one output element depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// All elements of a row.
    Row(u32),
    /// The tile at this leaf of the operand's tree.
    Tile(u32),
    /// No element: the witness holds no byte for it.
    Nothing,
}

/// What the elements of one output row have in common, such as a maximum and a sum, so that whoever computes a whole row computes it once. An operator
/// that needs none has zeros.
pub type RowStatistics = [i64; 3];

/// What a node computes.
pub trait Operator: Sync {
    /// The name in documents and messages.
    fn name(&self) -> &'static str;

    /// Whether the node's operand specifications, attributes and output fit. Everything below is called on accepted nodes only.
    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError>;

    /// The part of operand `operand` that output element `element` (row-major) depends on. `proven` are the bytes of the parts of the operands before
    /// it, which may name the part: the row that an index selects. `None` when there is no such operand or element, or `proven` is not as said.
    fn region(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        operand: usize,
        element: u32,
        proven: &[&[u8]],
    ) -> Option<Region>;

    /// What all elements of the output row of `element` have in common. `regions` are the bytes of the parts that [`Operator::region`] names, one for
    /// each operand; `None` when they are not.
    fn row_statistics(
        &self,
        _node: &NodeRecord,
        _operands: &[TensorSpec],
        _regions: &[&[u8]],
        _element: u32,
    ) -> Option<RowStatistics> {
        Some(RowStatistics::default())
    }

    /// The value of output element `element`, given its regions and the statistics of its row.
    fn element(
        &self,
        node: &NodeRecord,
        operands: &[TensorSpec],
        regions: &[&[u8]],
        element: u32,
        statistics: &RowStatistics,
    ) -> Option<i32>;
}

/// The value of one output element alone.
pub fn element(
    operator: &dyn Operator,
    node: &NodeRecord,
    operands: &[TensorSpec],
    regions: &[&[u8]],
    element: u32,
) -> Option<i32> {
    let statistics = operator.row_statistics(node, operands, regions, element)?;
    operator.element(node, operands, regions, element, &statistics)
}

/// The operator with this number.
pub fn operator(number: u8) -> Option<&'static dyn Operator> {
    Some(match number {
        FullyConnected::NUMBER => &FullyConnected,
        Clip::NUMBER => &Clip,
        Lookup::NUMBER => &Lookup,
        ArgMax::NUMBER => &ArgMax,
        MatMul::NUMBER => &MatMul,
        GroupedFullyConnected::NUMBER => &GroupedFullyConnected,
        Patches::NUMBER => &Patches,
        Add::NUMBER => &Add,
        Mul::NUMBER => &Mul,
        Gather::NUMBER => &Gather,
        Softmax::NUMBER => &Softmax,
        LayerNorm::NUMBER => &LayerNorm,
        RmsNorm::NUMBER => &RmsNorm,
        RotaryEmbedding::NUMBER => &RotaryEmbedding,
        Transpose::NUMBER => &Transpose,
        Reshape::NUMBER => &Reshape,
        Slice::NUMBER => &Slice,
        Concat::NUMBER => &Concat,
        Pad::NUMBER => &Pad,
        ReduceMean::NUMBER => &ReduceMean,
        ReduceMax::NUMBER => &ReduceMax,
        Bitcast::NUMBER => &Bitcast,
        _ => return None,
    })
}

/// Attributes whose first `used` bytes have a meaning: the others must be zero.
fn check_unused_attributes(node: &NodeRecord, used: usize) -> Result<(), NodeError> {
    match node.attributes.get(used..) {
        Some(unused) if unused.iter().all(|byte| *byte == 0) => Ok(()),
        _ => Err(NodeError::Attribute),
    }
}

/// Attributes of an operator, written from the first byte on.
fn attributes(bytes: &[i8]) -> [u8; ATTRIBUTE_BYTES] {
    let mut attributes = [0; ATTRIBUTE_BYTES];
    for (to, from) in attributes.iter_mut().zip(bytes) {
        *to = *from as u8;
    }
    attributes
}

/// The only operand of an element-wise int8 operator, whose output has the same specification.
fn check_elementwise(node: &NodeRecord, operand: &TensorSpec) -> Result<(), NodeError> {
    if operand.element() != ElementType::Int8 {
        return Err(NodeError::Operand { operand: 0 });
    }
    if node.output != *operand {
        return Err(NodeError::OutputSpec);
    }
    Ok(())
}

/// The tile of element `element` of an operand.
fn tile_of(operand: &TensorSpec, element: u32) -> Option<Region> {
    operand.leaf_of_element(element).map(|(leaf, _)| Region::Tile(leaf))
}

/// The value of element `element`, given its tile.
fn read_in_tile(operand: &TensorSpec, tile: &[u8], element: u32) -> Option<i32> {
    let (_, offset) = operand.leaf_of_element(element)?;
    operand.element().read(tile, offset as usize)
}

/// Checks the type of an operand.
fn check_element(operands: &[TensorSpec], operand: usize, element: ElementType) -> Result<(), NodeError> {
    match operands.get(operand) {
        Some(spec) if spec.element() == element => Ok(()),
        _ => Err(NodeError::Operand { operand: operand as u8 }),
    }
}

/// Checks type and shape of an operand.
fn check_operand(
    operands: &[TensorSpec],
    operand: usize,
    element: ElementType,
    shape: &[u32],
) -> Result<(), NodeError> {
    check_element(operands, operand, element)?;
    match operands.get(operand) {
        Some(spec) if spec.shape() == shape => Ok(()),
        _ => Err(NodeError::Operand { operand: operand as u8 }),
    }
}

/// Checks the length of a reduction.
fn check_reduction(k: u32) -> Result<(), NodeError> {
    if k > MAX_REDUCTION {
        return Err(NodeError::ReductionTooLong);
    }
    Ok(())
}

/// Checks an output whose last dimension alone may differ from that of `x`.
fn check_row_output(node: &NodeRecord, x: &TensorSpec, element: ElementType, cols: u32) -> Result<(), NodeError> {
    let output = node.output;
    if output.element() != element || output.outer_shape() != x.outer_shape() || output.cols() != cols {
        return Err(NodeError::OutputSpec);
    }
    Ok(())
}

/// Saturation to int8.
fn saturate_to_int8(value: i64) -> i32 {
    value.clamp(i64::from(i8::MIN), i64::from(i8::MAX)) as i32
}
