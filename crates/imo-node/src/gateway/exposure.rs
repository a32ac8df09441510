//! How much was served and is not collected, over all lanes.

use std::time::{Duration, Instant};

use crate::store::{Store, StoreError};

/// What the database said a moment ago, and what was served here since. What other gateways on the same database serve shows with the next look.
#[derive(Debug, Default)]
pub struct Exposure(tokio::sync::Mutex<Option<Known>>);

#[derive(Debug)]
struct Known {
    units: u64,
    read: Instant,
}

impl Exposure {
    /// Served and not collected, in units, as it was no longer than `age` ago.
    pub async fn units(&self, store: &Store, age: Duration) -> Result<u64, StoreError> {
        let mut known = self.0.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.read.elapsed() < age) {
            return Ok(known.units);
        }
        let read = Instant::now();
        let units = store.owed_units().await?;
        *known = Some(Known { units, read });
        Ok(units)
    }

    /// One more answer.
    pub async fn add(&self, units: u64) {
        if let Some(known) = self.0.lock().await.as_mut() {
            known.units = known.units.saturating_add(units);
        }
    }
}
