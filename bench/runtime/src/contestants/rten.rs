//! rten, with prepacked weights.

use std::{hint::black_box, sync::Arc};

use anyhow::{Result, anyhow};
use opml_runtime::onnx::{Array, Data};
use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::{Tensor, prelude::*};

use super::Contestant;
use crate::cases::Case;

struct Rten {
    model: Model,
    inputs: Vec<(NodeId, Value)>,
    options: RunOptions,
}

pub fn new(case: &Case, threads: usize) -> Result<Box<dyn Contestant>> {
    let model = ModelOptions::with_all_ops()
        .prepack_weights(true)
        .load_file(&case.model)?;
    let inputs = case
        .inputs
        .iter()
        .map(|(name, array)| Ok((model.node_id(name)?, value(array)?)))
        .collect::<Result<_>>()?;
    let pool = Arc::new(ThreadPool::with_num_threads(threads));
    Ok(Box::new(Rten {
        model,
        inputs,
        options: RunOptions::default().with_thread_pool(Some(pool)),
    }))
}

/// It reads int64 as int32.
fn value(array: &Array) -> Result<Value> {
    Ok(match &array.data {
        Data::Float(values) => Tensor::from_data(&array.shape, values.clone()).into(),
        Data::Int64(values) => {
            let values: Vec<i32> = values.iter().map(|value| *value as i32).collect();
            Tensor::from_data(&array.shape, values).into()
        }
        _ => return Err(anyhow!("inputs of floats and int64 are measured")),
    })
}

impl Rten {
    fn outputs(&self) -> Result<Vec<Value>> {
        let inputs = self.inputs.iter().map(|(id, value)| (*id, value.into())).collect();
        Ok(self.model.run(inputs, self.model.output_ids(), Some(self.options.clone()))?)
    }
}

impl Contestant for Rten {
    fn name(&self) -> &str {
        "rten"
    }

    fn run(&mut self) -> Result<()> {
        black_box(self.outputs()?);
        Ok(())
    }

    fn answer(&mut self) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        for output in self.outputs()? {
            let output: Tensor<f32> = output.try_into()?;
            all.extend(output.iter().copied());
        }
        Ok(all)
    }
}
