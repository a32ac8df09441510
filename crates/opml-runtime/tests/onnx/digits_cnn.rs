//! A convolutional network: integers against onnxruntime's recorded answers, and against the importer's own floating point.

use opml_runtime::execute;

use crate::files::{array, folder, import, inputs, read, recorded};

const MODEL: &str = "digits_cnn";
const VARIANTS: [&str; 3] = ["qdq.int8", "qdq.uint8", "qoperator.uint8"];

/// Correct answers of the integer model, and of onnxruntime as `train.py` recorded it.
fn accuracies(variant: &str) -> (f64, f64) {
    let imported = import(MODEL, &format!("digits_cnn.{variant}.onnx"));
    let labels = array(MODEL, "samples/labels.npy").to_integers().unwrap();
    let samples = inputs(&imported, MODEL);
    let correct = samples
        .inputs
        .iter()
        .zip(&labels)
        .filter(|(input, label)| {
            let execution = execute(&imported.model, &imported.quantise(input).unwrap()).unwrap();
            let logits = execution.output().values();
            let best = (0..logits.len()).rev().max_by_key(|i| logits[*i]);
            best == Some(**label as usize)
        })
        .count();
    let report: serde_json::Value = serde_json::from_slice(&read(MODEL, "accuracy.json")).unwrap();
    let theirs = report[format!("digits_cnn.{variant}")].as_f64().unwrap();
    (correct as f64 / labels.len() as f64, theirs)
}

#[test]
fn given_the_network_in_each_format_when_imported_then_it_agrees_with_onnxruntime() {
    for variant in VARIANTS {
        let imported = import(MODEL, &format!("digits_cnn.{variant}.onnx"));
        let samples = recorded(&imported, MODEL, &format!("samples/outputs.{variant}.npy"));
        let agreement = imported.compare(&samples).unwrap();
        println!("{variant}: {agreement:?}");
        assert_eq!(agreement.samples, 360);
        let logits = &agreement.outputs[0];
        assert!(logits.equal_rows * 100 >= logits.rows * 99, "{variant}: {agreement:?}");
        assert!(logits.mean_cosine > 0.999, "{variant}: {agreement:?}");
    }
}

#[test]
fn given_the_network_in_each_format_when_imported_then_its_accuracy_is_within_a_point() {
    for variant in VARIANTS {
        let (ours, theirs) = accuracies(variant);
        println!("{variant}: {ours:.4}, onnxruntime {theirs:.4}");
        assert!((ours - theirs).abs() <= 0.01, "{variant}: {ours} against {theirs}");
    }
}

#[test]
fn given_made_up_inputs_when_compared_with_the_interpreter_then_close() {
    let imported = import(MODEL, "digits_cnn.qdq.int8.onnx");
    let agreement = imported.compare(&imported.random_samples(20)).unwrap();
    println!("{agreement:?}");
    assert!(!agreement.recorded);
    assert!(agreement.outputs[0].mean_cosine > 0.999, "{agreement:?}");
}

#[test]
fn given_recorded_answers_when_the_interpreter_runs_then_it_gives_them() {
    // The interpreter is what users compare with when nothing was recorded. In the QDQ file the average pool keeps its scale, so that a quarter of its results
    // are ties, which onnxruntime's floats break one way and ours the other.
    for (variant, least_equal) in [("qoperator.uint8", 100), ("qdq.int8", 80)] {
        let imported = import(MODEL, &format!("digits_cnn.{variant}.onnx"));
        let samples = inputs(&imported, MODEL);
        let theirs = array(MODEL, &format!("samples/outputs.{variant}.npy")).to_floats();
        let (step, _) = imported.report.outputs[0].scale.unwrap();
        let ours = samples
            .inputs
            .iter()
            .take(40)
            .flat_map(|input| imported.run_original(input).unwrap().remove(0));
        let steps: Vec<f32> = ours
            .zip(&theirs)
            .map(|(ours, theirs)| ((ours - theirs) / step).round().abs())
            .collect();
        let equal = steps.iter().filter(|steps| **steps == 0.0).count();
        assert!(steps.iter().all(|steps| *steps <= 1.0), "{variant}");
        assert!(
            equal * 100 >= steps.len() * least_equal,
            "{variant}: {equal} of {} are equal",
            steps.len()
        );
    }
}

#[test]
fn given_a_folder_of_samples_when_opened_then_the_inputs_are_there() {
    let imported = import(MODEL, "digits_cnn.qdq.int8.onnx");
    let samples = imported.samples(&folder(MODEL).join("samples")).unwrap();
    assert_eq!((samples.inputs.len(), samples.outputs), (360, None));
}

#[test]
fn given_the_network_when_imported_then_activations_are_fused_and_images_have_their_channels_last() {
    let imported = import(MODEL, "digits_cnn.qdq.int8.onnx");
    let names: Vec<_> = imported
        .model
        .nodes()
        .iter()
        .map(|node| opml::ops::operator(node.operator).unwrap().name())
        .collect();
    assert!(!names.contains(&"Clip") && !names.contains(&"Lookup"), "{names:?}");
    // Only Flatten needs the graph's order of dimensions.
    assert_eq!(
        names.iter().filter(|name| **name == "Transpose").count(),
        1,
        "{names:?}"
    );
}

#[test]
fn given_the_same_file_when_imported_twice_then_the_same_model() {
    let root = || import(MODEL, "digits_cnn.qdq.int8.onnx").model.model_root();
    assert_eq!(root(), root());
}
