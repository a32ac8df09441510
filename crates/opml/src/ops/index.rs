//! Where an element of one shape is in another: what the operators that only move elements have in common.

use super::{Region, read_in_tile, tile_of};
use crate::tensor::{MAX_RANK, TensorSpec};

/// What an output element of an operator that moves elements is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// This element (row-major) of an operand.
    Element { operand: usize, element: u32 },
    /// A constant: the place lies outside the operand.
    Fill(i32),
}

impl Origin {
    /// The tile of the element in its operand; nothing of the others.
    pub(super) fn region(&self, operands: &[TensorSpec], operand: usize) -> Option<Region> {
        let spec = operands.get(operand)?;
        match *self {
            Self::Element { operand: from, element } if from == operand => tile_of(spec, element),
            _ => Some(Region::Nothing),
        }
    }

    /// The value, given the regions.
    pub(super) fn value(&self, operands: &[TensorSpec], regions: &[&[u8]]) -> Option<i32> {
        match *self {
            Self::Element { operand, element } => read_in_tile(operands.get(operand)?, regions.get(operand)?, element),
            Self::Fill(value) => (regions.len() == operands.len()).then_some(value),
        }
    }
}

/// The indices of element `flat` in each dimension, outermost first, 0 beyond the rank. `None` when the shape has no such element.
pub(super) fn indices(shape: &[u32], flat: u32) -> Option<[u32; MAX_RANK]> {
    let mut indices = [0; MAX_RANK];
    let mut rest = flat;
    for (i, dim) in shape.iter().enumerate().rev() {
        *indices.get_mut(i)? = rest.checked_rem(*dim)?;
        rest = rest.checked_div(*dim)?;
    }
    (rest == 0).then_some(indices)
}

/// The element at these indices, or `None` when one lies outside the shape, which is that of a tensor, so that nothing overflows.
pub(super) fn element_at(shape: &[u32], indices: impl IntoIterator<Item = i64>) -> Option<u32> {
    let mut flat = 0u32;
    for (dim, index) in shape.iter().zip(indices) {
        let index = u32::try_from(index).ok().filter(|index| index < dim)?;
        flat = flat * dim + index;
    }
    Some(flat)
}
