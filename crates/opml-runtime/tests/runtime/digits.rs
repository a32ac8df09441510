//! The shipped digits model: the Rust executor agrees with the independent Python implementation that made it.

use std::path::PathBuf;

use opml::ops::{ArgMax, Clip, FullyConnected, Lookup};
use opml_runtime::{Hash, Model, Tensor, execute};
use serde_json::Value;

fn digits(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../models/digits")
        .join(file)
}

fn hex(hash: Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn model() -> Model {
    Model::open(digits("digits.imo")).expect("the shipped model opens")
}

fn accuracy() -> Value {
    let json = std::fs::read(digits("accuracy.json")).expect("the shipped accuracy is there");
    serde_json::from_slice(&json).expect("it is JSON")
}

/// Inputs with their labels.
fn test_set(model: &Model) -> Vec<(Tensor, i32)> {
    let bytes = std::fs::read(digits("test_set.bin")).expect("the shipped test set is there");
    let (magic, rest) = bytes.split_at(8);
    assert_eq!(magic, b"IMOTESTS");
    let (counts, images) = rest.split_at(8);
    let [count, input_bytes] = [0, 4].map(|at| u32::from_le_bytes(counts[at..at + 4].try_into().unwrap()) as usize);
    assert_eq!(images.len(), count * (input_bytes + 1));
    images
        .chunks(input_bytes + 1)
        .map(|record| {
            let (label, pixels) = record.split_last().unwrap();
            (
                Tensor::new(*model.input_spec(), pixels.to_vec()).unwrap(),
                i32::from(*label),
            )
        })
        .collect()
}

#[test]
fn given_the_shipped_model_when_opened_then_it_is_the_recorded_one_and_uses_the_first_four_operators() {
    let model = model();
    assert_eq!(hex(model.model_root()), accuracy()["model_root"]);
    assert_eq!(model.to_bytes(), std::fs::read(digits("digits.imo")).unwrap());
    for operator in [FullyConnected::NUMBER, Clip::NUMBER, Lookup::NUMBER, ArgMax::NUMBER] {
        assert!(
            model.nodes().iter().any(|node| node.operator == operator),
            "operator {operator}"
        );
    }
}

#[test]
fn given_all_test_images_when_classified_then_the_accuracy_is_the_recorded_one() {
    let (model, accuracy) = (model(), accuracy());
    let test_set = test_set(&model);
    let correct = test_set
        .iter()
        .filter(|(image, label)| execute(&model, image).unwrap().output().values() == [*label])
        .count();
    assert_eq!(accuracy["test_images"], test_set.len());
    assert_eq!(accuracy["int8_correct"], correct);
    let int8 = correct as f64 / test_set.len() as f64;
    assert!((accuracy["int8"].as_f64().unwrap() - int8).abs() < 1e-12);
    assert!(int8 >= 0.95);
    assert!(accuracy["float"].as_f64().unwrap() - int8 <= 0.01);
}

#[test]
fn given_the_first_test_image_when_run_then_claim_and_trace_are_those_of_the_other_implementation() {
    let (model, accuracy) = (model(), accuracy());
    let run = execute(&model, &test_set(&model)[0].0).unwrap();
    let expected = &accuracy["first_image"];
    assert_eq!(hex(run.claim().input_root), expected["input_root"]);
    assert_eq!(hex(run.claim().output_root), expected["output_root"]);
    assert_eq!(hex(run.trace_root()), expected["trace_root"]);
    assert_eq!(hex(run.claim().model_root), accuracy["model_root"]);
}
