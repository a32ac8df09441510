//! Runtimes with a model loaded and its inputs prepared.

pub mod onnxruntime;
pub mod ours;
pub mod rten;
pub mod tract;

use anyhow::Result;

pub trait Contestant {
    /// In the figures' names.
    fn name(&self) -> &str;

    /// One run, from the ONNX model's inputs to its outputs.
    fn run(&mut self) -> Result<()>;

    /// All outputs of a run as floats, one after the other.
    fn answer(&mut self) -> Result<Vec<f32>>;
}
