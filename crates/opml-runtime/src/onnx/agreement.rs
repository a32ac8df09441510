//! How far the integer model is from the original.

use super::{
    Imported,
    array::{Array, Kind},
    error::ImportError,
    interpret::Interpreter,
    report::OutputKind,
    samples::Samples,
};
use crate::{execute::execute, tensor::Tensor};

/// Outputs of the two, sample by sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    pub samples: usize,
    /// Of the angle between the outputs: 1 when they point the same way.
    pub mean_cosine: f64,
    pub least_cosine: f64,
    /// Rows along the last dimension of the outputs, and those of them whose greatest element is at the same place. Integer outputs agree when they are equal.
    pub rows: usize,
    pub equal_rows: usize,
    /// Against recorded outputs, not those of the importer's interpreter.
    pub recorded: bool,
}

impl Imported {
    /// The model's input for one of the original's.
    pub fn quantise(&self, input: &Array) -> Result<Tensor, ImportError> {
        let unusable = |reason: String| ImportError::Samples(reason);
        let shape: Vec<u32> = self.model.input_spec().shape().to_vec();
        let values = match (self.report.input, input.kind()) {
            (Some((scale, zero_point)), Kind::Float) => input
                .to_floats()
                .iter()
                .map(|x| super::interpret::quantise_one(*x, scale, zero_point.into(), Kind::Int8))
                .collect(),
            (None, Kind::Uint8) => input
                .to_integers()
                .map_err(unusable)?
                .into_iter()
                .map(|q| q - 128)
                .collect(),
            (None, _) => input.to_integers().map_err(unusable)?,
            _ => return Err(unusable("the input is not a float".into())),
        };
        match self.model.input_spec().element() {
            opml::ElementType::Int8 => {
                let values: Vec<i8> = values.into_iter().map(|value| value as i8).collect();
                Tensor::from_i8(&shape, &values)
            }
            opml::ElementType::Int32 => {
                let values: Vec<i32> = values.into_iter().map(|value| value as i32).collect();
                Tensor::from_i32(&shape, &values)
            }
        }
        .map_err(|error| unusable(error.to_string()))
    }

    /// The reals that an output of the model stands for.
    pub fn dequantise(&self, output: &Tensor) -> Vec<f32> {
        let values = output.values().into_iter();
        match self.report.output {
            OutputKind::Real(scale, zero_point) => values.map(|q| (q - i32::from(zero_point)) as f32 * scale).collect(),
            OutputKind::Integer => values.map(|value| value as f32).collect(),
        }
    }

    /// Runs both on each sample.
    pub fn compare(&self, samples: &Samples) -> Result<Agreement, ImportError> {
        let interpreter = match samples.outputs {
            None => Some(Interpreter::new(&self.graph)?),
            Some(_) => None,
        };
        let integers = self.report.output == OutputKind::Integer;
        let row = self.graph.values[self.graph.output].shape.last().copied().unwrap_or(1);
        let mut agreement = Agreement {
            samples: samples.inputs.len(),
            mean_cosine: 0.0,
            least_cosine: 1.0,
            rows: 0,
            equal_rows: 0,
            recorded: samples.outputs.is_some(),
        };
        for (i, input) in samples.inputs.iter().enumerate() {
            let expected = match (&samples.outputs, &interpreter) {
                (Some(outputs), _) => outputs[i].clone(),
                (None, Some(interpreter)) => self.original(interpreter, input)?,
                (None, None) => Vec::new(),
            };
            let execution = execute(&self.model, &self.quantise(input)?)
                .map_err(|error| ImportError::Samples(error.to_string()))?;
            let found = self.dequantise(execution.output());
            let cosine = cosine(&expected, &found);
            agreement.mean_cosine += cosine / samples.inputs.len() as f64;
            agreement.least_cosine = agreement.least_cosine.min(cosine);
            for (expected, found) in expected.chunks(row).zip(found.chunks(row)) {
                let equal = if integers {
                    expected == found
                } else {
                    greatest(expected) == greatest(found)
                };
                agreement.rows += 1;
                agreement.equal_rows += usize::from(equal);
            }
        }
        Ok(agreement)
    }

    /// What the original answers, by the importer's interpreter in floating point.
    pub fn run_original(&self, input: &Array) -> Result<Vec<f32>, ImportError> {
        self.original(&Interpreter::new(&self.graph)?, input)
    }

    fn original(&self, interpreter: &Interpreter, input: &Array) -> Result<Vec<f32>, ImportError> {
        let output = interpreter.run(input.clone())?;
        // An output that is quantised already is compared as the reals that it stands for.
        Ok(match (self.report.output, output.kind()) {
            (OutputKind::Real(scale, zero_point), Kind::Int8) => output
                .to_floats()
                .iter()
                .map(|q| (q - f32::from(zero_point)) * scale)
                .collect(),
            (OutputKind::Real(scale, zero_point), Kind::Uint8) => output
                .to_floats()
                .iter()
                .map(|q| (q - 128.0 - f32::from(zero_point)) * scale)
                .collect(),
            (OutputKind::Integer, Kind::Uint8) => output.to_floats().iter().map(|q| q - 128.0).collect(),
            _ => output.to_floats(),
        })
    }
}

/// The cosine of the angle between two vectors; 1 when both are zero.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    match (lengths > 0.0, a == b) {
        (_, true) => 1.0,
        (true, _) => dot(a, b) / lengths,
        (false, _) => 0.0,
    }
}

/// The first place of the greatest element.
fn greatest(row: &[f32]) -> usize {
    row.iter()
        .enumerate()
        .fold(0, |best, (i, value)| if *value > row[best] { i } else { best })
}
