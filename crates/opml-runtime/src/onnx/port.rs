//! Inputs and outputs of the original, and where they are in the model's own.

use std::{fmt, ops::Range};

use opml::ElementType;

use super::{
    array::{Array, Data, Kind},
    error::{Reasoned, quoted},
};

/// One input or output of the original. When there are several, the model's input or output is one row of int8 that has them one after the other, int32 as four bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    pub name: String,
    /// Of the original's elements.
    pub kind: Kind,
    /// Of the original.
    pub shape: Vec<usize>,
    /// Of the model's elements.
    pub element: ElementType,
    /// `real = scale * (q - zero_point)`, scale and zero point, when the model has int8 for the original's float. Integers stay what they are, but uint8 is less 128.
    pub scale: Option<(f32, i8)>,
    /// Its bytes in the model's input or output.
    pub bytes: Range<usize>,
}

impl Port {
    /// The port of a value, behind `before` bytes of others.
    pub(super) fn new(name: &str, kind: Kind, shape: &[usize], element: ElementType, before: usize) -> Self {
        let length = shape.iter().product::<usize>() * element.size() as usize;
        Self {
            name: name.into(),
            kind,
            shape: shape.into(),
            element,
            scale: None,
            bytes: before..before + length,
        }
    }

    /// The bytes that stand for an array of the original.
    pub(super) fn encode(&self, array: &Array) -> Reasoned<Vec<u8>> {
        let bytes: Vec<u8> = match (self.scale, &array.data) {
            (Some((scale, zero_point)), Data::Float(values)) => quantise(values, scale, zero_point),
            (Some(_), _) => return Err(format!("the input {} is not a float", quoted(&self.name))),
            (None, data) => {
                let offset = if matches!(data, Data::Uint8(_)) { 128 } else { 0 };
                let values = array.to_integers()?.into_iter().map(|value| value - offset);
                match self.element {
                    ElementType::Int8 => values.map(|value| value as u8).collect(),
                    ElementType::Int32 => values.flat_map(|value| (value as i32).to_le_bytes()).collect(),
                }
            }
        };
        match bytes.len() == self.bytes.len() {
            true => Ok(bytes),
            false => Err(format!(
                "an array of {} elements is no input {} of {:?}",
                array.count(),
                quoted(&self.name),
                self.shape
            )),
        }
    }

    /// The reals, or integers, that the bytes of a model's output stand for.
    pub fn decode(&self, output: &[u8]) -> Vec<f32> {
        let bytes = output.get(self.bytes.clone()).unwrap_or(&[]);
        let values = bytes
            .chunks(self.element.size() as usize)
            .filter_map(|bytes| self.element.read(bytes, 0));
        match self.scale {
            Some((scale, zero_point)) => values.map(|q| (q - i32::from(zero_point)) as f32 * scale).collect(),
            None => values.map(|value| value as f32).collect(),
        }
    }

    /// What an array of the original is compared as: one that is quantised already as the reals that it stands for.
    pub(super) fn reals(&self, array: &Array) -> Vec<f32> {
        let offset = if array.kind() == Kind::Uint8 { 128.0 } else { 0.0 };
        let values = array.to_floats().into_iter();
        match (self.scale, array.kind()) {
            (Some((scale, zero_point)), Kind::Int8 | Kind::Uint8) => {
                values.map(|q| (q - offset - f32::from(zero_point)) * scale).collect()
            }
            _ => values.map(|value| value - offset).collect(),
        }
    }
}

/// Added and subtracted it rounds a float of at most 2^22 in magnitude to the nearest integer, ties to even.
const TO_INTEGER: f32 = 12_582_912.0;

/// QuantizeLinear to int8. A decoder's cache goes through here, so that the loop is one that the compiler vectorises.
fn quantise(values: &[f32], scale: f32, zero_point: i8) -> Vec<u8> {
    // What is farther out saturates whatever the zero point. NaN becomes 0.
    const FAR: f32 = 512.0;
    let zero_point = i32::from(zero_point);
    let one = |x: &f32| {
        let rounded = ((x / scale).clamp(-FAR, FAR) + TO_INTEGER) - TO_INTEGER;
        (rounded as i32 + zero_point).clamp(-128, 127) as u8
    };
    values.iter().map(one).collect()
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scale {
            Some((scale, zero_point)) => write!(f, "real = {scale} * (q - {zero_point})"),
            None if self.kind == Kind::Uint8 => write!(f, "integers, less 128"),
            None => write!(f, "integers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::interpret::quantise_one, *};

    #[test]
    fn given_floats_of_all_magnitudes_when_quantised_then_as_the_interpreter_does() {
        let mut values = vec![
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            0.0,
            -0.0,
            f32::MAX,
            f32::MIN_POSITIVE,
        ];
        values.extend((-4000..4000).map(|half| half as f32 * 0.125));
        values.extend((0..200).map(|i| 1.17f32.powi(i) - 1.0));
        for (scale, zero_point) in [(0.25, 0), (1.0, -128), (0.1, 127), (3.7e-5, 5), (1e30, -3)] {
            let expected: Vec<u8> = values
                .iter()
                .map(|x| quantise_one(*x, scale, zero_point.into(), Kind::Int8) as u8)
                .collect();
            assert_eq!(quantise(&values, scale, zero_point), expected, "{scale} {zero_point}");
        }
    }
}
