//! The fast executor computes what the reference computes, on every bit, with every kind of instructions that this machine has.

mod commitments;
mod common;
mod models;
mod nodes;
#[path = "../../../opml/tests/operators/nodes.rs"]
mod random;
mod resume;
mod threads;
