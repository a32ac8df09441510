//! One line for each long step: what is being done, then how long it took.

use anyhow::Result;
use std::{
    io::{Write, stderr},
    time::Instant,
};

/// Prints `what`, runs `work`, prints the seconds it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    eprint!("{what} ... ");
    // A line that could not be flushed only appears later.
    let _ = stderr().flush();
    let result = work();
    let seconds = start.elapsed().as_secs_f32();
    match &result {
        Ok(_) => eprintln!("{seconds:.1} s"),
        Err(_) => eprintln!("failed after {seconds:.1} s"),
    }
    result
}
