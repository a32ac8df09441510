//! tract.

use std::{hint::black_box, sync::Arc};

use anyhow::{Context, Result, anyhow};
use opml_runtime::onnx::{Array, Data};
use tract_linalg::multithread::{Executor, multithread_tract_scope};
use tract_onnx::prelude::*;

use super::Contestant;
use crate::cases::Case;

struct Tract {
    model: Arc<TypedRunnableModel>,
    inputs: TVec<TValue>,
    executor: Executor,
}

pub fn new(case: &Case, threads: usize) -> Result<Box<dyn Contestant>> {
    // The file says "batch" where the inputs below say how many.
    let reader = tract_onnx::onnx()
        .with_ignore_output_shapes(true)
        .with_ignore_value_info(true);
    let mut model = reader.model_for_path(&case.model)?;
    let mut inputs = TVec::new();
    for (i, outlet) in model.input_outlets()?.to_vec().into_iter().enumerate() {
        let name = model.node(outlet.node).name.clone();
        let (_, array) = case
            .inputs
            .iter()
            .find(|(given, _)| *given == name)
            .with_context(|| format!("no input {name}"))?;
        let tensor = tensor(array)?;
        model = model.with_input_fact(i, InferenceFact::dt_shape(tensor.datum_type(), tensor.shape()))?;
        inputs.push(tensor.into_tvalue());
    }
    Ok(Box::new(Tract {
        model: model.into_optimized()?.into_runnable()?,
        inputs,
        executor: match threads {
            1 => Executor::SingleThread,
            count => Executor::multithread(count),
        },
    }))
}

fn tensor(array: &Array) -> Result<Tensor> {
    match &array.data {
        Data::Float(values) => Tensor::from_shape(&array.shape, values),
        Data::Int64(values) => Tensor::from_shape(&array.shape, values),
        _ => return Err(anyhow!("inputs of floats and int64 are measured")),
    }
}

impl Tract {
    fn outputs(&self) -> Result<TVec<TValue>> {
        multithread_tract_scope(self.executor.clone(), || self.model.run(self.inputs.clone()))
    }
}

impl Contestant for Tract {
    fn name(&self) -> &str {
        "tract"
    }

    fn run(&mut self) -> Result<()> {
        black_box(self.outputs()?);
        Ok(())
    }

    fn answer(&mut self) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for output in self.outputs()? {
            all.extend(output.to_plain_array_view::<f32>()?.iter().copied());
        }
        Ok(all)
    }
}
