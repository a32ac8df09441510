//! Why a model is not imported: one sentence, which names the node, its operator and the reason.

use crate::builder::BuildError;

/// Characters of a name from a file that a sentence shows.
const SHOWN: usize = 60;
/// Numbers of a list from a file that a sentence shows.
const SHOWN_NUMBERS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("This is not an ONNX model: {0}.")]
    NotOnnx(String),
    #[error("The ONNX model {0}.")]
    Model(String),
    #[error("Node {name} ({operator}): {reason}.")]
    Node {
        name: String,
        operator: String,
        reason: String,
    },
    #[error("The integer model cannot be built: {0}")]
    Build(#[from] BuildError),
    #[error("The samples cannot be used: {0}.")]
    Samples(String),
}

/// What is wrong at a place that the caller names; the middle of a sentence.
pub(super) type Reasoned<T> = Result<T, String>;

/// Numbers from a file, of which a sentence shows the first ones.
pub(super) fn listed(numbers: &[i64]) -> String {
    match numbers.get(..SHOWN_NUMBERS) {
        Some(first) if first.len() < numbers.len() => format!("{first:?} and {} more", numbers.len() - first.len()),
        _ => format!("{numbers:?}"),
    }
}

/// A name from a file in quotes: control characters escaped, and no longer than a line can take.
pub(super) fn quoted(name: &str) -> String {
    match name.char_indices().nth(SHOWN) {
        None => format!("{name:?}"),
        Some((end, _)) => format!("{:?}…", &name[..end]),
    }
}
