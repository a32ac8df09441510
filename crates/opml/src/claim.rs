//! What an operator commits to when it answers (`docs/protocol.md`, 1.4).

use crate::{
    hash::{Hash, hashv},
    merkle::{self, Domain},
};

/// "This model, run on this input, gives this output."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    pub model_root: Hash,
    pub input_root: Hash,
    pub output_root: Hash,
}

impl Claim {
    /// `H("imo:claim:v1" ‖ model_root ‖ input_root ‖ output_root)`.
    pub fn claim_hash(&self) -> Hash {
        hashv(&[b"imo:claim:v1", &self.model_root, &self.input_root, &self.output_root])
    }
}

/// Leaf `node_index` of a trace: the root of that node's output.
pub fn trace_leaf(node_index: u32, output_root: &Hash) -> Hash {
    merkle::leaf(Domain::TraceEntry, node_index, &[output_root])
}
