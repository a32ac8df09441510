//! Inputs to compare on: from files of numpy, or made up.

use std::{ops::Range, path::Path};

use super::{
    array::{Array, Data, Kind, elements},
    error::{ImportError, Reasoned, quoted},
    graph::{Graph, Value, ValueId},
    operator::Op,
    port::Port,
};

/// Bytes of a file of samples.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Inputs of a model, and what the original answered to them if that was recorded: for each sample all inputs, or outputs.
#[derive(Debug, Clone)]
pub struct Samples {
    pub inputs: Vec<Vec<Array>>,
    pub outputs: Option<Vec<Vec<Vec<f32>>>>,
}

impl Samples {
    /// One sample for each index of the first dimension of every file in a folder: `inputs.npy`, or of several inputs `inputs/NAME.npy`; likewise outputs, if they are there.
    pub fn open(folder: &Path, graph: &Graph) -> Result<Self, ImportError> {
        let name = |id: ValueId| graph.values[id].name.as_str();
        let inputs: Vec<&str> = graph.inputs.iter().map(|id| name(*id)).collect();
        let outputs: Vec<&str> = graph.outputs.iter().map(|output| output.name.as_str()).collect();
        let inputs = read(folder, "inputs", &inputs)?;
        let recorded = folder.join("outputs.npy").exists() || folder.join("outputs").exists();
        let outputs = match recorded {
            true => Some(read(folder, "outputs", &outputs)?),
            false => None,
        };
        Self::new(&inputs, outputs.as_deref(), graph).map_err(ImportError::Samples)
    }

    /// Splits arrays, one for each input and output, along their first dimension.
    pub fn new(inputs: &[Array], outputs: Option<&[Array]>, graph: &Graph) -> Reasoned<Self> {
        let count = inputs
            .first()
            .and_then(|first| first.shape.first())
            .copied()
            .unwrap_or(0);
        let fits = |array: &Array, id: ValueId| {
            let shape = &graph.values[id].shape;
            match count > 0
                && array.shape.first() == Some(&count)
                && array.count() == count * shape.iter().product::<usize>()
            {
                true => Ok(()),
                false => Err(format!(
                    "an array of shape {:?} is not {count} samples of {} {shape:?}",
                    array.shape,
                    quoted(&graph.values[id].name)
                )),
            }
        };
        if inputs.len() != graph.inputs.len() || outputs.is_some_and(|outputs| outputs.len() != graph.outputs.len()) {
            return Err("there is not one array for each input and output".into());
        }
        let mut samples = vec![Vec::with_capacity(inputs.len()); count];
        for (array, id) in inputs.iter().zip(&graph.inputs) {
            fits(array, *id)?;
            let Value { shape, kind, .. } = &graph.values[*id];
            let length: usize = shape.iter().product();
            for (i, sample) in samples.iter_mut().enumerate() {
                let part = array.pick(shape.clone(), i * length..(i + 1) * length);
                sample.push(as_kind(part, *kind)?);
            }
        }
        let Some(outputs) = outputs else {
            return Ok(Self {
                inputs: samples,
                outputs: None,
            });
        };
        let mut answers = vec![Vec::with_capacity(outputs.len()); count];
        for (array, output) in outputs.iter().zip(&graph.outputs) {
            fits(array, output.value)?;
            let length = graph.values[output.value].shape.iter().product();
            for (part, answer) in array.to_floats().chunks(length).zip(&mut answers) {
                answer.push(part.to_vec());
            }
        }
        Ok(Self {
            inputs: samples,
            outputs: Some(answers),
        })
    }

