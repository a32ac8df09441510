use crate::{TemporaryFile, assert_refused, digits, imo, stdout, workspace};

/// Where the first node's record is in a model file, and its output's specification in the record.
const FIRST_NODE: usize = 38;
const OUTPUT: usize = FIRST_NODE + 52;

/// The first test image: its bytes.
fn image() -> Vec<u8> {
    std::fs::read(workspace("models/digits/test_set.bin")).unwrap()[16..80].to_vec()
}

/// What `models/digits/train.py` computed for the same image.
fn expected(field: &str) -> String {
    let accuracy = std::fs::read(workspace("models/digits/accuracy.json")).unwrap();
    let accuracy: serde_json::Value = serde_json::from_slice(&accuracy).unwrap();
    match &accuracy[field] {
        serde_json::Value::Null => &accuracy["first_image"][field],
        found => found,
    }
    .as_str()
    .unwrap()
    .to_owned()
}

/// The digits model with bytes replaced.
fn changed(name: &str, at: usize, bytes: &[u8]) -> TemporaryFile {
    let mut model = std::fs::read(digits()).unwrap();
    model[at..at + bytes.len()].copy_from_slice(bytes);
    TemporaryFile::new(name, &model)
}

#[test]
fn given_the_digits_model_when_inspected_then_its_root_and_every_operator() {
    let output = imo(&["model", "inspect", &digits()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains(&expected("model_root")));
    assert!(stdout(&output).contains("int32 [1, 1] = ArgMax(node 4)"));
}

#[test]
fn given_an_image_when_run_then_the_roots_that_python_computes() {
    let image_file = TemporaryFile::new("image.bin", &image());
    let output = imo(&["model", "run", &digits(), "--input", image_file.path()]);
    assert_eq!(output.status.code(), Some(0));
    for field in ["model_root", "input_root", "output_root", "trace_root"] {
        assert!(stdout(&output).contains(&expected(field)), "{field}");
    }
}

#[test]
fn given_an_image_as_values_when_run_then_the_same() {
    let values: Vec<_> = image().into_iter().map(|pixel| (pixel as i8).to_string()).collect();
    let values = values.join(",");
    let file = TemporaryFile::new("image.csv", values.as_bytes());
    for input in [values.as_str(), file.path()] {
        let output = imo(&["model", "run", &digits(), "--input", input]);
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains(&expected("output_root")));
    }
}

#[test]
fn given_a_claim_when_verified_then_exit_code_0_or_1() {
    let image = TemporaryFile::new("verified.bin", &image());
    let verify = |root: &str| {
        imo(&[
            "model",
            "verify",
            &digits(),
            "--input",
            image.path(),
            "--output-root",
            root,
        ])
    };
    assert_eq!(verify(&expected("output_root")).status.code(), Some(0));
    let wrong = verify(&"ab".repeat(32));
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stdout(&wrong).contains(&expected("output_root")));
}

#[test]
fn given_an_output_root_that_is_none_when_verified_then_refused() {
    let image = TemporaryFile::new("rootless.bin", &image());
    let output = imo(&[
        "model",
        "verify",
        &digits(),
        "--input",
        image.path(),
        "--output-root",
        "abc",
    ]);
    assert_refused(&output, "64 hexadecimal digits");
}

#[test]
fn given_a_truncated_model_when_opened_then_refused() {
    let model = std::fs::read(digits()).unwrap();
    for len in [0, 5, 30, 100, 1_000, model.len() - 1] {
        let file = TemporaryFile::new(&format!("truncated-{len}.imo"), &model[..len]);
        assert_refused(&imo(&["model", "inspect", file.path()]), "ends early");
    }
}

#[test]
fn given_a_model_with_bytes_after_its_end_when_opened_then_refused() {
    let mut model = std::fs::read(digits()).unwrap();
    model.push(0);
    let file = TemporaryFile::new("longer.imo", &model);
    assert_refused(&imo(&["model", "inspect", file.path()]), "after the end");
}

#[test]
fn given_an_unknown_operator_when_opened_then_refused() {
    let file = changed("operator.imo", FIRST_NODE, &[200]);
    assert_refused(
        &imo(&["model", "inspect", file.path()]),
        "no operator has the number 200",
    );
}

#[test]
fn given_a_shape_that_does_not_fit_when_opened_then_refused() {
    // The second dimension of the first node's output: 47 instead of 48.
    let file = changed("shape.imo", OUTPUT + 2 + 4, &[47]);
    assert_refused(&imo(&["model", "inspect", file.path()]), "Node 0 is malformed");
}

#[test]
fn given_an_image_of_the_wrong_size_when_run_then_refused() {
    for bytes in [vec![], vec![1; 63], vec![1; 65], b"1,2,3".to_vec()] {
        let file = TemporaryFile::new(&format!("size-{}.bin", bytes.len()), &bytes);
        let output = imo(&["model", "run", &digits(), "--input", file.path()]);
        assert_refused(&output, "int8 [1, 64]");
    }
    assert_refused(&imo(&["model", "run", &digits(), "--input", "1,2,3"]), "64 values");
}

#[test]
fn given_values_out_of_range_when_run_then_refused() {
    let values = ["300"; 64].join(",");
    assert_refused(&imo(&["model", "run", &digits(), "--input", &values]), "64 values");
}

#[test]
fn given_a_file_that_is_not_there_when_named_then_refused() {
    assert_refused(&imo(&["model", "inspect", "/nowhere/model.imo"]), "/nowhere/model.imo");
    assert_refused(
        &imo(&["model", "run", &digits(), "--input", "/nowhere/image.bin"]),
        "/nowhere/image.bin",
    );
}
