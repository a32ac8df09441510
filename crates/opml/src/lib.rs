//! Tensors, quantised operators, commitments and the referee's check.
//!
//! The chain and the node compile this crate from the same source, so that the operator that answers, the watcher that re-executes
//! and the program that judges agree on every bit. It has no floating point, allocates nothing and never panics on data:
//! operators are defined for every byte pattern of their operands.
//!
//! The bytes are specified in `docs/protocol.md` (section 1), the arithmetic in `docs/operators.md`.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod claim;
pub mod hash;
pub mod malformed;
pub mod merkle;
pub mod model;
pub mod ops;
pub mod referee;
pub mod tensor;

mod bytes;

pub use claim::Claim;
pub use hash::{Hash, hashv};
pub use merkle::{Domain, Frontier, Layout, PAD};
pub use model::{ConstantRecord, ModelHeader, NodeError, NodeRecord, Operand};
pub use referee::{RefereeError, Verdict};
pub use tensor::{ElementType, TensorError, TensorSpec};

/// The arithmetic that this crate implements. Its limits and results never change; another arithmetic is another number.
pub const ARITHMETIC_VERSION: u16 = 1;
