//! The machine's clock, for the node's own schedule. What the programs decide by time goes by the chain's.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds.
pub fn unix() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
