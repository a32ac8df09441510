//! The repository's models that come from ONNX, and a wrong element in each kind of operator of theirs.

use std::collections::BTreeMap;

use opml::ops;
use opml_runtime::{Execution, Model, Tensor, fast::Plan, onnx::import_file};

use crate::{
    models::{honest_about, lying_about},
    programs::workspace,
    world::{Asked, usdc},
};

/// Samples that a lie is tried on, when it shows in no output of those before.
const SAMPLES: usize = 8;

/// A model's name in figures, its file, and the folder of its samples, below `models`.
pub type Source = (&'static str, &'static str, &'static str);

pub const DIGITS_CNN: Source = (
    "digits_cnn",
    "digits_cnn/digits_cnn.qdq.int8.onnx",
    "digits_cnn/samples",
);
pub const ENCODER: Source = ("encoder", "encoder/encoder.qdq.int8.onnx", "encoder/samples");
pub const DECODER_PREFILL: Source = (
    "decoder_prefill",
    "decoder/prefill.qdq.int8.onnx",
    "decoder/samples/prefill",
);
pub const DECODER_STEP: Source = ("decoder_step", "decoder/step.qdq.int8.onnx", "decoder/samples/step");

pub const ALL: [Source; 4] = [DIGITS_CNN, ENCODER, DECODER_PREFILL, DECODER_STEP];

/// A model as its import gives it, with inputs of its samples.
pub struct Imported {
    pub name: &'static str,
    pub model: Model,
    inputs: Vec<Tensor>,
}

/// One wrong element, told twice: by an operator, and by a challenger about an operator who is right.
pub struct Lie {
    /// The kind of node that it is in.
    pub operator: &'static str,
    pub node: u32,
    /// The operator's answer, with that element wrong and every later node computed from it.
    pub wrong: Asked,
    /// The true answer to the same.
    pub right: Asked,
    /// What is true.
    pub truth: Execution,
    /// What the operator says in [`Lie::wrong`], as somebody's execution.
    pub slander: Execution,
}

impl Imported {
    /// # Panics
    /// When the repository's own files do not import.
    pub fn open((name, file, samples): Source) -> Self {
        let models = workspace().join("models");
        let imported = import_file(&models.join(file)).expect("the repository's models import");
        let samples = imported
            .samples(&models.join(samples))
            .expect("the repository's samples are its models'");
        let quantise = |inputs: &Vec<_>| imported.quantise(inputs).expect("a sample is an input");
        let inputs = samples.inputs.iter().take(SAMPLES).map(quantise).collect();
        Self {
            name,
            inputs,
            model: imported.model,
        }
    }

    /// One for each kind of operator in the model, in the middle one of its nodes, or the next one in which a lie shows in the output.
    ///
    /// # Panics
    /// When no lie in a kind of operator ever shows.
    pub fn lies(&self, plan: &Plan) -> Vec<Lie> {
        let mut kinds: BTreeMap<u8, Vec<u32>> = BTreeMap::new();
        for (node, record) in (0..).zip(self.model.nodes()) {
            kinds.entry(record.operator).or_default().push(node);
        }
        kinds
            .into_iter()
            .map(|(number, mut nodes)| {
                let operator = ops::operator(number).expect("a model's operators are known").name();
                let middle = nodes.len() / 2;
                nodes.rotate_left(middle);
                self.lie(plan, operator, &nodes)
                    .unwrap_or_else(|| panic!("no lie in {operator} of {} shows in its output", self.name))
            })
            .collect()
    }

    fn lie(&self, plan: &Plan, operator: &'static str, nodes: &[u32]) -> Option<Lie> {
        let mut places = nodes
            .iter()
            .flat_map(|node| self.inputs.iter().map(move |input| (*node, input)));
        let (node, wrong) = places.find_map(|(node, input)| Some((node, lying_about(plan, input, usdc(10), node)?)))?;
        let truth = plan.execute(&wrong.input).expect("the input fits the model");
        let told = wrong.answer.outputs()[..=node as usize].to_vec();
        Some(Lie {
            operator,
            node,
            right: honest_about(&truth, usdc(10)),
            truth,
            slander: plan.resume(&wrong.input, told).expect("the outputs are the model's"),
            wrong,
        })
    }
}
