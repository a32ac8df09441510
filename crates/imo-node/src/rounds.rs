//! Doing something again and again until told to stop.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{chain::Wake, clock, metrics::Metrics};

/// The shortest pause between two rounds, however much there is to hear of: a twentieth of the usual one, within these bounds.
const SHORTEST_BREATH: Duration = Duration::from_millis(100);
const LONGEST_BREATH: Duration = Duration::from_secs(1);

/// Rounds with pauses between them, which end when something changed. A round that is under way when the node stops is left where it is: the next start looks at the chain and the store, as every round does.
pub async fn repeat<F: Future<Output = anyhow::Result<()>>>(
    name: &'static str,
    pause: Duration,
    metrics: &Metrics,
    stop: &CancellationToken,
    mut wake: Wake,
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
        let woken = async {
            tokio::time::sleep((pause / 20).clamp(SHORTEST_BREATH, LONGEST_BREATH)).await;
            wake.changed().await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            () = woken => {}
        }
    }
}
