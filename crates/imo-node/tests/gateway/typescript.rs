//! What the TypeScript client's completions are compared with: `clients/ts/test/decoder.json`, made here of the decoder's own steps.
//!
//! With `UPDATE_VECTORS=1` in the environment the test writes the file; commit it. Otherwise it is an error when the file differs.

use std::{env, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use imo_node::decoder::Generation;
use opml_runtime::{execute, onnx::import_file};
use serde_json::{Value, json};

use crate::decoder_world::{PROMPT, file, layout, recorded};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn vectors() -> Value {
    let imported = import_file(&file("step.qdq.int8.onnx")).unwrap();
    let (layout, model) = (layout(&imported), &imported.model);
    let tokens = recorded();
    let mut generation = Generation::new(model.input_spec());
    let mut steps = Vec::new();
    for (step, token) in tokens[..tokens.len() - 1].iter().enumerate() {
        let input = generation.question(&layout, *token).unwrap();
        let execution = execute(model, &input).unwrap();
        let output = execution.output();
        generation.take(&layout, output).unwrap();
        let next = layout.next_token(output);
        assert!(step + 1 < PROMPT || next == tokens[step + 1]);
        steps.push(json!({
            "inputRoot": hex(&input.root()),
            "output": STANDARD.encode(output.bytes()),
            "token": (step + 1 >= PROMPT).then_some(next),
        }));
    }
    json!({
        "modelRoot": hex(&model.model_root()),
        "inputSpec": hex(&model.input_spec().encode()),
        "layout": layout,
        "prompt": &tokens[..PROMPT],
        "steps": steps,
    })
}

#[test]
fn given_the_decoder_when_its_steps_are_computed_then_they_are_those_that_typescript_is_tested_with() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/ts/test/decoder.json");
    let made = vectors();
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        serde_json::from_str(&committed).is_ok_and(|committed: Value| committed == made),
        "clients/ts/test/decoder.json is of another decoder; run this test with UPDATE_VECTORS=1 and commit the file"
    );
}
