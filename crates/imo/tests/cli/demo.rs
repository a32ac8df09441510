use serde_json::Value;

use crate::{TemporaryFile, assert_refused, imo, stdout, workspace};

#[test]
fn given_the_programs_when_the_demo_is_played_then_every_balance_is_as_it_must_be() {
    let output = imo(&["demo", "--json"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let shown: Value = serde_json::from_str(stdout(&output)).unwrap();
    let fields: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["balances", "dispute", "steps"]);

    for balance in shown["balances"].as_array().unwrap() {
        assert_eq!(balance["expected"], balance["actual"], "{balance}");
        assert!(balance["owner"].is_string() && balance["mint"].is_string() && balance["actual"].is_u64());
    }
    let steps = shown["steps"].as_array().unwrap();
    assert!(steps.len() > 50);
    for step in steps {
        assert!(step["actor"].is_string() && step["action"].is_string());
        assert!(step["signature"].as_str().unwrap().len() > 80);
        assert!(step["compute_units"].as_u64().unwrap() > 0);
    }
    let figure = |name: &str| shown["dispute"][name].as_u64().unwrap();
    assert!((1..=4).contains(&figure("operator_moves")));
    assert!((6..=12).contains(&figure("transactions")));
    assert!((1..=600_000).contains(&figure("compute_units")));
    assert!((1..=12 * 1_232).contains(&figure("bytes")));
}

#[test]
fn given_no_programs_when_the_demo_is_played_then_told_to_build() {
    let output = imo(&["demo", "--programs", "/nowhere"]);
    assert_refused(&output, "run `cargo xtask build`");
}

#[test]
fn given_a_file_that_is_no_program_when_the_demo_is_played_then_refused() {
    let file = TemporaryFile::new("programs", b"");
    let folder = file.0.with_extension("d");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("model_token.so"), b"not an ELF file").unwrap();
    let output = imo(&["demo", "--programs", folder.to_str().unwrap()]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_refused(&output, "is not a compiled program");
}

#[test]
fn given_no_model_when_the_demo_is_played_then_refused() {
    assert_refused(&imo(&["demo", "--model", "/nowhere"]), "digits.imo");
    let images = TemporaryFile::new("images", b"");
    let folder = images.0.with_extension("m");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(workspace("models/digits/digits.imo"), folder.join("digits.imo")).unwrap();
    std::fs::write(folder.join("test_set.bin"), b"IMOTESTS").unwrap();
    let output = imo(&["demo", "--model", folder.to_str().unwrap()]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_refused(&output, "does not hold test images");
}
