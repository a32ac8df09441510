//! One binary, so that it links once.

mod common;
mod digits;
mod malformed;
mod mapped;
mod model_file;
#[path = "../../../opml/tests/operators/nodes.rs"]
mod nodes;
mod referee;
mod synthetic_models;
mod walk;
