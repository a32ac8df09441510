//! The fast executor.

use std::hint::black_box;

use anyhow::{Context, Result};
use opml_runtime::{
    Tensor,
    fast::{Plan, PlanOptions},
    onnx::{Array, Imported, import_file},
};

use super::Contestant;
use crate::cases::Case;

pub struct Ours {
    imported: Imported,
    plan: Plan,
    /// In the order of the model's inputs.
    inputs: Vec<Array>,
}

impl Ours {
    pub fn new(case: &Case, threads: usize) -> Result<Self> {
        let imported = import_file(&case.model)?;
        let options = PlanOptions {
            threads: Some(threads),
            ..PlanOptions::default()
        };
        let plan = Plan::with_options(&imported.model, options);
        let inputs = imported
            .report
            .inputs
            .iter()
            .map(|port| {
                let given = case.inputs.iter().find(|(name, _)| *name == port.name);
                let (_, array) = given.with_context(|| format!("no input {}", port.name))?;
                Ok(array.clone())
            })
            .collect::<Result<_>>()?;
        Ok(Self { imported, plan, inputs })
    }

    /// The model's input, quantised.
    pub fn input(&self) -> Result<Tensor> {
        Ok(self.imported.quantise(&self.inputs)?)
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Contestant for Ours {
    fn name(&self) -> &str {
        "ours"
    }

    fn run(&mut self) -> Result<()> {
        black_box(self.answer()?);
        Ok(())
    }

    fn answer(&mut self) -> Result<Vec<f32>> {
        let output = self.plan.run(&self.input()?)?;
        Ok(self.imported.dequantise(&output).concat())
    }
}
