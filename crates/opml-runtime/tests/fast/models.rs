//! Whole models.

use std::path::PathBuf;

use opml_runtime::{Model, synthetic};

use crate::common::{assert_equal, plans};

/// Runs on inputs of small words (token ids, positions) and of evenly spread bytes.
fn check(model: &Model) {
    let plans = plans(model);
    for seed in 0..3 {
        assert_equal(model, &plans, &synthetic::tensor(model.input_spec(), seed));
    }
    if model.input_spec().cols().is_multiple_of(4) {
        assert_equal(model, &plans, &synthetic::words(model.input_spec(), 9, 5));
    }
}

#[test]
fn given_the_digits_model_when_run_fast_then_equal_to_the_reference() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models/digits/digits.imo");
    check(&Model::open(path).unwrap());
}

#[test]
fn given_a_dense_network_when_run_fast_then_equal_to_the_reference() {
    check(&synthetic::dense(&[300, 500, 77, 10], 1).unwrap());
}

#[test]
fn given_an_encoder_when_run_fast_then_equal_to_the_reference() {
    check(&synthetic::encoder_block(37, 96, 6, 100, 2).unwrap());
}

#[test]
fn given_a_decoder_when_run_fast_then_equal_to_the_reference() {
    check(&synthetic::decoder_block(33, 64, 4, 3).unwrap());
    check(&synthetic::decoder_step(20, 64, 4, 4).unwrap());
}

#[test]
fn given_a_convolutional_network_when_run_fast_then_equal_to_the_reference() {
    check(&synthetic::conv_net(23, 16, 5).unwrap());
}
