//! Executes models, commits to what they computed and builds fraud proofs.
//!
//! The arithmetic and the commitments are those of [`opml`], called from here and from the chain. This crate adds what needs memory and files:
//! the model file ([`Model`]), tensors with data, execution, Merkle trees with all their levels, the search for the first wrong
//! place and the witness that proves it wrong.

pub mod builder;
pub mod commit;
pub mod execute;
pub mod fast;
pub mod malformed;
pub mod model;
pub mod onnx;
pub mod progress;
pub mod search;
pub mod synthetic;
pub mod tensor;
pub mod trace;
pub mod witness;

mod describe;

pub use builder::{Builder, Dense};
pub use commit::{TensorTree, Tree};
pub use execute::{Execution, execute};
pub use model::{Model, ModelError};
pub use opml::{Claim, ElementType, Hash, ModelHeader, NodeRecord, Operand, TensorSpec};
pub use tensor::{Tensor, TensorDataError};
pub use trace::ClaimedTrace;
