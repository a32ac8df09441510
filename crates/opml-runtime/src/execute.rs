//! Running a model.

use std::sync::OnceLock;

use opml::{
    Claim, ElementType, Hash, NodeRecord, Operand, TensorSpec,
    claim::trace_leaf,
    model::MAX_OPERANDS,
    ops::{self, Operator, RowStatistics},
};

use rayon::prelude::*;

use crate::{commit::Tree, describe, model::Model, tensor::Tensor};

/// Why a model does not run on an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecuteError {
    #[error("The model takes {} as its input, but {} was given.", describe::spec(.expected), describe::spec(.found))]
    InputSpec { expected: TensorSpec, found: TensorSpec },
    #[error("The output that was given for node {node} is not one of that node.")]
    OutputSpec { node: usize },
}

/// What a model computed: the output of every node, and the commitments to them, which are hashed when first asked for.
#[derive(Debug)]
pub struct Execution {
    model_root: Hash,
    input: Tensor,
    outputs: Vec<Tensor>,
    roots: OnceLock<Vec<Hash>>,
}

impl Execution {
    pub(crate) fn new(model_root: Hash, input: Tensor, outputs: Vec<Tensor>) -> Self {
        Self {
            model_root,
            input,
            outputs,
            roots: OnceLock::new(),
        }
    }

    pub fn input(&self) -> &Tensor {
        &self.input
    }

    /// Every node's output, in order.
    pub fn outputs(&self) -> &[Tensor] {
        &self.outputs
    }

    /// The model's output: that of the last node.
    pub fn output(&self) -> &Tensor {
        self.outputs.last().expect("a model has at least one node")
    }

    /// What an operator commits to when it answers. Hashes the input and the output only.
    pub fn claim(&self) -> Claim {
        Claim {
            model_root: self.model_root,
            input_root: self.input.root(),
            output_root: self.output().root(),
        }
    }

    /// The root of every node's output.
    pub fn roots(&self) -> &[Hash] {
        self.roots
            .get_or_init(|| self.outputs.par_iter().map(Tensor::root).collect())
    }

    /// The tree over [`Execution::roots`].
    pub fn trace(&self) -> Tree {
        trace_tree(self.roots())
    }

    pub fn trace_root(&self) -> Hash {
        self.trace().root()
    }
}

/// The tree of a trace with these output roots.
pub fn trace_tree(roots: &[Hash]) -> Tree {
    Tree::list((0..).zip(roots).map(|(node, root)| trace_leaf(node, root)).collect())
}

/// Runs `model` on `input`. Every element is computed by the operator that the referee calls.
pub fn execute(model: &Model, input: &Tensor) -> Result<Execution, ExecuteError> {
    if input.spec() != model.input_spec() {
        return Err(ExecuteError::InputSpec {
            expected: *model.input_spec(),
            found: *input.spec(),
        });
    }
    let mut outputs: Vec<Tensor> = Vec::with_capacity(model.nodes().len());
    for node in model.nodes() {
        let operands: Vec<&Tensor> = node
            .operands
            .iter()
            .map_while(|operand| match operand {
                Operand::None => None,
                Operand::Input => Some(input),
                Operand::Node(index) => outputs.get(*index as usize),
                Operand::Constant(index) => model.constants().get(*index as usize),
            })
            .collect();
        let output = run_node(node, &model.operand_specs(node), &operands)
            .expect("a model's nodes were validated, and operators are total on valid nodes");
        outputs.push(output);
    }
    Ok(Execution::new(model.model_root(), input.clone(), outputs))
}

/// The output of one node.
pub(crate) fn run_node(node: &NodeRecord, specs: &[TensorSpec], operands: &[&Tensor]) -> Option<Tensor> {
    let operator = ops::operator(node.operator)?;
    let mut data = Vec::with_capacity(node.output.byte_len() as usize);
    let mut statistics = RowStatistics::default();
    for element in 0..node.output.elements() {
        let regions = regions(operator, node, specs, operands, element)?;
        let regions = regions.get(..operands.len())?;
        if element % node.output.cols() == 0 {
            statistics = operator.row_statistics(node, specs, regions, element)?;
        }
        let value = operator.element(node, specs, regions, element, &statistics)?;
        match node.output.element() {
            ElementType::Int8 => data.push(value as i8 as u8),
            ElementType::Int32 => data.extend(value.to_le_bytes()),
        }
    }
    Tensor::new(node.output, data).ok()
}

/// The part of each operand that an output element depends on.
fn regions<'a>(
    operator: &dyn Operator,
    node: &NodeRecord,
    specs: &[TensorSpec],
    operands: &[&'a Tensor],
    element: u32,
) -> Option<[&'a [u8]; MAX_OPERANDS]> {
    let mut regions = [&[][..]; MAX_OPERANDS];
    for (i, tensor) in operands.iter().enumerate() {
        let region = operator.region(node, specs, i, element, &regions[..i])?;
        *regions.get_mut(i)? = tensor.region(region)?;
    }
    Some(regions)
}
