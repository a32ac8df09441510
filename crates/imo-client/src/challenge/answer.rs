//! What an operator has to stand by.

use opml::{Claim, Hash};
use opml_runtime::{Execution, Tensor, execute::ExecuteError, fast::Plan};

/// Everything that an operator may be asked for about one claim: the output of every node. Honest when it is made of an execution.
#[derive(Clone, Debug)]
pub struct Answer {
    claim: Claim,
    outputs: Vec<Tensor>,
    roots: Vec<Hash>,
}

/// Why an answer cannot be falsified like that.
#[derive(Debug, thiserror::Error)]
pub enum TamperError {
    #[error("The output of node {node} has no element {element}.")]
    NoSuchElement { node: u32, element: u32 },
    #[error(transparent)]
    Input(#[from] ExecuteError),
}

impl From<&Execution> for Answer {
    fn from(execution: &Execution) -> Self {
        Self {
            claim: execution.claim(),
            outputs: execution.outputs().to_vec(),
            roots: execution.roots().to_vec(),
        }
    }
}

impl Answer {
    /// What a dishonest operator stands by, for demonstrations and tests: honest up to `node`, of whose output element `element` becomes `value`, and
    /// honest again from there on. Every other node is what its operator makes of its operands, so that there is exactly one lie to find. `plan` is one of the model of `honest`.
    pub fn tampered(plan: &Plan, honest: &Execution, node: u32, element: u32, value: i32) -> Result<Self, TamperError> {
        let no_such_element = TamperError::NoSuchElement { node, element };
        let Some(mut outputs) = honest.outputs().get(..=node as usize).map(<[_]>::to_vec) else {
            return Err(no_such_element);
        };
        let Some(truth) = outputs.pop() else {
            return Err(no_such_element);
        };
        let size = truth.spec().element().size() as usize;
        let mut bytes = truth.bytes().to_vec();
        let Some(place) = bytes.chunks_exact_mut(size).nth(element as usize) else {
            return Err(no_such_element);
        };
        place.copy_from_slice(&value.to_le_bytes()[..size]);
        outputs.push(Tensor::new(*truth.spec(), bytes).expect("as many bytes as before"));
        Ok(Self::from(&plan.resume(honest.input(), outputs)?))
    }

    /// What the operator committed to.
    pub fn claim(&self) -> Claim {
        self.claim
    }

    /// The model's output, as the operator has it.
    pub fn output(&self) -> &Tensor {
        self.outputs.last().expect("a model has at least one node")
    }

    /// Every node's output, in order.
    pub fn outputs(&self) -> &[Tensor] {
        &self.outputs
    }

    /// The root of every node's output.
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }
}
