//! The shape of a tensor and of its commitment (`docs/protocol.md`, 1.2).
//!
//! The last dimension is the row. Rows are kept together in strips: a row longer than half a tile is a strip of its own, shorter ones share a strip of one
//! tile. A strip starts on a tile boundary, so that it is an aligned subtree and one short path proves all of it.

use core::ops::Range;

use crate::{
    bytes::{Reader, Writer},
    hash::Hash,
    merkle::{self, Domain, Frontier, Layout},
};

/// Bytes of a full tile.
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
    /// No tile or strip has that index.
    OutOfRange,
    /// The bytes of a tile or strip are not exactly as many as it has.
    NotCanonical,
}

/// Element type and shape. Every value of this type is within the limits, so that nothing derived from it overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorSpec {
    element: ElementType,
    rank: u8,
    dims: [u32; MAX_RANK],
}

/// The place of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TilePosition {
    pub strip: u32,
    /// Within its strip.
    pub tile: u32,
    /// Bytes of the tile, 1 to [`TILE_BYTES`].
    pub bytes: u32,
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

    /// Whole rows that a strip has; the last strip may have fewer.
    pub fn rows_per_strip(&self) -> u32 {
        (TILE_BYTES / self.row_bytes()).max(1)
    }

    pub fn strips(&self) -> u32 {
        self.rows().div_ceil(self.rows_per_strip())
    }

    /// Tiles of each strip: more than one only where a strip is a single row.
    pub fn tiles_per_strip(&self) -> u32 {
        self.row_bytes().div_ceil(TILE_BYTES)
    }

    /// The level at which a node of the tree is a whole strip.
    pub fn strip_depth(&self) -> u8 {
        merkle::depth(self.tiles_per_strip())
    }

    /// Levels above a strip's root.
    pub fn strips_depth(&self) -> u8 {
        merkle::depth(self.strips())
    }

    /// Levels of the whole tree, at most 25.
    pub fn depth(&self) -> u8 {
        self.strip_depth() + self.strips_depth()
    }

    /// Where the tree has tiles and where padding.
    pub fn layout(&self) -> Layout {
        Layout::strips(self.strips(), self.tiles_per_strip())
    }

    /// Bytes of every strip but the last, which may have fewer.
    pub fn strip_bytes(&self) -> u32 {
        self.rows_per_strip() * self.row_bytes()
    }

    /// Where a strip is in the tensor's row-major bytes.
    pub fn strip_range(&self, strip: u32) -> Option<Range<usize>> {
        if strip >= self.strips() {
            return None;
        }
        let start = u64::from(strip) * u64::from(self.strip_bytes());
        let end = (start + u64::from(self.strip_bytes())).min(self.byte_len());
        Some(start as usize..end as usize)
    }

    /// The strip that a row is in, and where its bytes are there.
    pub fn strip_of_row(&self, row: u32) -> Option<(u32, Range<usize>)> {
        if row >= self.rows() {
            return None;
        }
        let start = (row % self.rows_per_strip() * self.row_bytes()) as usize;
        Some((row / self.rows_per_strip(), start..start + self.row_bytes() as usize))
    }

    /// The tile at a leaf of the tree; `None` for padding and beyond.
    pub fn tile_position(&self, leaf_index: u32) -> Option<TilePosition> {
        let strip_depth = self.strip_depth();
        let strip = leaf_index >> strip_depth;
        let tile = leaf_index & ((1 << strip_depth) - 1);
        if tile >= self.tiles_per_strip() {
            return None;
        }
        let strip_bytes = self.strip_range(strip)?.len() as u32;
        let bytes = (strip_bytes - tile * TILE_BYTES).min(TILE_BYTES);
        Some(TilePosition { strip, tile, bytes })
    }

    /// The leaf that holds element `flat` (row-major) and the element's byte offset in that tile.
    pub fn leaf_of_element(&self, flat: u32) -> Option<(u32, u32)> {
        if flat >= self.elements() {
            return None;
        }
        let size = self.element.size();
        let strip_elements = self.strip_bytes() / size;
        let byte = flat % strip_elements * size;
        let leaf = ((flat / strip_elements) << self.strip_depth()) | (byte / TILE_BYTES);
        Some((leaf, byte % TILE_BYTES))
    }

    /// The row-major index of element `element` of the tile at `leaf_index`.
    pub fn element_of_leaf(&self, leaf_index: u32, element: u32) -> Option<u32> {
        let position = self.tile_position(leaf_index)?;
        let size = self.element.size();
        if element >= position.bytes / size {
            return None;
        }
        Some(position.strip * (self.strip_bytes() / size) + position.tile * (TILE_BYTES / size) + element)
    }

    /// Where a tile is in the tensor's row-major bytes.
    pub fn tile_range(&self, leaf_index: u32) -> Option<Range<usize>> {
        let position = self.tile_position(leaf_index)?;
        let start = self.strip_range(position.strip)?.start + (position.tile * TILE_BYTES) as usize;
        Some(start..start + position.bytes as usize)
    }

    /// Where a row is in the tensor's row-major bytes.
    pub fn row_range(&self, row: u32) -> Option<Range<usize>> {
        if row >= self.rows() {
            return None;
        }
        let start = u64::from(row) * u64::from(self.row_bytes());
        Some(start as usize..start as usize + self.row_bytes() as usize)
    }

    /// The leaf of the tile at `leaf_index`, whose elements are `tile`. Refuses another length, so that a tile has one form only.
    pub fn tile_leaf(&self, leaf_index: u32, tile: &[u8]) -> Result<Hash, TensorError> {
        let position = self.tile_position(leaf_index).ok_or(TensorError::OutOfRange)?;
        if tile.len() != position.bytes as usize {
            return Err(TensorError::NotCanonical);
        }
        Ok(tile_leaf(leaf_index, tile))
    }

    /// The root of the subtree of a strip, whose elements are `bytes`.
    pub fn strip_root(&self, strip: u32, bytes: &[u8]) -> Result<Hash, TensorError> {
        if bytes.len() != self.strip_range(strip).ok_or(TensorError::OutOfRange)?.len() {
            return Err(TensorError::NotCanonical);
        }
        let first_leaf = strip << self.strip_depth();
        if bytes.len() <= TILE_BYTES as usize {
            return Ok(tile_leaf(first_leaf, bytes));
        }
        let mut frontier = Frontier::new();
        for (leaf_index, tile) in (first_leaf..).zip(bytes.chunks(TILE_BYTES as usize)) {
            let pushed = frontier.push(tile_leaf(leaf_index, tile));
            debug_assert!(pushed, "a strip has at most 2^17 tiles");
        }
        Ok(frontier.root())
    }

    /// Whether `bytes` is strip `strip` of the tensor with this root. `path` is `strips_depth` hashes.
    pub fn verify_strip(&self, root: &Hash, strip: u32, bytes: &[u8], path: &[u8]) -> bool {
        let Ok(strip_root) = self.strip_root(strip, bytes) else {
            return false;
        };
        let proven = self.layout().root_from(self.strip_depth(), strip, &strip_root, path);
        proven.as_ref() == Some(root)
    }

    /// Whether `tile` is the tile at `leaf_index` of the tensor with this root. `path` is `depth` hashes.
    pub fn verify_tile(&self, root: &Hash, leaf_index: u32, tile: &[u8], path: &[u8]) -> bool {
        let Ok(leaf) = self.tile_leaf(leaf_index, tile) else {
            return false;
        };
        self.layout().root_from(0, leaf_index, &leaf, path).as_ref() == Some(root)
    }
}

fn tile_leaf(leaf_index: u32, tile: &[u8]) -> Hash {
    merkle::leaf(Domain::TensorTile, leaf_index, &[tile])
}
