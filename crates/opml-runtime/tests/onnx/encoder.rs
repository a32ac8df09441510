//! A small encoder in the manner of BERT: embeddings, attention, layer normalisation, GELU in pieces.

use opml_runtime::execute;

use crate::files::{array, import, inputs, recorded};

const MODEL: &str = "encoder";
const FILE: &str = "encoder.qdq.int8.onnx";

#[test]
fn given_the_encoder_when_imported_then_it_agrees_with_onnxruntime() {
    let imported = import(MODEL, FILE);
    let agreement = imported
        .compare(&recorded(&imported, MODEL, "samples/outputs.npy"))
        .unwrap();
    println!("{agreement:?}\n{}", imported.report);
    assert_eq!(agreement.samples, 200);
    let [logits] = &agreement.outputs[..] else {
        panic!("{agreement:?}")
    };
    assert!(logits.equal_rows * 100 >= logits.rows * 99, "{agreement:?}");
    assert!(logits.mean_cosine > 0.99, "{agreement:?}");
}

#[test]
fn given_the_encoder_when_its_answers_are_compared_with_the_labels_then_they_are_right() {
    let imported = import(MODEL, FILE);
    let labels = array(MODEL, "samples/labels.npy").to_integers().unwrap();
    let samples = inputs(&imported, MODEL);
    let right = samples
        .inputs
        .iter()
        .zip(&labels)
        .filter(|(input, label)| {
            let execution = execute(&imported.model, &imported.quantise(input).unwrap()).unwrap();
            let logits = execution.output().values();
            (0..logits.len()).rev().max_by_key(|i| logits[*i]) == Some(**label as usize)
        })
        .count();
    assert!(right * 100 >= labels.len() * 99, "{right} of {}", labels.len());
}

#[test]
fn given_the_encoder_when_the_interpreter_runs_then_it_is_close_to_onnxruntime() {
    let imported = import(MODEL, FILE);
    let samples = inputs(&imported, MODEL);
    let theirs = array(MODEL, "samples/outputs.npy").to_floats();
    for (input, theirs) in samples.inputs.iter().zip(theirs.chunks(4)).take(30) {
        let ours = imported.run_original(input).unwrap().remove(0);
        assert!(
            ours.iter()
                .zip(theirs)
                .all(|(ours, theirs)| (ours - theirs).abs() < 0.1),
            "{ours:?} {theirs:?}"
        );
    }
}

#[test]
fn given_random_tokens_when_compared_with_the_interpreter_then_close() {
    let imported = import(MODEL, FILE);
    let agreement = imported.compare(&imported.random_samples(10)).unwrap();
    assert!(agreement.outputs[0].mean_cosine > 0.99, "{agreement:?}");
}
