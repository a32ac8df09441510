//! The verifier for WebAssembly: a browser opens a model file, computes its root and its answers, and compares.
//!
//! [`verify`] has what it does, [`abi`] how JavaScript calls it. The arithmetic is the referee's own ([`opml_runtime::execute`]), not the fast executor's.

pub mod abi;
pub mod verify;
