//! Accounts that were read a moment ago.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anchor_lang::prelude::Pubkey;
use tokio::sync::Semaphore;

use super::{Accounts, ChainError, RawAccount};

/// Sets of accounts that are kept, at most.
const CAPACITY: usize = 16_384;

/// Accounts that were read together.
pub type AccountSet = Arc<Vec<Option<RawAccount>>>;

/// Reads sets of accounts, and gives the same ones out for a short time. Its memory is bounded, and so is how much it asks the RPC at once.
pub struct Cache {
    chain: Arc<dyn Accounts>,
    age: Duration,
    looking_up: Semaphore,
    sets: Mutex<HashMap<Vec<Pubkey>, (Instant, AccountSet)>>,
}

impl Cache {
    /// `age` is how old an account may be, `look_ups` how many may wait for the RPC at once.
    pub fn new(chain: Arc<dyn Accounts>, age: Duration, look_ups: usize) -> Self {
        Self {
            chain,
            age,
            looking_up: Semaphore::new(look_ups),
            sets: Mutex::default(),
        }
    }

    /// The accounts at these addresses, read together no longer than the age ago.
    pub async fn accounts(&self, addresses: &[Pubkey]) -> Result<AccountSet, ChainError> {
        if let Some(found) = self.fresh(addresses) {
            return Ok(found);
        }
        let _permit = self.looking_up.try_acquire().map_err(|_| ChainError::Busy)?;
        // Counted from before the request: what is read is at least as new.
        let read = Instant::now();
        let found = Arc::new(self.chain.accounts(addresses).await?);
        if let Ok(mut sets) = self.sets.lock() {
            if sets.len() >= CAPACITY {
                sets.retain(|_, (read, _)| read.elapsed() < self.age);
                if sets.len() >= CAPACITY {
                    sets.clear();
                }
            }
            sets.insert(addresses.to_vec(), (read, found.clone()));
        }
        Ok(found)
    }

    /// Forgets everything, after something was written.
    pub fn clear(&self) {
        if let Ok(mut sets) = self.sets.lock() {
            sets.clear();
        }
    }

    fn fresh(&self, addresses: &[Pubkey]) -> Option<AccountSet> {
        let sets = self.sets.lock().ok()?;
        let (read, set) = sets.get(addresses)?;
        (read.elapsed() < self.age).then(|| set.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Counting(AtomicUsize);

    #[async_trait::async_trait]
    impl Accounts for Counting {
        async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<RawAccount>>, ChainError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(vec![None; addresses.len()])
        }
    }

    #[tokio::test]
    async fn given_a_fresh_account_when_read_again_then_the_rpc_is_not_asked_until_it_is_old() {
        let chain = Arc::new(Counting(AtomicUsize::new(0)));
        let cache = Cache::new(chain.clone(), Duration::from_millis(200), 1);
        let key = [Pubkey::new_unique()];
        cache.accounts(&key).await.unwrap();
        cache.accounts(&key).await.unwrap();
        assert_eq!(chain.0.load(Ordering::SeqCst), 1);
        tokio::time::sleep(Duration::from_millis(250)).await;
        cache.accounts(&key).await.unwrap();
        assert_eq!(chain.0.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn given_more_look_ups_than_allowed_when_asked_then_busy() {
        let chain = Arc::new(Counting(AtomicUsize::new(0)));
        let cache = Cache::new(chain, Duration::from_secs(1), 1);
        let (first, second) = ([Pubkey::new_unique()], [Pubkey::new_unique()]);
        let (first, second) = tokio::join!(cache.accounts(&first), cache.accounts(&second));
        assert!(first.is_ok());
        assert!(matches!(second, Err(ChainError::Busy)));
    }
}
