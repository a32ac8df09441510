//! Import of ONNX files, on the models of this repository.

mod broken_files;
mod decoder;
mod digits_cnn;
mod encoder;
mod exported;
mod files;
