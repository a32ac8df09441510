use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{TemporaryFile, assert_refused, imo, stdout, workspace};

fn network() -> String {
    let path = workspace("models/digits_cnn/digits_cnn.qdq.int8.onnx");
    path.to_str().unwrap().to_owned()
}

/// A folder that is gone when this is dropped.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn given_a_quantised_network_when_imported_then_a_model_that_runs_and_a_report() {
    let folder = TemporaryFolder::new("import");
    let model = folder.file("cnn.imo");
    let samples = workspace("models/digits_cnn/samples");
    let output = imo(&[
        "model",
        "import",
        &network(),
        "-o",
        &model,
        "--samples",
        samples.to_str().unwrap(),
    ]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report = stdout(&output);
    for part in [
        "conv1 (Conv) [1, 8, 8, 8] -> 0 Reshape int8 [1, 8, 8, 1]; 1 Patches",
        "against the original in floating point on 360 samples",
        "same maximum in 360 of 360 rows",
        "output  real = ",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
    let image = vec!["0"; 64].join(",");
    let run = imo(&["model", "run", &model, "--input", &image]);
    assert_eq!(run.status.code(), Some(0));
    assert_eq!(stdout(&run).lines().next().unwrap().split(',').count(), 10);
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 1, "no other file is left");
}

#[test]
fn given_a_decoder_step_when_imported_then_its_parts_are_shown_and_it_runs_and_is_verified() {
    let folder = TemporaryFolder::new("decoder");
    let [model, input] = ["step.imo", "input.bin"].map(|name| folder.file(name));
    let network = workspace("models/decoder/step.qdq.int8.onnx");
    let samples = workspace("models/decoder/samples/step");
    let output = imo(&[
        "model",
        "import",
        network.to_str().unwrap(),
        "-o",
        &model,
        "--samples",
        samples.to_str().unwrap(),
        "--first-input",
        &input,
    ]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report = stdout(&output);
    for part in [
        "/model/layers.1/self_attn/q_rotary/Add (RotaryEmbedding) [1, 4, 1, 16]",
        "  bytes 0..4  \"input_ids\" [1, 1]  integers",
        "  bytes 12..1036  \"past_key_values.0.key\" [1, 2, 32, 16]  real = ",
        "  bytes 0..48  \"logits\" [1, 1, 48]  real = ",
        "against the recorded outputs on 8 samples\n  logits\n",
        "same maximum in 8 of 8 rows",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
    assert_eq!(fs::metadata(&input).unwrap().len(), 4108);
    let inspected = imo(&["model", "inspect", &model]);
    assert!(stdout(&inspected).contains("input               int8 [1, 4108]"));
    let run = imo(&["model", "run", &model, "--input", &input]);
    assert_eq!(stdout(&run).lines().next().unwrap().split(',').count(), 176);
    let root = stdout(&run)
        .lines()
        .find_map(|line| line.strip_prefix("output root  "))
        .unwrap()
        .to_owned();
    let verify = |root: &str| imo(&["model", "verify", &model, "--input", &input, "--output-root", root]);
    assert_eq!(verify(&root).status.code(), Some(0));
    assert_eq!(verify(&"00".repeat(32)).status.code(), Some(1));
}

#[test]
fn given_a_file_that_is_no_network_when_imported_then_refused_and_nothing_written() {
    let folder = TemporaryFolder::new("no-network");
    let output = folder.file("model.imo");
    let broken = TemporaryFile::new("broken.onnx", b"not an ONNX model");
    assert_refused(
        &imo(&["model", "import", broken.path(), "-o", &output]),
        "This is not an ONNX model",
    );
    assert_refused(
        &imo(&["model", "import", "/nowhere.onnx", "-o", &output]),
        "cannot be read",
    );
    let nowhere = ["model", "import", &network(), "-o", &output, "--samples", "/nowhere"];
    assert_refused(&imo(&nowhere), "The samples cannot be used");
    assert!(folder.is_empty());
}

#[test]
fn given_an_output_that_cannot_be_written_when_imported_then_refused() {
    let network = network();
    assert_refused(
        &imo(&["model", "import", &network, "-o", "/nowhere/model.imo"]),
        "cannot be written",
    );
    assert_refused(
        &imo(&["model", "import", &network, "-o", &network]),
        "would replace the ONNX file",
    );
    let both = [
        "model",
        "import",
        &network,
        "-o",
        "/tmp/x.imo",
        "--first-input",
        "/tmp/x.imo",
    ];
    assert_refused(&imo(&both), "would replace another file");
    let none = [
        "model",
        "import",
        &network,
        "-o",
        "/nowhere/x.imo",
        "--random",
        "0",
        "--first-input",
        "/nowhere/x.bin",
    ];
    assert_refused(&imo(&none), "no first input");
}
