//! What an auditor calls.

mod commit_audit;
mod reveal_audit;

pub use {commit_audit::*, reveal_audit::*};
