//! The `.imo` format: one sequence of bytes per model, and one clear sentence for each file that is none.

use crate::common::model_and_run;
use opml_runtime::{
    ElementType, Model, ModelError, Operand, Tensor, TensorSpec, execute, model::MAX_EXECUTION_BYTES, synthetic,
};
use proptest::prelude::*;

const NODE_COUNT: usize = 12;
const CONSTANT_COUNT: usize = 16;
const INPUT: usize = 20;
const FIRST_NODE: usize = 38;

fn file() -> Vec<u8> {
    synthetic::dense(&[5, 3, 2], 1).unwrap().to_bytes()
}

fn error(bytes: &[u8]) -> ModelError {
    Model::from_bytes(bytes).expect_err("the file is refused")
}

fn sentence_of_change(change: impl Fn(&mut Vec<u8>)) -> String {
    let mut bytes = file();
    change(&mut bytes);
    error(&bytes).to_string()
}

#[test]
fn given_files_with_one_fault_when_opened_then_one_sentence_names_it() {
    let cases: [(&str, String); 17] = [
        (
            "This is not a model file: it does not start with \"IMOMODEL\".",
            sentence_of_change(|file| file[0] = b'x'),
        ),
        (
            "The model file ends early: the magic bytes need 8 bytes more.",
            sentence_of_change(|file| file.clear()),
        ),
        (
            "The model file has format version 1; this program reads version 2.",
            sentence_of_change(|file| file[8] = 1),
        ),
        (
            "The model uses arithmetic version 9; this program has version 1.",
            sentence_of_change(|file| file[10] = 9),
        ),
        (
            "A model has 1 to 1048576 nodes, but this one has 0.",
            sentence_of_change(|file| file[NODE_COUNT] = 0),
        ),
        (
            "A model has 1 to 1048576 nodes, but this one has 4278190082.",
            sentence_of_change(|file| file[NODE_COUNT + 3] = 255),
        ),
        (
            "A model has at most 1048576 constants, but this one has 4278190088.",
            sentence_of_change(|file| file[CONSTANT_COUNT + 3] = 255),
        ),
        (
            "The model's input is not a tensor: its element type is unknown; 1 is int8 and 2 is int32.",
            sentence_of_change(|file| file[INPUT] = 7),
        ),
        (
            "Node 0 is malformed: no operator has the number 77.",
            sentence_of_change(|file| file[FIRST_NODE] = 77),
        ),
        (
            "Node 0 is malformed: the record's operand count, operand kinds or reserved bytes are not canonical.",
            sentence_of_change(|file| file[FIRST_NODE + 2] = 1),
        ),
        (
            "Node 1 is malformed: operand 0 is a node that does not come before it, or a constant that the model does not have.",
            sentence_of_change(|file| file[FIRST_NODE + 128 + 8] = 1),
        ),
        (
            "Node 0 is malformed: operand 4 is a node that does not come before it, or a constant that the model does not have.",
            sentence_of_change(|file| file[FIRST_NODE + 4 + 4 * 8 + 4] = 99),
        ),
        (
            "Node 0 is malformed: its output's type or shape is not what its operator makes of the operands.",
            sentence_of_change(|file| file[FIRST_NODE + 58] = 4),
        ),
        (
            "Node 0 is malformed: an attribute is out of range or an unused attribute byte is not zero.",
            sentence_of_change(|file| file[FIRST_NODE + 127] = 1),
        ),
        (
            "The bytes before constant 0 are not zero.",
            sentence_of_change(|file| file[FIRST_NODE + 2 * 128 + 8 * 18] = 1),
        ),
        (
            "The model file has 1 bytes after the end of the model.",
            sentence_of_change(|file| file.push(0)),
        ),
        (
            "The model file ends early: the constants' elements need 1 bytes more.",
            sentence_of_change(|file| {
                file.pop();
            }),
        ),
    ];
    for (expected, found) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn given_a_constant_that_claims_gigabytes_when_read_then_the_file_ends_early() {
    let message = sentence_of_change(|file| {
        let first_constant = FIRST_NODE + 2 * 128;
        let huge = TensorSpec::new(ElementType::Int32, &[1 << 24, 1 << 7]).unwrap();
        file[first_constant..first_constant + 18].copy_from_slice(&huge.encode());
    });
    assert!(
        message.starts_with("The model file ends early: the constants' elements need 8589934"),
        "{message}"
    );
}

#[test]
fn given_a_graph_that_needs_too_much_memory_when_built_then_it_is_refused() {
    let spec = TensorSpec::new(ElementType::Int8, &[1 << 12, 1 << 19]).unwrap();
    let mut builder = opml_runtime::Builder::new(spec);
    let mut x = Operand::Input;
    for _ in 0..3 {
        x = builder.clip(x, 0, 1).unwrap();
    }
    let needed = 3u64 << 31;
    assert!(needed > MAX_EXECUTION_BYTES);
    assert_eq!(
        builder.build().unwrap_err().to_string(),
        format!("Running the model needs {needed} bytes for the outputs of its nodes; at most 4294967296 are allowed.")
    );
}

#[test]
fn given_a_path_without_a_file_when_opened_then_the_sentence_names_it() {
    let message = Model::open("/no/such/model.imo").unwrap_err().to_string();
    assert!(
        message.starts_with("The model file /no/such/model.imo cannot be read: "),
        "{message}"
    );
}

#[test]
fn given_an_input_of_another_shape_when_run_then_it_is_refused() {
    let model = synthetic::dense(&[5, 3], 1).unwrap();
    let input = Tensor::from_i8(&[5], &[0; 5]).unwrap();
    assert_eq!(
        execute(&model, &input).unwrap_err().to_string(),
        "The model takes int8 [1, 5] as its input, but int8 [5] was given."
    );
    assert_eq!(
        Tensor::from_i32(&[2], &[1]).unwrap_err().to_string(),
        "A tensor of int32 [2] has 8 bytes, but 4 were given."
    );
}

#[test]
fn given_a_file_when_it_is_cut_at_any_length_then_it_is_refused() {
    let file = file();
    for len in 0..file.len() {
        let message = error(&file[..len]).to_string();
        assert!(
            message.starts_with("The model file ends early: "),
            "{len} bytes: {message}"
        );
    }
}

#[test]
fn given_a_file_when_any_byte_changes_then_it_is_refused_or_another_model() {
    let file = file();
    let root = Model::from_bytes(&file).unwrap().model_root();
    for at in 0..file.len() {
        for value in [0, 1, 2, 3, 127, 128, 255] {
            let mut changed = file.clone();
            changed[at] = value;
            if let (Ok(model), true) = (Model::from_bytes(&changed), changed != file) {
                assert_ne!(model.model_root(), root, "byte {at} is {value}");
                assert_eq!(model.to_bytes(), changed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn given_any_model_when_written_and_read_then_it_is_the_same((model, run) in model_and_run()) {
        let bytes = model.to_bytes();
        let read = Model::from_bytes(&bytes).unwrap();
        prop_assert_eq!(read.model_root(), model.model_root());
        prop_assert_eq!(read.to_bytes(), bytes);
        let again = execute(&read, run.input()).unwrap();
        prop_assert_eq!(again.claim(), run.claim());
        prop_assert_eq!(again.roots(), run.roots());
    }

    #[test]
    fn given_any_bytes_when_read_then_nothing_panics(tail in prop::collection::vec(any::<u8>(), 0..600), node_count in 0u32..4, constant_count in 0u32..4) {
        let mut bytes = file()[..INPUT].to_vec();
        bytes[NODE_COUNT..NODE_COUNT + 4].copy_from_slice(&node_count.to_le_bytes());
        bytes[CONSTANT_COUNT..CONSTANT_COUNT + 4].copy_from_slice(&constant_count.to_le_bytes());
        bytes.extend(&tail);
        let _ = Model::from_bytes(&bytes);
        let _ = Model::from_bytes(&tail);
    }
}
