//! Nodes of the model, with the node of the graph that each is made for.

use opml::{Operand, TensorSpec};

use super::tidy::{Parts, tidy};
use crate::{
    builder::{BuildError, Builder},
    model::{Model, ModelError},
    onnx::{
        error::{ImportError, Reasoned},
        graph::Graph,
    },
    tensor::Tensor,
};

pub struct Emitter {
    builder: Builder,
    /// The node of the graph that is being lowered; none before the first.
    pub current: Option<usize>,
    /// For each node of the model, the graph's.
    made_for: Vec<Option<usize>>,
}

impl Emitter {
    pub fn new(input: TensorSpec) -> Self {
        Self {
            builder: Builder::new(input),
            current: None,
            made_for: Vec::new(),
        }
    }

    pub fn emit(&mut self, make: impl FnOnce(&mut Builder) -> Result<Operand, BuildError>) -> Reasoned<Operand> {
        let operand = make(&mut self.builder).map_err(sentence)?;
        if let Operand::Node(index) = operand {
            debug_assert_eq!(index as usize, self.made_for.len(), "each call appends one node");
            self.made_for.push(self.current);
        }
        Ok(operand)
    }

    pub fn constant(&mut self, tensor: Tensor) -> Operand {
        self.builder.constant(tensor)
    }

    /// The dimensions that a tensor of the model has.
    pub fn dims_of(&self, operand: Operand) -> Reasoned<Vec<u32>> {
        let spec = self.builder.spec(operand).map_err(sentence)?;
        Ok(spec.shape().to_vec())
    }

    /// Dimensions as the model has them.
    pub fn dims(&self, shape: &[usize]) -> Reasoned<Vec<u32>> {
        shape
            .iter()
            .map(|length| u32::try_from(*length).map_err(|_| format!("shape {shape:?} is too large")))
            .collect()
    }

    pub fn is_last(&self, operand: Operand) -> bool {
        matches!(operand, Operand::Node(index) if index as usize + 1 == self.made_for.len())
    }

    pub fn build(self, graph: &Graph) -> Result<(Model, Vec<Option<usize>>), ImportError> {
        let (input, nodes, constants) = self.builder.into_parts();
        let parts = tidy(Parts {
            nodes,
            constants,
            made_for: self.made_for,
        });
        match Model::new(input, parts.nodes, parts.constants) {
            Ok(model) => Ok((model, parts.made_for)),
            Err(ModelError::Node { index, reason }) => {
                let reason = crate::describe::node_error(reason);
                let reason = format!("what it becomes is not possible: {reason}");
                let made_for = parts.made_for.get(index as usize).copied().flatten();
                Err(match made_for.and_then(|node| graph.nodes.get(node)) {
                    Some(node) => node.error(reason),
                    None => ImportError::Model(format!("has inputs that cannot be used: {reason}")),
                })
            }
            Err(error) => Err(BuildError::Model(error).into()),
        }
    }
}

/// An error as the middle of a sentence.
fn sentence(error: BuildError) -> String {
    let text = error.to_string();
    let text = text.trim_end_matches('.');
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
