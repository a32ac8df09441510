//! Telling whoever waits how far long work is.

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Hashing a model's constants. Units are bytes.
    Commit,
    /// Running a model. Units are of no meaning but in proportion to the work.
    Run,
    /// Comparing an imported model with its original. Units are samples.
    Compare,
}

/// Is told about one stage after the other. `()` does not listen.
pub trait Progress: Sync {
    /// Work of `total` units begins; the stage before it, if any, is over.
    fn begin(&self, _stage: Stage, _total: u64) {}

    /// So many units more are done. Called from any thread.
    fn advance(&self, _units: u64) {}
}

impl Progress for () {}
