//! Recomputing what an operator answered.

use imo_protocol::{Receipt, Request};
use opml_runtime::{Execution, Model, Tensor, execute::ExecuteError};

/// What came out of recomputing a receipt.
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

/// Recomputes one receipt on the watcher's own copy of the model. `input` is what the payer asked about.
pub fn recompute(model: &Model, input: &Tensor, receipt: &Receipt) -> Result<Finding, ExecuteError> {
    let own = opml_runtime::execute(model, input)?;
    let (truth, claimed) = (own.claim(), receipt.claim);
    Ok(
        if (truth.model_root, truth.input_root) != (claimed.model_root, claimed.input_root) {
            Finding::NotComparable
        } else if truth == claimed {
            Finding::Correct
        } else {
            Finding::WrongOutput(Box::new(own))
        },
    )
}
