//! The attribute bytes of a node record.

use crate::{
    bytes::Reader,
    model::{ATTRIBUTE_BYTES, NodeError, NodeRecord},
    ops::{MAX_SHIFT, MIN_SHIFT},
};

/// Reads attributes in the order in which an operator lists them. Everything out of range is [`NodeError::Attribute`].
pub(super) struct AttributeReader<'a>(Reader<'a>);

impl<'a> AttributeReader<'a> {
    pub(super) fn new(node: &'a NodeRecord) -> Self {
        Self(Reader::new(&node.attributes))
    }

    pub(super) fn u8(&mut self) -> Result<u8, NodeError> {
        self.0.u8().ok_or(NodeError::Attribute)
    }

    pub(super) fn u16(&mut self) -> Result<u16, NodeError> {
        self.0.u16().ok_or(NodeError::Attribute)
    }

    pub(super) fn u32(&mut self) -> Result<u32, NodeError> {
        self.0.u32().ok_or(NodeError::Attribute)
    }

    pub(super) fn i8(&mut self) -> Result<i8, NodeError> {
        self.u8().map(|byte| byte as i8)
    }

    pub(super) fn i32(&mut self) -> Result<i32, NodeError> {
        self.u32().map(|value| value as i32)
    }

    pub(super) fn flag(&mut self) -> Result<bool, NodeError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(NodeError::Attribute),
        }
    }

    /// A shift that has a rounding term and overflows nothing.
    pub(super) fn shift(&mut self) -> Result<i8, NodeError> {
        let shift = self.i8()?;
        if (MIN_SHIFT..=MAX_SHIFT).contains(&i32::from(shift)) {
            Ok(shift)
        } else {
            Err(NodeError::Attribute)
        }
    }

    /// `low` and `high`, in this order of size.
    pub(super) fn limits(&mut self) -> Result<(i8, i8), NodeError> {
        let (low, high) = (self.i8()?, self.i8()?);
        if low <= high {
            Ok((low, high))
        } else {
            Err(NodeError::Attribute)
        }
    }

    /// What is left has no meaning and must be zero.
    pub(super) fn finish(self) -> Result<(), NodeError> {
        if self.0.rest().iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(NodeError::Attribute)
        }
    }
}

/// Attributes written one after the other; the rest is zero.
pub(super) struct AttributeWriter {
    bytes: [u8; ATTRIBUTE_BYTES],
    len: usize,
}

impl AttributeWriter {
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; ATTRIBUTE_BYTES],
            len: 0,
        }
    }

    /// Appends little-endian bytes. No operator has more than [`ATTRIBUTE_BYTES`].
    pub(super) fn put(mut self, part: &[u8]) -> Self {
        for (to, from) in self.bytes.iter_mut().skip(self.len).zip(part) {
            *to = *from;
        }
        self.len += part.len();
        self
    }

    pub(super) fn i8s(self, values: &[i8]) -> Self {
        values
            .iter()
            .fold(self, |writer, value| writer.put(&value.to_le_bytes()))
    }

    pub(super) fn i32(self, value: i32) -> Self {
        self.put(&value.to_le_bytes())
    }

    pub(super) fn finish(self) -> [u8; ATTRIBUTE_BYTES] {
        debug_assert!(self.len <= ATTRIBUTE_BYTES);
        self.bytes
    }
}
