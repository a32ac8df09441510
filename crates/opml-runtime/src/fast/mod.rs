//! The fast executor: the same bits as [`crate::execute()`], at the speed of the processor.
//!
//! [`Plan::new`] looks at a model once: it packs weights that meet many rows, joins nodes that need only the same rows of one another into steps, and gives outputs that
//! are never alive together the same memory. [`Plan::run`] then computes the output, [`Plan::execute`] the output of every node
//! and the commitment to it.
//!
//! There is one semantics, that of the operators in `opml`. Nothing here may differ from it in a bit, which the tests check for every kind of processor.

mod hash;
mod kernels;
mod memory;
mod nodes;
mod plan;
mod steps;
mod threads;

pub(crate) use hash::root;
pub use hash::tensor_root;
pub use kernels::Level;
pub use plan::{Plan, PlanOptions};
