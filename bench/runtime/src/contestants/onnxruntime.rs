//! onnxruntime, loaded from the shared library of its Python package.

use std::{hint::black_box, path::Path};

use anyhow::{Result, anyhow};
use opml_runtime::onnx::{Array, Data};
use ort::{
    environment::Environment,
    logging::LogLevel,
    session::{Session, builder::GraphOptimizationLevel},
    value::{DynValue, Tensor},
};

use super::Contestant;
use crate::cases::Case;

/// The library, loaded once.
pub struct Library(Environment);

impl Library {
    pub fn open(path: &Path) -> Result<Self> {
        let environment = ort::init_from(path)?.with_telemetry(false).build()?;
        environment.set_log_level(LogLevel::Error);
        Ok(Self(environment))
    }

    /// A session on the processor: all optimisations, operators one after the other.
    pub fn session(&self, name: &str, model: &Path, case: &Case, threads: usize) -> Result<OnnxRuntime> {
        let refused = |error: &dyn std::fmt::Display| anyhow!("{}: {error}", model.display());
        let session = Session::builder(&self.0)?
            .with_optimization_level(GraphOptimizationLevel::All)
            .and_then(|builder| builder.with_intra_threads(threads))
            .and_then(|builder| builder.with_inter_threads(1))
            .and_then(|builder| builder.with_parallel_execution(false))
            .map_err(|error| refused(&error))?
            .commit_from_file(model)
            .map_err(|error| refused(&error))?;
        let inputs = case
            .inputs
            .iter()
            .map(|(name, array)| Ok((name.clone(), tensor(array)?)))
            .collect::<Result<_>>()?;
        Ok(OnnxRuntime {
            name: name.to_owned(),
            session,
            inputs,
        })
    }
}

fn tensor(array: &Array) -> Result<DynValue> {
    let shape: Vec<i64> = array.shape.iter().map(|length| *length as i64).collect();
    Ok(match &array.data {
        Data::Float(values) => Tensor::from_array((shape, values.clone()))?.into_dyn(),
        Data::Int64(values) => Tensor::from_array((shape, values.clone()))?.into_dyn(),
        _ => return Err(anyhow!("inputs of floats and int64 are measured")),
    })
}

pub struct OnnxRuntime {
    name: String,
    session: Session,
    inputs: Vec<(String, DynValue)>,
}

impl Contestant for OnnxRuntime {
    fn name(&self) -> &str {
        &self.name
    }

    fn run(&mut self) -> Result<()> {
        let inputs: Vec<_> = self.inputs.iter().map(|(name, value)| (name.as_str(), value)).collect();
        black_box(self.session.run(inputs)?);
        Ok(())
    }

    fn answer(&mut self) -> Result<Vec<f32>> {
        let inputs: Vec<_> = self.inputs.iter().map(|(name, value)| (name.as_str(), value)).collect();
        let outputs = self.session.run(inputs)?;
        let mut all = Vec::new();
        for (_, value) in outputs.iter() {
            all.extend_from_slice(value.try_extract_tensor::<f32>()?.1);
        }
        Ok(all)
    }
}
