//! The error for a machine that lacks something, as opposed to code that does not compile.

use std::fmt;

/// One sentence on what this machine lacks and what to do about it. Commands exit with code 2 on it.
#[derive(Debug)]
pub struct Missing(pub String);

impl Missing {
    /// For the Debian route: says what went wrong, then names the other way.
    pub fn or_official_tools(what: impl fmt::Display) -> Self {
        Self(format!(
            "{what}; install the official Solana tools instead, so that `cargo build-sbf` is on the PATH"
        ))
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}
