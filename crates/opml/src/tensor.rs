//! The shape of a tensor and of its commitment (`docs/protocol.md`, 1.2).
//!
//! The commitment is to the elements as bytes, one after the other, in tiles: it knows nothing of dimensions. The last dimension is the row, which lies in a few
//! neighbouring tiles; one short path proves them together.

use core::ops::{Range, RangeInclusive};

use crate::{
    bytes::{Reader, Writer},
    hash::Hash,
    merkle::{self, Domain, Layout},
};

/// Bytes of a full tile. A multiple of the size of every element, so that none lies in two tiles.
pub const TILE_BYTES: u32 = 512;
/// Dimensions that a tensor has at most.
pub const MAX_RANK: usize = 4;
/// The longest dimension.
pub const MAX_DIMENSION: u32 = 1 << 24;
/// Elements that a tensor has at most.
pub const MAX_ELEMENTS: u32 = 1 << 31;
/// Bytes of an encoded [`TensorSpec`].
pub const SPEC_BYTES: usize = 18;

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ElementType {
    /// One byte, two's complement.
    Int8 = 1,
    /// Four bytes, little-endian, two's complement.
    Int32 = 2,
}

impl ElementType {
    /// Bytes of one element.
    pub const fn size(self) -> u32 {
        match self {
            Self::Int8 => 1,
            Self::Int32 => 4,
        }
    }

    /// The value of an element that starts at `offset`; `None` when it is not all there.
    pub fn read(self, bytes: &[u8], offset: usize) -> Option<i32> {
        let tail = bytes.get(offset..)?;
        match self {
            Self::Int8 => tail.first().map(|byte| i32::from(*byte as i8)),
            Self::Int32 => tail.first_chunk().map(|bytes| i32::from_le_bytes(*bytes)),
        }
    }
}

/// Why bytes are not a tensor specification, or a tile not a tile of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorError {
    /// The element type is none of [`ElementType`].
    UnknownElementType,
    /// The rank is not 1 to 4.
    Rank,
    /// A dimension is 0 or above [`MAX_DIMENSION`].
    Dimension,
    /// A dimension beyond the rank is not 0.
    UnusedDimension,
    /// More than [`MAX_ELEMENTS`] elements.
    TooLarge,
    /// The encoding is not [`SPEC_BYTES`] long.
    Length,
    /// No tile has that index.
    OutOfRange,
    /// The bytes of a tile are not exactly as many as it has.
    NotCanonical,
}

/// Element type and shape. Every value of this type is within the limits, so that nothing derived from it overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorSpec {
    element: ElementType,
    rank: u8,
    dims: [u32; MAX_RANK],
}

impl TensorSpec {
    /// A specification of 1 to 4 dimensions, row-major.
    pub fn new(element: ElementType, shape: &[u32]) -> Result<Self, TensorError> {
        if shape.is_empty() || shape.len() > MAX_RANK {
            return Err(TensorError::Rank);
        }
        let mut dims = [0; MAX_RANK];
        let mut elements = 1u64;
        for (dim, length) in dims.iter_mut().zip(shape) {
            if *length == 0 || *length > MAX_DIMENSION {
                return Err(TensorError::Dimension);
            }
            *dim = *length;
            // Four factors of at most 2^24 could pass 2^64, so each step is bounded.
            elements *= u64::from(*length);
            if elements > u64::from(MAX_ELEMENTS) {
                return Err(TensorError::TooLarge);
            }
        }
        Ok(Self {
            element,
            rank: shape.len() as u8,
            dims,
        })
    }

    /// Element type u8, rank u8, four dimensions u32 of which the unused are 0.
    pub fn encode(&self) -> [u8; SPEC_BYTES] {
        let mut writer = Writer::new().put(&[self.element as u8, self.rank]);
        for dim in self.dims {
            writer = writer.put(&dim.to_le_bytes());
        }
        writer.finish()
    }

    /// Refuses everything that [`TensorSpec::encode`] does not produce.
    pub fn decode(bytes: &[u8]) -> Result<Self, TensorError> {
        if bytes.len() != SPEC_BYTES {
            return Err(TensorError::Length);
        }
        let mut reader = Reader::new(bytes);
        let element = match reader.u8() {
            Some(1) => ElementType::Int8,
            Some(2) => ElementType::Int32,
            _ => return Err(TensorError::UnknownElementType),
        };
        let rank = usize::from(reader.u8().ok_or(TensorError::Length)?);
        let mut dims = [0; MAX_RANK];
        for dim in &mut dims {
            *dim = reader.u32().ok_or(TensorError::Length)?;
        }
        let (shape, unused) = dims.split_at_checked(rank).ok_or(TensorError::Rank)?;
        if unused.iter().any(|dim| *dim != 0) {
            return Err(TensorError::UnusedDimension);
        }
        Self::new(element, shape)
    }

    pub const fn element(&self) -> ElementType {
        self.element
    }

    /// The dimensions, outermost first.
    pub fn shape(&self) -> &[u32] {
        self.dims
            .split_at_checked(usize::from(self.rank))
            .map_or(&[], |(shape, _)| shape)
    }

    /// All dimensions but the last.
    pub fn outer_shape(&self) -> &[u32] {
        self.shape().split_last().map_or(&[], |(_, outer)| outer)
    }

    /// The last dimension: elements of a row.
    pub fn cols(&self) -> u32 {
        self.shape().last().copied().unwrap_or(1)
    }

