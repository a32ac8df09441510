//! Inputs to compare on: from files of numpy, or made up.

use std::path::Path;

use super::{
    array::{Array, Data, Kind, elements},
    error::{ImportError, Reasoned},
    graph::Graph,
    lower::activation_range,
    operator::Op,
};

/// Bytes of a file of samples.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Inputs of a model, and what the original answered to them if that was recorded.
#[derive(Debug, Clone)]
pub struct Samples {
    pub inputs: Vec<Array>,
    pub outputs: Option<Vec<Vec<f32>>>,
}

impl Samples {
    /// `inputs.npy`, and `outputs.npy` when it is there, in a folder: one sample for each index of the first dimension.
    pub fn open(folder: &Path, graph: &Graph) -> Result<Self, ImportError> {
        let read = |name: &str| {
            let path = folder.join(name);
            let unusable = |reason: String| ImportError::Samples(format!("{}: {reason}", path.display()));
            let length = std::fs::metadata(&path)
                .map_err(|error| unusable(error.to_string()))?
                .len();
            if length > MAX_FILE_BYTES {
                return Err(unusable(format!("it is longer than {MAX_FILE_BYTES} bytes")));
            }
            let bytes = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
            parse_npy(&bytes).map_err(unusable)
        };
        let inputs = read("inputs.npy")?;
        let outputs = match folder.join("outputs.npy").exists() {
            true => Some(read("outputs.npy")?),
            false => None,
        };
        Self::new(&inputs, outputs.as_ref(), graph).map_err(ImportError::Samples)
    }

    /// Splits arrays along their first dimension.
    pub fn new(inputs: &Array, outputs: Option<&Array>, graph: &Graph) -> Reasoned<Self> {
        let input = &graph.values[graph.input];
        let expected: usize = input.shape.iter().product();
        let count = inputs.shape.first().copied().unwrap_or(0);
        if count == 0 || inputs.count() != count * expected {
            return Err(format!(
                "inputs of shape {:?} are not samples of the model's input {:?}",
                inputs.shape, input.shape
            ));
        }
        let part = |i: usize| inputs.pick(input.shape.clone(), i * expected..(i + 1) * expected);
        let parts: Vec<_> = (0..count).map(part).collect();
        let inputs = parts
            .into_iter()
            .map(|part| match (input.kind, part.kind()) {
                (wanted, found) if wanted == found => Ok(part),
                (Kind::Float, _) => Ok(Array::floats(part.shape.clone(), part.to_floats())),
                (_, Kind::Float) => Err("the model's input is integers, but the samples are floats".into()),
                (kind, _) => {
                    let values = part.to_integers()?;
                    Ok(Array::from_integers(kind, part.shape, values.into_iter()))
                }
            })
            .collect::<Reasoned<Vec<_>>>()?;
        let outputs = match outputs {
            None => None,
            Some(outputs) => {
                let expected: usize = graph.values[graph.output].shape.iter().product();
                if outputs.shape.first() != Some(&count) || outputs.count() != count * expected {
                    return Err(format!(
                        "outputs of shape {:?} are not {count} samples of the model's output {:?}",
                        outputs.shape, graph.values[graph.output].shape
                    ));
                }
                Some(outputs.to_floats().chunks(expected).map(<[f32]>::to_vec).collect())
            }
        };
        Ok(Self { inputs, outputs })
    }

    /// Evenly spread over what the model's input can express; the same for each call.
    pub fn random(count: usize, graph: &Graph) -> Self {
        let input = &graph.values[graph.input];
        let expected: usize = input.shape.iter().product();
        let consumers = || {
            graph
                .nodes
                .iter()
                .filter(|node| node.operands.contains(&Some(graph.input)))
        };
        let range = consumers().find_map(|node| match &node.op {
            Op::Quantize(quantisation) => activation_range(quantisation),
            _ => None,
        });
        let (low, high) = range.unwrap_or((0.0, 1.0));
        let rows = consumers().find_map(|node| match (&node.op, node.operands.first()) {
            (Op::Gather { axis: 0 }, Some(Some(table))) => graph.values[*table].shape.first().copied(),
            _ => None,
        });
        let (first, values) = match input.kind {
            Kind::Int8 => (-128, 256),
            Kind::Uint8 => (0, 256),
            _ => (0, rows.unwrap_or(2) as i64),
        };
        let mut state = 0u64;
        let mut next = move || {
            // SplitMix64 (Steele, Lea and Flood 2014).
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let inputs = (0..count)
            .map(|_| match input.kind {
                Kind::Float => {
                    let one = |_| low + (high - low) * ((next() >> 40) as f32 / (1u64 << 24) as f32);
                    Array::floats(input.shape.clone(), (0..expected).map(one).collect())
                }
                kind => {
                    let one = |_| first + (next() >> 1) as i64 % values;
                    Array::from_integers(kind, input.shape.clone(), (0..expected).map(one))
                }
            })
            .collect();
        Self { inputs, outputs: None }
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