    /// Evenly spread over what the model's inputs can express; the same for each call.
    pub fn random(count: usize, ports: &[Port], numbers: &[Range<i64>]) -> Self {
        let mut state = 0u64;
        let mut next = move || {
            // SplitMix64 (Steele, Lea and Flood 2014).
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let mut one = |port: &Port, numbers: &Range<i64>| {
            let elements = port.shape.iter().product();
            let integers = match port.kind {
                Kind::Int8 => -128..128,
                Kind::Uint8 => 0..256,
                _ => numbers.clone(),
            };
            match (port.kind, port.scale) {
                (Kind::Float, scale) => {
                    let (low, high) = scale.map_or((0.0, 1.0), |(scale, zero_point)| {
                        let real = |q: i8| f32::from(q) * scale - f32::from(zero_point) * scale;
                        (real(i8::MIN), real(i8::MAX))
                    });
                    let one = |_| low + (high - low) * ((next() >> 40) as f32 / (1u64 << 24) as f32);
                    Array::floats(port.shape.clone(), (0..elements).map(one).collect())
                }
                (kind, _) => {
                    let one = |_| integers.start + (next() >> 1) as i64 % (integers.end - integers.start).max(1);
                    Array::from_integers(kind, port.shape.clone(), (0..elements).map(one))
                }
            }
        };
        let inputs = (0..count)
            .map(|_| {
                ports
                    .iter()
                    .zip(numbers)
                    .map(|(port, numbers)| one(port, numbers))
                    .collect()
            })
            .collect();
        Self { inputs, outputs: None }
    }
}

/// For each input the integers that a graph tells apart: what it uses as an index, a position or a length has as many as there are places.
pub fn numbers(graph: &Graph) -> Vec<Range<i64>> {
    let mut source: Vec<Option<usize>> = vec![None; graph.values.len()];
    let mut numbers = vec![0..2; graph.inputs.len()];
    let mut found = vec![false; graph.inputs.len()];
    for (index, id) in graph.inputs.iter().enumerate() {
        source[*id] = Some(index);
    }
    for node in &graph.nodes {
        let of = |index: usize| node.operands.get(index).copied().flatten();
        let length = |index: usize, axis: usize| of(index).map_or(0, |id| graph.values[id].shape[axis]) as i64;
        let (place, range) = match &node.op {
            Op::Reshape | Op::Cast => {
                source[node.result] = of(0).and_then(|id| source[id]);
                continue;
            }
            Op::Gather { axis } => (1, 0..length(0, *axis)),
            Op::RotaryEmbedding { .. } => (1, 0..length(2, 0)),
            Op::Softmax { axis, .. } => (1, 1..length(0, *axis) + 1),
            Op::Table { values } => (0, 1..values.len() as i64),
            _ => continue,
        };
        if let Some(index) = of(place).and_then(|id| source[id])
            && !range.is_empty()
            && (!found[index] || range.end < numbers[index].end)
        {
            numbers[index] = range;
            found[index] = true;
        }
    }
    numbers
}

/// One array for each name: NAME.npy in a folder, or for a single one the folder's name with the ending.
fn read(folder: &Path, kind: &str, names: &[&str]) -> Result<Vec<Array>, ImportError> {
    let single = folder.join(format!("{kind}.npy"));
    if let ([_], true) = (names, single.exists()) {
        return read_file(&single).map(|array| vec![array]);
    }
    // A name may have characters that a path gives another meaning.
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let path = |name: &&str| match names {
        [_] if !folder.join(kind).exists() => single.clone(),
        _ => folder
            .join(kind)
            .join(name.chars().map(plain).collect::<String>() + ".npy"),
    };
    names.iter().map(|name| read_file(&path(name))).collect()
}

fn read_file(path: &Path) -> Result<Array, ImportError> {
    let unusable = |reason: String| ImportError::Samples(format!("{}: {reason}", path.display()));
    let length = std::fs::metadata(path)
        .map_err(|error| unusable(error.to_string()))?
        .len();
    if length > MAX_FILE_BYTES {
        return Err(unusable(format!("it is longer than {MAX_FILE_BYTES} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    parse_npy(&bytes).map_err(unusable)
}

/// A sample of a file as the model has it.
fn as_kind(part: Array, kind: Kind) -> Reasoned<Array> {
    match (kind, part.kind()) {
        (wanted, found) if wanted == found => Ok(part),
        (Kind::Float, _) => Ok(Array::floats(part.shape.clone(), part.to_floats())),
        (_, Kind::Float) => Err("the model's input is integers, but the samples are floats".into()),
        (kind, _) => {
            let values = part.to_integers()?;
            Ok(Array::from_integers(kind, part.shape, values.into_iter()))
        }
    }
}

/// An array in numpy's format: versions 1 and 2, little-endian, row-major.
pub fn parse_npy(bytes: &[u8]) -> Reasoned<Array> {
    let no_array = || "it is no array of numpy".to_string();
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(no_array)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(no_array)?;
    let (length, rest) = match version {
        [1, _] => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(no_array)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2, _] => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(no_array)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        _ => return Err("its version of numpy's format is not 1 or 2".into()),
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(no_array)?;
    let header = std::str::from_utf8(header).map_err(|_| no_array())?;
    let after = |key: &str| {
        header
            .split_once(key)
            .map(|(_, value)| value.trim_start())
            .ok_or_else(no_array)
    };
    if !after("'fortran_order':")?.starts_with("False") {
        return Err("it is not row-major".into());
    }
    let shape = after("'shape':")?
        .strip_prefix('(')
        .and_then(|text| text.split_once(')'))
        .ok_or_else(no_array)?
        .0;
    let shape = shape
        .split(',')
        .map(str::trim)
        .filter(|length| !length.is_empty())
        .map(|length| length.parse::<usize>().map_err(|_| no_array()))
        .collect::<Reasoned<Vec<_>>>()?;
    let count = elements(&shape)?;
    let descr = after("'descr':")?
        .strip_prefix('\'')
        .and_then(|text| text.split_once('\''))
        .ok_or_else(no_array)?
        .0;
    fn all<const N: usize, T>(data: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
        data.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect()
    }
    let (size, data) = match descr {
        "<f4" => (4, Data::Float(all(data, f32::from_le_bytes))),
        "<f8" => (8, Data::Float(all(data, |bytes| f64::from_le_bytes(bytes) as f32))),
        "|i1" => (1, Data::Int8(all(data, i8::from_le_bytes))),
        "|u1" => (1, Data::Uint8(data.to_vec())),
        "<i4" => (4, Data::Int32(all(data, i32::from_le_bytes))),
        "<i8" => (8, Data::Int64(all(data, i64::from_le_bytes))),
        other => return Err(format!("elements of type {other:?} are not supported")),
    };
    let array = Array { shape, data };
    if array.count() != count || rest.len() - length != count * size {
        return Err(format!("it does not have the {count} elements of its shape"));
    }
    Ok(array)
}
