//! The operators: one file each, each a unit struct behind [`Operator`]. `docs/operators.md` condenses their doc comments.
//!
//! An operator is **total**: once [`Operator::validate`] accepted a node, every byte pattern of its operands has a defined result. It is
//! **local**: an output element depends on one row or one tile of each operand, so that one element can be judged on chain.
//!
//! To add one: a file that follows `clip.rs`, a number and a line in [`operator`], a section in `docs/operators.md`. Numbers, limits and results
//! of an arithmetic version never change.

mod arg_max;
mod clip;
mod fixed_point;
mod fully_connected;
mod lookup;

use crate::{
    model::{NodeError, NodeRecord, ATTRIBUTE_BYTES},
    tensor::{ElementType, TensorSpec},
};

pub use arg_max::ArgMax;
pub use clip::Clip;
pub use fixed_point::{multiply_by_quantized_multiplier, MAX_SHIFT, MIN_SHIFT};
pub use fully_connected::FullyConnected;
pub use lookup::{Lookup, TABLE_ENTRIES};

/// Elements that one output element is reduced from at most. It bounds the witness, the compute units and the accumulators.
pub const MAX_REDUCTION: u32 = 32_768;

/// The part of an operand that one output element depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// All elements of a row.
    Row(u32),
    /// The tile at this leaf of the operand's tree.
    Tile(u32),
}

/// What a node computes.
pub trait Operator: Sync {
    /// The name in documents and messages.
    fn name(&self) -> &'static str;

    /// Whether the node's operand specifications, attributes and output fit. Everything below is called on accepted nodes only.
    fn validate(&self, node: &NodeRecord, operands: &[TensorSpec]) -> Result<(), NodeError>;

    /// The part of operand `operand` that output element `element` (row-major) depends on. `None` when there is no such operand or element.
    fn region(&self, node: &NodeRecord, operands: &[TensorSpec], operand: usize, element: u32) -> Option<Region>;

    /// The value of output element `element`. `regions` are the bytes of the parts that [`Operator::region`] names, one for each operand;
    /// `None` when they are not.
    fn element(&self, node: &NodeRecord, operands: &[TensorSpec], regions: &[&[u8]], element: u32) -> Option<i32>;
}

/// The operator with this number.
pub fn operator(number: u8) -> Option<&'static dyn Operator> {
    Some(match number {
        FullyConnected::NUMBER => &FullyConnected,
        Clip::NUMBER => &Clip,
        Lookup::NUMBER => &Lookup,
        ArgMax::NUMBER => &ArgMax,
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

/// The value of element `element`, given the used bytes of its tile.
fn read_in_tile(operand: &TensorSpec, tile: &[u8], element: u32) -> Option<i32> {
    let (_, offset) = operand.leaf_of_element(element)?;
    operand.element().read(tile, offset as usize)
}
