//! Why a file or a graph is not a model.

use std::path::PathBuf;

use opml::{
    ARITHMETIC_VERSION, NodeError, TensorError,
    model::{MAX_CONSTANTS, MAX_NODES},
};

use super::{MAX_EXECUTION_BYTES, file::FORMAT_VERSION};
use crate::describe;

/// Why a file or a graph is not a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("The model file {} cannot be read: {source}.", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("The model file {} was changed while it was in use: nothing that was computed from it counts.", .path.display())]
    Changed { path: PathBuf },
    #[error("This is not a model file: it does not start with \"IMOMODEL\".")]
    NotAModel,
    #[error("The model file has format version {found}; this program reads version {FORMAT_VERSION}.")]
    FormatVersion { found: u16 },
    #[error("The model uses arithmetic version {found}; this program has version {ARITHMETIC_VERSION}.")]
    ArithmeticVersion { found: u16 },
    #[error("The model file ends early: {part} need {missing} bytes more.")]
    Truncated { part: &'static str, missing: u64 },
    #[error("The bytes before constant {constant} are not zero.")]
    Fill { constant: u32 },
    #[error("The model file has {count} bytes after the end of the model.")]
    TrailingBytes { count: usize },
    #[error("A model has 1 to {MAX_NODES} nodes, but this one has {found}.")]
    NodeCount { found: u64 },
    #[error("A model has at most {MAX_CONSTANTS} constants, but this one has {found}.")]
    ConstantCount { found: u64 },
    #[error("The model's input is not a tensor: {}.", describe::tensor_error(*.reason))]
    Input { reason: TensorError },
    #[error("Constant {index} is not a tensor: {}.", describe::tensor_error(*.reason))]
    Constant { index: u32, reason: TensorError },
    #[error("Node {index} is malformed: {}.", describe::node_error(*.reason))]
    Node { index: u32, reason: NodeError },
    #[error(
        "Running the model needs {needed} bytes for the outputs of its nodes; at most {MAX_EXECUTION_BYTES} are allowed."
    )]
    TooMuchMemory { needed: u64 },
}
