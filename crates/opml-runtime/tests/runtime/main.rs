//! One binary, so that it links once.

mod common;
mod digits;
mod model_file;
mod referee;
mod walk;
