//! The file format.
//!
//! An `.imo` file holds what the model root commits to and nothing else. Integers are little-endian.
//!
//! | part | bytes |
//! | --- | --- |
//! | magic `"IMOMODEL"` | 8 |
//! | format version u16, now 2 | 2 |
//! | arithmetic version u16 | 2 |
//! | node count u32, constant count u32 | 8 |
//! | input `TensorSpec` | 18 |
//! | node records, in order | 128 each |
//! | constants' `TensorSpec`s, in order | 18 each |
//! | constants, in order: zero bytes up to the next multiple of 64 in the file, then the elements, row-major | as their specifications say |
//!
//! Nothing follows. The elements can be used where they lie in a mapped file: a constant begins with a line of the processor's cache. The file is read strictly: one
//! sequence of bytes per model, and a model that breaks a rule of its arithmetic is refused with the node and the rule.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
    process,
};

use bytes::Bytes;
use opml::{ARITHMETIC_VERSION, NodeRecord, TensorSpec, model::NODE_BYTES, tensor::SPEC_BYTES};

use super::{ModelError, graph};
use crate::tensor::Tensor;

const MAGIC: &[u8; 8] = b"IMOMODEL";
pub(super) const FORMAT_VERSION: u16 = 2;
/// What the place of a constant in the file is a multiple of.
const ALIGNMENT: u64 = 64;

/// Bytes that go to the disk at once.
const WRITTEN_AT_ONCE: usize = 1 << 20;

/// What a file says.
pub(crate) struct Contents {
    pub input: TensorSpec,
    /// Encoded, one after another, not looked at yet.
    pub records: Bytes,
    /// Each shares the file's bytes.
    pub constants: Vec<Tensor>,
}

/// Reads a file. Allocates in proportion to the graph only.
pub(crate) fn read(bytes: Bytes) -> Result<Contents, ModelError> {
    let mut parts = Parts { bytes, at: 0 };
    if parts.bytes.len() < MAGIC.len() && MAGIC.starts_with(&parts.bytes) {
        return Err(ModelError::Truncated {
            part: "the magic bytes",
            missing: (MAGIC.len() - parts.bytes.len()) as u64,
        });
    }
    if parts.take("the magic bytes", MAGIC.len() as u64).ok().as_deref() != Some(MAGIC) {
        return Err(ModelError::NotAModel);
    }
    const HEADER: &str = "the version and the counts";
    let found = parts.u16(HEADER)?;
    if found != FORMAT_VERSION {
        return Err(ModelError::FormatVersion { found });
    }
    let found = parts.u16(HEADER)?;
    if found != ARITHMETIC_VERSION {
        return Err(ModelError::ArithmeticVersion { found });
    }
    let node_count = graph::node_count(parts.u32(HEADER)?.into())?;
    let constant_count = graph::constant_count(parts.u32(HEADER)?.into())?;
    let input = TensorSpec::decode(&parts.take("the input's specification", SPEC_BYTES as u64)?)
        .map_err(|reason| ModelError::Input { reason })?;

    let records = parts.take("the node records", u64::from(node_count) * NODE_BYTES as u64)?;
    let specs = parts.take(
        "the constants' specifications",
        u64::from(constant_count) * SPEC_BYTES as u64,
    )?;
    let constants = (0..)
        .zip(specs.chunks(SPEC_BYTES))
        .map(|(index, spec)| {
            const ELEMENTS: &str = "the constants' elements";
            let spec = TensorSpec::decode(spec).map_err(|reason| ModelError::Constant { index, reason })?;
            let fill = parts.take(ELEMENTS, fill_before(parts.at as u64))?;
            if fill.iter().any(|byte| *byte != 0) {
                return Err(ModelError::Fill { constant: index });
            }
            let data = parts.take(ELEMENTS, spec.byte_len())?;
            Ok(Tensor::new(spec, data).expect("as many bytes as the specification says were taken"))
        })
        .collect::<Result<Vec<_>, ModelError>>()?;
    match parts.bytes.len() - parts.at {
        0 => Ok(Contents {
            input,
            records,
            constants,
        }),
        count => Err(ModelError::TrailingBytes { count }),
    }
}

/// Zero bytes before a constant, when the file has `at` bytes so far.
fn fill_before(at: u64) -> u64 {
    at.next_multiple_of(ALIGNMENT) - at
}

/// Writes a file so that it is there as a whole or not at all, and a file of that name that is in use stays what it is for who uses it.
pub(crate) fn replace_file<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> Result<u64, E>,
) -> Result<u64, E> {
    let name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidFilename)
        .map_err(io::Error::from)?;
    let temporary = path.with_file_name(format!(".{}.{}.part", name.to_string_lossy(), process::id()));
    let written = File::create(&temporary)
        .map_err(E::from)
        .and_then(|file| write(BufWriter::with_capacity(WRITTEN_AT_ONCE, file)))
        .and_then(|bytes| {
            fs::rename(&temporary, path)?;
            Ok(bytes)
        });
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Writes a file piece by piece, so that a model need not be in memory.
pub(crate) struct FileWriter<W> {
    out: W,
    at: u64,
}

impl<W: Write> FileWriter<W> {
    /// Writes everything before the constants. The graph keeps the rules.
    pub(crate) fn new(
        out: W,
        input: &TensorSpec,
        nodes: &[NodeRecord],
        constants: impl ExactSizeIterator<Item = TensorSpec>,
    ) -> io::Result<Self> {
        let mut writer = Self { out, at: 0 };
        writer.put(MAGIC)?;
        writer.put(&FORMAT_VERSION.to_le_bytes())?;
        writer.put(&ARITHMETIC_VERSION.to_le_bytes())?;
        writer.put(&(nodes.len() as u32).to_le_bytes())?;
        writer.put(&(constants.len() as u32).to_le_bytes())?;
        writer.put(&input.encode())?;
        for node in nodes {
            writer.put(&node.encode())?;
        }
        for spec in constants {
            writer.put(&spec.encode())?;
        }
        Ok(writer)
    }

    /// Begins the next constant.
    pub(crate) fn begin_constant(&mut self) -> io::Result<()> {
        const ZEROS: [u8; ALIGNMENT as usize] = [0; ALIGNMENT as usize];
        let fill = fill_before(self.at) as usize;
        self.put(&ZEROS[..fill])
    }

    /// Elements of the constant that was begun last.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// The bytes written, all of which are handed on.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.at)
    }
}

/// A file, read up to `at`.
struct Parts {
    bytes: Bytes,
    at: usize,
}

impl Parts {
    fn take(&mut self, part: &'static str, len: u64) -> Result<Bytes, ModelError> {
        let available = (self.bytes.len() - self.at) as u64;
        if len > available {
            return Err(ModelError::Truncated {
                part,
                missing: len - available,
            });
        }
        let end = self.at + len as usize;
        let taken = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    fn u16(&mut self, part: &'static str) -> Result<u16, ModelError> {
        self.take(part, 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self, part: &'static str) -> Result<u32, ModelError> {
        self.take(part, 4)
            .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
