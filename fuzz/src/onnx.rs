//! ONNX files.

use opml_runtime::{Model, onnx::import};

use crate::models::check_execution;

/// A file is refused with a sentence, or becomes a model that can be written, read and run.
pub fn check(bytes: &[u8]) {
    match import(bytes) {
        Err(error) => super::assert_sentence(&error),
        Ok(imported) => {
            let file = imported.model.to_bytes();
            let read = Model::from_bytes(&file).expect("an imported model is a valid one");
            assert_eq!(read.model_root(), imported.model.model_root());
            check_execution(&imported.model);
        }
    }
}
