//! The repository's models and samples.

use std::path::{Path, PathBuf};

use opml_runtime::onnx::{Array, Imported, Samples, import_file, parse_npy};

pub fn folder(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(model)
}

pub fn read(model: &str, file: &str) -> Vec<u8> {
    std::fs::read(folder(model).join(file)).unwrap()
}

pub fn array(model: &str, file: &str) -> Array {
    parse_npy(&read(model, file)).unwrap()
}

pub fn import(model: &str, file: &str) -> Imported {
    import_file(&folder(model).join(file)).unwrap()
}

/// All test inputs of a model with one, without answers.
pub fn inputs(imported: &Imported, model: &str) -> Samples {
    imported
        .samples_of(&[array(model, "samples/inputs.npy")], None)
        .unwrap()
}

/// All test inputs, with what onnxruntime answered to them.
pub fn recorded(imported: &Imported, model: &str, outputs: &str) -> Samples {
    let inputs = array(model, "samples/inputs.npy");
    imported.samples_of(&[inputs], Some(&[array(model, outputs)])).unwrap()
}
