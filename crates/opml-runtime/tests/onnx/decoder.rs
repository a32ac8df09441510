//! A small decoder of LLaMA's kind: RMSNorm, rotary embedding, masks, shared key heads and SiLU in pieces, for a whole prompt and for one step with a cache.

use crate::files::{folder, import};

const MODEL: &str = "decoder";

#[test]
fn given_the_prefill_when_imported_then_it_agrees_with_onnxruntime() {
    let imported = import(MODEL, "prefill.qdq.int8.onnx");
    let samples = imported.samples(&folder(MODEL).join("samples/prefill")).unwrap();
    let agreement = imported.compare(&samples).unwrap();
    println!("{}\n{agreement:?}", imported.report);
}

#[test]
fn given_the_step_when_imported_then_it_agrees_with_onnxruntime() {
    let imported = import(MODEL, "step.qdq.int8.onnx");
    let samples = imported.samples(&folder(MODEL).join("samples/step")).unwrap();
    let agreement = imported.compare(&samples).unwrap();
    println!("{}\n{agreement:?}", imported.report);
}
