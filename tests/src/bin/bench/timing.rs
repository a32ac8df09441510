//! Times on a machine that others use too.

use std::time::{Duration, Instant};

use anyhow::Result;

/// The shortest of `runs` times: the others say what somebody else did.
pub fn shortest<T>(runs: usize, mut work: impl FnMut() -> Result<T>) -> Result<Duration> {
    let mut shortest = Duration::MAX;
    for _ in 0..runs {
        let start = Instant::now();
        let result = work()?;
        shortest = shortest.min(start.elapsed());
        drop(result);
    }
    Ok(shortest)
}
