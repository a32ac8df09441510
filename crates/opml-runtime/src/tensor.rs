//! A tensor with its data.

use std::{
    ops::RangeInclusive,
    sync::{Arc, OnceLock},
};

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
#[derive(Debug, Clone)]
pub struct Tensor {
    spec: TensorSpec,
    data: Arc<Data>,
}

/// Elements, which several tensors may share.
#[derive(Debug)]
struct Data {
    bytes: Bytes,
    /// The commitment, which no shape enters.
    root: OnceLock<Hash>,
}

impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec && self.bytes() == other.bytes()
    }
}

impl Eq for Tensor {}

impl Tensor {
    /// Takes the elements as bytes.
    pub fn new(spec: TensorSpec, data: impl Into<Bytes>) -> Result<Self, TensorDataError> {
        let bytes = data.into();
        if u64::try_from(bytes.len()) != Ok(spec.byte_len()) {
            return Err(TensorDataError::Length {
                spec,
                found: bytes.len(),
            });
        }
        let root = OnceLock::new();
        Ok(Self {
            spec,
            data: Arc::new(Data { bytes, root }),
        })
    }

    /// The same elements under another specification, which has as many bytes.
    pub(crate) fn under(&self, spec: TensorSpec) -> Self {
        debug_assert_eq!(self.spec.byte_len(), spec.byte_len());
        Self {
            spec,
            data: self.data.clone(),
        }
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

    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// All elements as bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.data.bytes
    }

    /// All elements as numbers, row-major.
    pub fn values(&self) -> Vec<i32> {
        let element = self.spec.element();
        self.bytes()
            .chunks(element.size() as usize)
            .filter_map(|bytes| element.read(bytes, 0))
            .collect()
    }

    /// The elements of the tile at a leaf of the tensor's tree as bytes.
    pub fn tile(&self, leaf_index: u32) -> Option<&[u8]> {
        self.bytes().get(self.spec.tile_range(leaf_index)?)
    }

    /// The elements of neighbouring tiles as bytes.
    pub fn tiles(&self, leaves: &RangeInclusive<u32>) -> Option<&[u8]> {
        self.bytes().get(self.spec.tiles_range(leaves)?)
    }

    /// The elements of a row as bytes.
    pub fn row(&self, row: u32) -> Option<&[u8]> {
        self.bytes().get(self.spec.row_range(row)?)
    }

    /// The bytes of a part of the tensor.
    pub fn region(&self, region: Region) -> Option<&[u8]> {
        match region {
            Region::Row(row) => self.row(row),
            Region::Tile(leaf) => self.tile(leaf),
            Region::Nothing => Some(&[]),
        }
    }

    /// The tensor's commitment, which is computed when it is first asked for.
    pub fn root(&self) -> Hash {
        self.root_in(true)
    }

    /// The tensor's commitment, computed by other threads too if `parallel`.
    pub(crate) fn root_in(&self, parallel: bool) -> Hash {
        *self.data.root.get_or_init(|| fast::root(self.bytes(), parallel))
    }
}
