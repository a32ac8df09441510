//! A tensor with its data.

use std::ops::RangeInclusive;

use bytes::Bytes;
use opml::{ElementType, Hash, TensorSpec, ops::Region};

use crate::{describe, fast};

/// Why shape and data make no tensor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorDataError {
    #[error("Shape {shape:?} is not one of a tensor: {}.", describe::tensor_error(*.reason))]
    Shape { shape: Vec<u32>, reason: opml::TensorError },
    #[error("A tensor of {} has {} bytes, but {found} were given.", describe::spec(.spec), .spec.byte_len())]
    Length { spec: TensorSpec, found: usize },
}

/// A specification and that many elements, row-major, int32 little-endian. A clone shares the elements, which may be a part of a mapped file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    spec: TensorSpec,
    data: Bytes,
}

impl Tensor {
    /// Takes the elements as bytes.
    pub fn new(spec: TensorSpec, data: impl Into<Bytes>) -> Result<Self, TensorDataError> {
        let data = data.into();
        if u64::try_from(data.len()) != Ok(spec.byte_len()) {
            return Err(TensorDataError::Length {
                spec,
                found: data.len(),
            });
        }
        Ok(Self { spec, data })
    }

    /// An int8 tensor. `values` are row-major.
    pub fn from_i8(shape: &[u32], values: &[i8]) -> Result<Self, TensorDataError> {
        Self::from_values(
            ElementType::Int8,
            shape,
            values.iter().map(|value| *value as u8).collect(),
        )
    }

    /// An int32 tensor. `values` are row-major.
    pub fn from_i32(shape: &[u32], values: &[i32]) -> Result<Self, TensorDataError> {
        Self::from_values(
            ElementType::Int32,
            shape,
            values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        )
    }

    fn from_values(element: ElementType, shape: &[u32], data: Vec<u8>) -> Result<Self, TensorDataError> {
        let spec = TensorSpec::new(element, shape).map_err(|reason| TensorDataError::Shape {
            shape: shape.to_vec(),
            reason,
        })?;
        Self::new(spec, data)
    }

    /// The same elements, shared, under another specification of as many bytes.
    pub(crate) fn reshaped(&self, spec: TensorSpec) -> Result<Self, TensorDataError> {
        Self::new(spec, self.data.clone())
    }

    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// All elements as bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.data
    }

    /// All elements as numbers, row-major.
    pub fn values(&self) -> Vec<i32> {
        let element = self.spec.element();
        self.data
            .chunks(element.size() as usize)
            .filter_map(|bytes| element.read(bytes, 0))
            .collect()
    }

    /// The elements of the tile at a leaf of the tensor's tree as bytes.
    pub fn tile(&self, leaf_index: u32) -> Option<&[u8]> {
        self.data.get(self.spec.tile_range(leaf_index)?)
    }

    /// The elements of neighbouring tiles as bytes.
    pub fn tiles(&self, leaves: &RangeInclusive<u32>) -> Option<&[u8]> {
        self.data.get(self.spec.tiles_range(leaves)?)
    }

    /// The elements of a row as bytes.
    pub fn row(&self, row: u32) -> Option<&[u8]> {
        self.data.get(self.spec.row_range(row)?)
    }

    /// The bytes of a part of the tensor.
    pub fn region(&self, region: Region) -> Option<&[u8]> {
        match region {
            Region::Row(row) => self.row(row),
            Region::Tile(leaf) => self.tile(leaf),
            Region::Nothing => Some(&[]),
        }
    }

    /// The tensor's commitment.
    pub fn root(&self) -> Hash {
        fast::tensor_root(self)
    }
}
