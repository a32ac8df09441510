//! Import of quantised ONNX models.
//!
//! A model that `onnxruntime`'s static quantiser wrote becomes a model of integers: parse ([`proto`]), check and infer shapes ([`graph`], [`operator`]), find
//! what groups of operators mean together ([`fuse`]), lower ([`lower`]). Floating point ends here: what reaches the model are int8 weights, int32 biases, multipliers with shifts, and tables. Both of the quantiser's formats are
//! read, QDQ (a DequantizeLinear before and a QuantizeLinear after each operator) and QOperator.
//!
//! A file is hostile until it is imported: whatever it holds, the result is a valid model or one sentence, and memory stays in proportion to the file and to what the
//! model itself needs.

mod agreement;
mod array;
mod attributes;
mod error;
mod fuse;
mod graph;
mod interpret;
mod lower;
mod operator;
mod port;
mod proto;
mod qoperator;
mod report;
mod rotary;
mod samples;
#[cfg(test)]
mod tests;

use std::{ops::Range, path::Path};

pub use agreement::{Agreement, OutputAgreement};
pub use array::{Array, Data, Kind};
pub use error::ImportError;
use graph::Graph;
pub use port::Port;
use prost::Message;
pub use report::{Line, Report};
pub use samples::{Samples, parse_npy};

use crate::model::Model;

/// Bytes of a file: what one Protocol Buffers message can have.
const MAX_FILE_BYTES: u64 = 1 << 31;

/// A model, and what it was made of.
#[derive(Debug)]
pub struct Imported {
    pub model: Model,
    pub report: Report,
    graph: Graph,
    /// For each input the integers that it can be, if it is of integers.
    numbers: Vec<Range<i64>>,
}

/// Imports the bytes of an ONNX file.
pub fn import(bytes: &[u8]) -> Result<Imported, ImportError> {
    let proto = proto::Model::decode(bytes).map_err(|error| ImportError::NotOnnx(error.to_string()))?;
    let graph = Graph::read(&proto)?;
    drop(proto);
    let fused = fuse::fuse(&graph)?;
    let (model, report) = lower::lower(&fused)?;
    let numbers = samples::numbers(&fused);
    Ok(Imported {
        model,
        report,
        graph,
        numbers,
    })
}

/// Imports an ONNX file.
pub fn import_file(path: &Path) -> Result<Imported, ImportError> {
    let unreadable = |reason: String| ImportError::NotOnnx(format!("{} cannot be read: {reason}", path.display()));
    let length = std::fs::metadata(path)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if length > MAX_FILE_BYTES {
        return Err(unreadable(format!("it is longer than {MAX_FILE_BYTES} bytes")));
    }
    import(&std::fs::read(path).map_err(|error| unreadable(error.to_string()))?)
}

impl Imported {
    /// Samples in a folder: `inputs.npy`, and recorded answers of the original in `outputs.npy` if it is there; of several inputs or outputs `inputs/NAME.npy` and `outputs/NAME.npy`.
    pub fn samples(&self, folder: &Path) -> Result<Samples, ImportError> {
        Samples::open(folder, &self.graph)
    }

    /// Samples of arrays, one for each input and output, whose first dimension counts them.
    pub fn samples_of(&self, inputs: &[Array], outputs: Option<&[Array]>) -> Result<Samples, ImportError> {
        Samples::new(inputs, outputs, &self.graph).map_err(ImportError::Samples)
    }

    /// Made-up samples in the range that the model's inputs were calibrated for.
    pub fn random_samples(&self, count: usize) -> Samples {
        Samples::random(count, &self.report.inputs, &self.numbers)
    }
}