    /// The product of all dimensions but the last.
    pub fn rows(&self) -> u32 {
        self.outer_shape().iter().product()
    }

    pub fn elements(&self) -> u32 {
        self.shape().iter().product()
    }

    /// Bytes of all elements.
    pub fn byte_len(&self) -> u64 {
        u64::from(self.elements()) * u64::from(self.element.size())
    }

    /// Bytes of a row's elements.
    pub fn row_bytes(&self) -> u32 {
        self.cols() * self.element.size()
    }

    /// Tiles that hold the elements: leaves of the tree, at most 2^24.
    pub fn tiles(&self) -> u32 {
        self.byte_len().div_ceil(TILE_BYTES.into()) as u32
    }

    /// Levels of the tree.
    pub fn depth(&self) -> u8 {
        merkle::depth(self.tiles())
    }

    /// Where the tree has tiles and where padding.
    pub fn layout(&self) -> Layout {
        Layout::list(self.tiles())
    }

    /// Where the tile at a leaf is in the tensor's bytes; `None` for padding and beyond. All tiles are full but the last, which is what is left.
    pub fn tile_range(&self, leaf_index: u32) -> Option<Range<usize>> {
        self.tiles_range(&(leaf_index..=leaf_index))
    }

    /// Where neighbouring tiles are in the tensor's bytes. `None` unless all of them are there.
    pub fn tiles_range(&self, leaves: &RangeInclusive<u32>) -> Option<Range<usize>> {
        if leaves.is_empty() || *leaves.end() >= self.tiles() {
            return None;
        }
        let start = u64::from(*leaves.start()) * u64::from(TILE_BYTES);
        let end = (u64::from(*leaves.end()) + 1) * u64::from(TILE_BYTES);
        Some(start as usize..end.min(self.byte_len()) as usize)
    }

    /// The leaf that holds element `flat` (row-major) and the element's byte offset in that tile.
    pub fn leaf_of_element(&self, flat: u32) -> Option<(u32, u32)> {
        if flat >= self.elements() {
            return None;
        }
        let per_tile = TILE_BYTES / self.element.size();
        Some((flat / per_tile, flat % per_tile * self.element.size()))
    }

    /// The row-major index of element `element` of the tile at `leaf_index`.
    pub fn element_of_leaf(&self, leaf_index: u32, element: u32) -> Option<u32> {
        let per_tile = TILE_BYTES / self.element.size();
        if element >= per_tile {
            return None;
        }
        let flat = leaf_index.checked_mul(per_tile)?.checked_add(element)?;
        (flat < self.elements()).then_some(flat)
    }

    /// Where a row is in the tensor's bytes.
    pub fn row_range(&self, row: u32) -> Option<Range<usize>> {
        if row >= self.rows() {
            return None;
        }
        let start = u64::from(row) * u64::from(self.row_bytes());
        Some(start as usize..start as usize + self.row_bytes() as usize)
    }

    /// The leaves whose tiles hold a row.
    pub fn tiles_of_row(&self, row: u32) -> Option<RangeInclusive<u32>> {
        let Range { start, end } = self.row_range(row)?;
        let tile = TILE_BYTES as usize;
        Some((start / tile) as u32..=((end - 1) / tile) as u32)
    }

    /// The bytes of a row, cut out of those of its tiles.
    pub fn row_in_tiles<'a>(&self, row: u32, tiles: &'a [u8]) -> Option<&'a [u8]> {
        let offset = self.row_range(row)?.start % TILE_BYTES as usize;
        tiles.get(offset..)?.get(..self.row_bytes() as usize)
    }

    /// The leaf of the tile at `leaf_index`, whose elements are `tile`. Refuses another length, so that a tile has one form only.
    pub fn tile_leaf(&self, leaf_index: u32, tile: &[u8]) -> Result<Hash, TensorError> {
        if tile.len() != self.tile_range(leaf_index).ok_or(TensorError::OutOfRange)?.len() {
            return Err(TensorError::NotCanonical);
        }
        Ok(tile_leaf(leaf_index, tile))
    }

    /// Whether `tile` is the tile at `leaf_index` of the tensor with this root. `path` is `depth` hashes.
    pub fn verify_tile(&self, root: &Hash, leaf_index: u32, tile: &[u8], path: &[u8]) -> bool {
        let Ok(leaf) = self.tile_leaf(leaf_index, tile) else {
            return false;
        };
        self.layout().root_from(leaf_index, &leaf, path).as_ref() == Some(root)
    }

    /// Whether `bytes` are the tiles at `leaves` of the tensor with this root. `path` is the hashes beside them, [`Layout::range_path_len`] many.
    pub fn verify_tiles(&self, root: &Hash, leaves: &RangeInclusive<u32>, bytes: &[u8], path: &[u8]) -> bool {
        if self.tiles_range(leaves).map(|range| range.len()) != Some(bytes.len()) {
            return false;
        }
        let tiles = leaves.clone().zip(bytes.chunks(TILE_BYTES as usize));
        let hashes = tiles.map(|(leaf_index, tile)| tile_leaf(leaf_index, tile));
        self.layout().root_from_range(leaves, hashes, path).as_ref() == Some(root)
    }
}

fn tile_leaf(leaf_index: u32, tile: &[u8]) -> Hash {
    merkle::leaf(Domain::TensorTile, leaf_index, &[tile])
}
