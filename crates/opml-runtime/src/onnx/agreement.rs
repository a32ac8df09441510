//! How far the integer model is from the original.

use super::{Imported, array::Array, error::ImportError, interpret::Interpreter, samples::Samples};
use crate::{execute::execute, tensor::Tensor};

/// Outputs of the two, sample by sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    pub samples: usize,
    /// Against recorded outputs, not those of the importer's interpreter.
    pub recorded: bool,
    /// Of each output.
    pub outputs: Vec<OutputAgreement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OutputAgreement {
    pub name: String,
    /// Of the angle between the outputs: 1 when they point the same way.
    pub mean_cosine: f64,
    pub least_cosine: f64,
    /// Rows along the last dimension of the outputs, and those of them whose greatest element is at the same place. Integer outputs agree when they are equal.
    pub rows: usize,
    pub equal_rows: usize,
}

impl Imported {
    /// The model's input for the original's inputs.
    pub fn quantise(&self, inputs: &[Array]) -> Result<Tensor, ImportError> {
        let ports = &self.report.inputs;
        if inputs.len() != ports.len() {
            return Err(ImportError::Samples(format!(
                "{} inputs were given for {}",
                inputs.len(),
                ports.len()
            )));
        }
        let mut bytes = Vec::new();
        for (port, input) in ports.iter().zip(inputs) {
            bytes.extend(port.encode(input).map_err(ImportError::Samples)?);
        }
        Tensor::new(*self.model.input_spec(), bytes).map_err(|error| ImportError::Samples(error.to_string()))
    }

    /// The reals, or integers, that each output of the model stands for.
    pub fn dequantise(&self, output: &Tensor) -> Vec<Vec<f32>> {
        let ports = self.report.outputs.iter();
        ports.map(|port| port.decode(output.bytes())).collect()
    }

    /// Runs both on each sample.
    pub fn compare(&self, samples: &Samples) -> Result<Agreement, ImportError> {
        let interpreter = match samples.outputs {
            None => Some(Interpreter::new(&self.graph)?),
            Some(_) => None,
        };
        let outputs = self.report.outputs.iter().map(|port| OutputAgreement {
            name: port.name.clone(),
            mean_cosine: 0.0,
            least_cosine: 1.0,
            rows: 0,
            equal_rows: 0,
        });
        let mut agreement = Agreement {
            samples: samples.inputs.len(),
            recorded: samples.outputs.is_some(),
            outputs: outputs.collect(),
        };
        for (i, inputs) in samples.inputs.iter().enumerate() {
            let expected = match (&samples.outputs, &interpreter) {
                (Some(outputs), _) => outputs[i].clone(),
                (None, Some(interpreter)) => self.original(interpreter, inputs)?,
                (None, None) => Vec::new(),
            };
            let execution = execute(&self.model, &self.quantise(inputs)?)
                .map_err(|error| ImportError::Samples(error.to_string()))?;
            let found = self.dequantise(execution.output());
            let pairs = expected.iter().zip(&found).zip(&self.report.outputs);
            for (output, ((expected, found), port)) in agreement.outputs.iter_mut().zip(pairs) {
                let cosine = cosine(expected, found);
                output.mean_cosine += cosine / samples.inputs.len() as f64;
                output.least_cosine = output.least_cosine.min(cosine);
                let row = port.shape.last().copied().unwrap_or(1);
                for (expected, found) in expected.chunks(row).zip(found.chunks(row)) {
                    let equal = match port.scale {
                        None => expected == found,
                        Some(_) => greatest(expected) == greatest(found),
                    };
                    output.rows += 1;
                    output.equal_rows += usize::from(equal);
                }
            }
        }
        Ok(agreement)
    }

    /// What the original answers, by the importer's interpreter in floating point.
    pub fn run_original(&self, inputs: &[Array]) -> Result<Vec<Vec<f32>>, ImportError> {
        self.original(&Interpreter::new(&self.graph)?, inputs)
    }

    fn original(&self, interpreter: &Interpreter, inputs: &[Array]) -> Result<Vec<Vec<f32>>, ImportError> {
        let outputs = interpreter.run(inputs)?;
        let reals = outputs.iter().zip(&self.report.outputs);
        Ok(reals.map(|(output, port)| port.reals(output)).collect())
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
