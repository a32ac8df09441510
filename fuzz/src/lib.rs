//! What must hold for any bytes from strangers: files of models, samples, witnesses, accounts, signatures.
//!
//! Each function of [`TARGETS`] takes bytes, feeds them to a decoder and panics when a promise is broken. `cargo xtask fuzz` looks for bytes that do so
//! (`libfuzzer/`); `tests/corpus.rs` runs the bytes of `corpus/`, so that what was found once stays fixed.

mod accounts;
mod models;
mod onnx;
mod parts;
mod referee;
mod samples;

/// A target's name, which is also that of its folder in `corpus/`, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 5] = [
    ("accounts", accounts::check),
    ("model_file", models::check_file),
    ("onnx", onnx::check),
    ("referee", referee::check),
    ("samples", samples::check),
];

/// Runs one target.
///
/// # Panics
/// When no target has this name, or the bytes break a promise.
pub fn run(target: &str, bytes: &[u8]) {
    let (_, check) = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a name of TARGETS");
    check(bytes);
}

/// An error that people read: one sentence on one line.
fn assert_sentence(error: &impl std::fmt::Display) {
    let text = error.to_string();
    assert!(
        text.ends_with('.') && text.len() < 600 && !text.contains('\n'),
        "no sentence: {text}"
    );
}
