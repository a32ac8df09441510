//! Where questions wait and are computed. Nothing waits beyond what the queue holds.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// Runs so many questions at once and lets so many wait.
#[derive(Debug)]
pub struct Engine {
    running: Semaphore,
    places: Semaphore,
}

/// The queue is full, or the node stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Engine {
    pub fn new(concurrency: usize, queue: usize) -> Arc<Self> {
        Arc::new(Self {
            running: Semaphore::new(concurrency.max(1)),
            places: Semaphore::new(concurrency.max(1) + queue),
        })
    }

    /// Whether nothing more would be taken.
    pub fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Computes on a thread of its own when its turn has come.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let _turn = self.running.acquire().await.map_err(|_| Busy)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn given_a_full_queue_when_one_more_comes_then_busy_and_the_others_are_computed() {
        let engine = Engine::new(1, 1);
        let (release, wait) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let engine = engine.clone();
            async move { engine.run(move || wait.recv().is_ok()).await }
        });
        let second = tokio::spawn({
            let engine = engine.clone();
            async move { engine.run(|| true).await }
        });
        while !engine.is_full() {
            tokio::task::yield_now().await;
        }
        assert_eq!(engine.run(|| true).await, Err(Busy));
        release.send(()).unwrap();
        assert_eq!(first.await.unwrap(), Ok(true));
        assert_eq!(second.await.unwrap(), Ok(true));
        assert_eq!(engine.run(|| true).await, Ok(true));
    }
}
