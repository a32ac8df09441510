//! A tiny LLaMA as PyTorch's exporter writes it.

use opml_runtime::onnx::Agreement;

use crate::files::{folder, import};

/// The file against what onnxruntime answered. The weights are random: the greatest logit is often nearly the second one, so that the angle says more.
fn agreement(name: &str) -> Agreement {
    let imported = import("decoder/exported", &format!("{name}.qdq.int8.onnx"));
    let samples = imported
        .samples(&folder("decoder/exported/samples").join(name))
        .unwrap();
    let agreement = imported.compare(&samples).unwrap();
    println!("{}\n{agreement:?}", imported.report);
    assert_eq!((agreement.samples, agreement.recorded), (24, true));
    agreement
}

#[test]
fn given_a_whole_sequence_as_exported_when_imported_then_it_agrees_with_onnxruntime() {
    let agreement = agreement("prefill");
    let [logits] = &agreement.outputs[..] else {
        panic!("{agreement:?}")
    };
    assert!(logits.mean_cosine > 0.998, "{logits:?}");
    assert!(logits.equal_rows * 100 >= logits.rows * 95, "{logits:?}");
}

#[test]
fn given_a_step_with_a_cache_as_exported_when_imported_then_it_agrees_with_onnxruntime() {
    let agreement = agreement("step");
    let [logits, key, value] = &agreement.outputs[..] else {
        panic!("{agreement:?}")
    };
    assert!(logits.mean_cosine > 0.998, "{logits:?}");
    assert!(key.mean_cosine > 0.999 && value.mean_cosine > 0.999, "{agreement:?}");
}
