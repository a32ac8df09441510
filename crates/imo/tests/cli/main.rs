//! The command as a user runs it.

mod complete;
mod demo;
mod import;
mod localnet;
mod migrate;
mod model;
mod pay;
mod status;
mod views;

#[path = "../../../imo-node/tests/gateway/decoder_world.rs"]
#[allow(dead_code, reason = "the gateway's own tests use all of it")]
mod decoder_world;
#[path = "../../../imo-node/tests/gateway/middleman.rs"]
#[allow(dead_code, reason = "the gateway's own tests use all of it")]
mod middleman;
#[path = "../../../imo-node/tests/gateway/world.rs"]
#[allow(dead_code, reason = "the gateway's own tests use all of it")]
mod world;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Runs `imo` with these arguments.
fn imo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_imo"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

/// Checks that the command refused its input: exit code 2, one sentence that says `about`, and nothing printed as a result.
fn assert_refused(output: &Output, about: &str) {
    let sentence = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{sentence}");
    assert!(sentence.contains(about), "{sentence}");
    assert_eq!(sentence.trim_end().lines().count(), 1, "{sentence}");
    assert_eq!(stdout(output), "");
}

/// A folder of the workspace.
fn workspace(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(relative)
}

fn digits() -> String {
    workspace("models/digits/digits.imo").to_str().unwrap().to_owned()
}

/// A file that is gone when this is dropped.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // A file that cannot be removed fails no test.
        let _ = std::fs::remove_file(&self.0);
    }
}
