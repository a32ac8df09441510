//! Doing something again and again until told to stop.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{clock, metrics::Metrics};

/// Rounds with pauses between them. A round that is under way when the node stops is left where it is: the next start looks at the chain and the store, as every round does.
pub async fn repeat<F: Future<Output = anyhow::Result<()>>>(
    name: &'static str,
    pause: Duration,
    metrics: &Metrics,
    stop: &CancellationToken,
    mut round: impl FnMut() -> F,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            result = round() => match result {
                Ok(()) => metrics.went_through(name, clock::unix()),
                Err(error) => tracing::warn!(round = name, error = format!("{error:#}"), "a round did not go through"),
            },
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
