//! Arrays of the imported graph: constants, and values of the float interpreter.

use super::{
    error::{Reasoned, quoted},
    proto::{self, data_type},
};

/// Elements that one value of the graph may have.
pub const MAX_ELEMENTS: usize = 1 << 28;
const MAX_RANK: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Float,
    Int8,
    Uint8,
    Int32,
    Int64,
    Bool,
}

impl Kind {
    pub fn from_onnx(number: i32) -> Reasoned<Self> {
        match number {
            data_type::FLOAT | data_type::DOUBLE => Ok(Self::Float),
            data_type::INT8 => Ok(Self::Int8),
            data_type::UINT8 => Ok(Self::Uint8),
            data_type::INT32 => Ok(Self::Int32),
            data_type::INT64 => Ok(Self::Int64),
            data_type::BOOL => Ok(Self::Bool),
            _ => Err(format!(
                "element type {number} is not supported; float, int8, uint8, int32, int64 and bool are"
            )),
        }
    }

    /// One byte, so that a quantised activation can have it.
    pub fn is_byte(self) -> bool {
        matches!(self, Self::Int8 | Self::Uint8)
    }

    /// The least and the greatest value of an integer kind.
    pub fn range(self) -> (i64, i64) {
        match self {
            Self::Int8 => (-128, 127),
            Self::Uint8 => (0, 255),
            Self::Int32 => (i32::MIN.into(), i32::MAX.into()),
            Self::Bool => (0, 1),
            Self::Float | Self::Int64 => (i64::MIN, i64::MAX),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    Float(Vec<f32>),
    Int8(Vec<i8>),
    Uint8(Vec<u8>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Bool(Vec<bool>),
}

/// Row-major elements; as many as the shape says.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub data: Data,
}

/// The elements of a shape, when it is within the limits.
pub fn elements(shape: &[usize]) -> Reasoned<usize> {
    if shape.len() > MAX_RANK {
        return Err(format!(
            "it has {} dimensions; at most {MAX_RANK} are read",
            shape.len()
        ));
    }
    shape
        .iter()
        .try_fold(1usize, |all, length| all.checked_mul(*length))
        .filter(|all| (1..=MAX_ELEMENTS).contains(all))
        .ok_or_else(|| format!("shape {shape:?} does not have 1 to {MAX_ELEMENTS} elements"))
}

/// Dimensions as ONNX writes them.
pub fn shape(dims: &[i64]) -> Reasoned<Vec<usize>> {
    let shape = dims
        .iter()
        .map(|length| usize::try_from(*length).map_err(|_| format!("a dimension of {length} is not possible")))
        .collect::<Reasoned<Vec<_>>>()?;
    elements(&shape)?;
    Ok(shape)
}

impl Array {
    /// The caller gives as many elements as the shape has.
    pub fn new(shape: Vec<usize>, data: Data) -> Self {
        let array = Self { shape, data };
        debug_assert_eq!(array.shape.iter().product::<usize>(), array.count());
        array
    }

    pub fn floats(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self::new(shape, Data::Float(values))
    }

    /// How many elements there are.
    pub fn count(&self) -> usize {
        match &self.data {
            Data::Float(values) => values.len(),
            Data::Int8(values) => values.len(),
            Data::Uint8(values) => values.len(),
            Data::Int32(values) => values.len(),
            Data::Int64(values) => values.len(),
            Data::Bool(values) => values.len(),
        }
    }

    pub fn kind(&self) -> Kind {
        match &self.data {
            Data::Float(_) => Kind::Float,
            Data::Int8(_) => Kind::Int8,
            Data::Uint8(_) => Kind::Uint8,
            Data::Int32(_) => Kind::Int32,
            Data::Int64(_) => Kind::Int64,
            Data::Bool(_) => Kind::Bool,
        }
    }

    /// A tensor of the file. A small message cannot stand for a large array: the elements must be there.
    pub fn from_onnx(tensor: &proto::Tensor) -> Reasoned<Self> {
        let name = quoted(&tensor.name);
        if tensor.data_location == proto::EXTERNAL {
            return Err(format!(
                "constant {name} is kept in another file; save the model as one file"
            ));
        }
        let within = |reason: String| format!("constant {name}: {reason}");
        let shape = shape(&tensor.dims).map_err(within)?;
        let kind = Kind::from_onnx(tensor.data_type).map_err(within)?;
        let expected = elements(&shape)?;
        let raw = tensor.raw_data.as_deref().filter(|raw| !raw.is_empty());
        let data = match (kind, raw) {
            (Kind::Float, Some(raw)) if tensor.data_type == data_type::DOUBLE => {
                Data::Float(chunks(raw, |bytes| f64::from_le_bytes(bytes) as f32))
            }
            (Kind::Float, None) if tensor.data_type == data_type::DOUBLE => {
                Data::Float(tensor.double_data.iter().map(|value| *value as f32).collect())
            }
            (Kind::Float, Some(raw)) => Data::Float(chunks(raw, f32::from_le_bytes)),
            (Kind::Float, None) => Data::Float(tensor.float_data.clone()),
            (Kind::Int8, Some(raw)) => Data::Int8(chunks(raw, i8::from_le_bytes)),
            (Kind::Int8, None) => Data::Int8(tensor.int32_data.iter().map(|value| *value as i8).collect()),
            (Kind::Uint8, Some(raw)) => Data::Uint8(raw.to_vec()),
            (Kind::Uint8, None) => Data::Uint8(tensor.int32_data.iter().map(|value| *value as u8).collect()),
            (Kind::Int32, Some(raw)) => Data::Int32(chunks(raw, i32::from_le_bytes)),
            (Kind::Int32, None) => Data::Int32(tensor.int32_data.clone()),
            (Kind::Int64, Some(raw)) => Data::Int64(chunks(raw, i64::from_le_bytes)),
            (Kind::Int64, None) => Data::Int64(tensor.int64_data.clone()),
            (Kind::Bool, Some(raw)) => Data::Bool(raw.iter().map(|byte| *byte != 0).collect()),
            (Kind::Bool, None) => Data::Bool(tensor.int32_data.iter().map(|value| *value != 0).collect()),
        };
        let array = Self { shape, data };
        if array.count() != expected {
            return Err(format!(
                "constant {name} has shape {:?} but {} elements",
                array.shape,
                array.count()
            ));
        }
        Ok(array)
    }

    /// The elements as floats.
    pub fn to_floats(&self) -> Vec<f32> {
        match &self.data {
            Data::Float(values) => values.clone(),
            Data::Int8(values) => values.iter().map(|value| f32::from(*value)).collect(),
            Data::Uint8(values) => values.iter().map(|value| f32::from(*value)).collect(),
            Data::Int32(values) => values.iter().map(|value| *value as f32).collect(),
            Data::Int64(values) => values.iter().map(|value| *value as f32).collect(),
            Data::Bool(values) => values.iter().map(|value| f32::from(u8::from(*value))).collect(),
        }
    }

    /// The elements of an integer array.
    pub fn to_integers(&self) -> Reasoned<Vec<i64>> {
        match &self.data {
            Data::Float(_) => Err("an integer is needed where the model has a float".into()),
            Data::Int8(values) => Ok(values.iter().map(|value| i64::from(*value)).collect()),
            Data::Uint8(values) => Ok(values.iter().map(|value| i64::from(*value)).collect()),
            Data::Int32(values) => Ok(values.iter().map(|value| i64::from(*value)).collect()),
            Data::Int64(values) => Ok(values.clone()),
            Data::Bool(values) => Ok(values.iter().map(|value| i64::from(*value)).collect()),
        }
    }

    /// Integers of a kind, saturated to its range.
    pub fn from_integers(kind: Kind, shape: Vec<usize>, values: impl Iterator<Item = i64>) -> Self {
        let (low, high) = kind.range();
        let values = values.map(|value| value.clamp(low, high));
        let data = match kind {
            Kind::Float => Data::Float(values.map(|value| value as f32).collect()),
            Kind::Int8 => Data::Int8(values.map(|value| value as i8).collect()),
            Kind::Uint8 => Data::Uint8(values.map(|value| value as u8).collect()),
            Kind::Int32 => Data::Int32(values.map(|value| value as i32).collect()),
            Kind::Int64 => Data::Int64(values.collect()),
            Kind::Bool => Data::Bool(values.map(|value| value != 0).collect()),
        };
        Self::new(shape, data)
    }

    /// The elements at these places, under another shape.
    pub fn pick(&self, shape: Vec<usize>, places: impl Iterator<Item = usize>) -> Self {
        let data = match &self.data {
            Data::Float(values) => Data::Float(places.map(|place| values[place]).collect()),
            Data::Int8(values) => Data::Int8(places.map(|place| values[place]).collect()),
            Data::Uint8(values) => Data::Uint8(places.map(|place| values[place]).collect()),
            Data::Int32(values) => Data::Int32(places.map(|place| values[place]).collect()),
            Data::Int64(values) => Data::Int64(places.map(|place| values[place]).collect()),
            Data::Bool(values) => Data::Bool(places.map(|place| values[place]).collect()),
        };
        Self::new(shape, data)
    }
}

fn chunks<const N: usize, T>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    // A rest that is no whole element makes the number of elements wrong or is not there; padding bytes are refused by the caller's count.
    if !raw.len().is_multiple_of(N) {
        return Vec::new();
    }
    raw.as_chunks::<N>().0.iter().map(|bytes| read(*bytes)).collect()
}

/// The distance in elements between neighbours along each dimension, row-major.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i] * shape[i];
    }
    strides
}

/// `offset + Σ index_i * strides_i` for each index of `shape`, row-major.
pub fn places<'a>(shape: &'a [usize], offset: usize, strides: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let count = shape.iter().product();
    let mut index = vec![0; shape.len()];
    let mut place = offset;
    (0..count).map(move |_| {
        let here = place;
        for i in (0..shape.len()).rev() {
            index[i] += 1;
            place += strides[i];
            if index[i] < shape[i] {
                break;
            }
            place -= strides[i] * shape[i];
            index[i] = 0;
        }
        here
    })
}
