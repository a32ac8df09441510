//! Comparing what an operator answered with the truth.

use imo_protocol::{Receipt, Request};
use opml_runtime::Execution;

/// What comparing a receipt with the own execution says.
#[derive(Debug)]
pub enum Finding {
    /// The model gives the output that was claimed.
    Correct,
    /// It does not; this is what it gives.
    WrongOutput(Box<Execution>),
    /// The receipt is about another model or another input than those at hand: nothing can be said.
    NotComparable,
}

/// Whether a receipt answers what was asked. When it does not, it is the wrong question, whatever its output.
pub fn answers(request: &Request, receipt: &Receipt) -> bool {
    (request.lane, request.sequence, request.salt) == (receipt.lane, receipt.sequence, receipt.salt)
        && (request.model_root, request.input_root) == (receipt.claim.model_root, receipt.claim.input_root)
}

/// Judges a receipt by what the watcher's own copy of the model makes of the payer's input.
pub fn judge(own: Execution, receipt: &Receipt) -> Finding {
    let (truth, claimed) = (own.claim(), receipt.claim);
    if (truth.model_root, truth.input_root) != (claimed.model_root, claimed.input_root) {
        Finding::NotComparable
    } else if truth == claimed {
        Finding::Correct
    } else {
        Finding::WrongOutput(Box::new(own))
    }
}
