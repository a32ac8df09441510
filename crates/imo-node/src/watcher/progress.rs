//! What a watcher remembers of the reports that it looks at, until it has seen all of them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use anchor_lang::prelude::Pubkey;
use imo_client::trees::ReceiptTree;
use imo_protocol::{Deadline, Now, Receipt};
use opml_oracle::state::Report;

use super::{WatchedModel, WatcherLoop};
use crate::metrics::Metrics;

/// An answer: its lane, and the index of its receipt in the lane's Collection.
pub(super) type At = (Pubkey, u32);

/// How far the look at a report has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Until when it can be disputed, as it was when last looked at.
    pub window: Deadline,
    /// Indices of receipts whose answers were found right, by lane.
    right: HashMap<Pubkey, HashSet<u32>>,
    /// Receipts that an endpoint gave and that are those that were collected, by lane.
    pub published: HashMap<Pubkey, Arc<(ReceiptTree, Vec<Receipt>)>>,
    /// How many answers were found right of lanes that nothing is left to look at.
    done: HashMap<Pubkey, u64>,
    /// How often the endpoint failed to give an input.
    failures: HashMap<At, u32>,
    /// Inputs that are demanded on chain.
    demanded: HashSet<At>,
    /// Collections that this watcher may not look into.
    pub private: HashSet<Pubkey>,
    /// What could not be looked at in the last round.
    pub missing: u64,
}

impl Progress {
    pub fn is_right(&self, (lane, index): At) -> bool {
        self.right.get(&lane).is_some_and(|right| right.contains(&index))
    }

    pub fn is_done(&self, lane: &Pubkey) -> bool {
        self.done.contains_key(lane)
    }

    pub fn is_demanded(&self, at: At) -> bool {
        self.demanded.contains(&at)
    }

    pub fn found_right(&mut self, at: At) {
        let (lane, index) = at;
        self.right.entry(lane).or_default().insert(index);
        self.failures.remove(&at);
        self.demanded.remove(&at);
    }

    pub fn failed(&mut self, at: At) {
        *self.failures.entry(at).or_default() += 1;
    }

    /// Whether an input is asked for on chain, where the next look at it goes.
    pub fn set_demanded(&mut self, at: At, demanded: bool) {
        match demanded {
            true => self.demanded.insert(at),
            false => self.demanded.remove(&at),
        };
    }

    /// Which inputs to ask for first: those that the chain may show, then those that failed least often, so that what an endpoint withholds never keeps the rest from being
    /// looked at.
    pub fn turn(&self, at: At) -> u32 {
        if self.is_demanded(at) {
            return 0;
        }
        self.failures.get(&at).map_or(1, |failures| failures.saturating_add(1))
    }

    /// Nothing is left to look at in a lane: only how many answers were right is kept, for reports can be large.
    pub fn finish(&mut self, lane: &Pubkey) {
        let right = self.right.remove(lane).map_or(0, |right| right.len() as u64);
        self.published.remove(lane);
        self.done.insert(*lane, right);
    }

    /// How many answers were found right.
    pub fn checked(&self) -> u64 {
        let going_on: u64 = self.right.values().map(|right| right.len() as u64).sum();
        going_on + self.done.values().sum::<u64>()
    }
}

impl WatcherLoop {
    /// Changes the progress of a report. `None` when another thread has died with it.
    pub(super) fn progress<T>(&self, report: &Pubkey, change: impl FnOnce(&mut Progress) -> T) -> Option<T> {
        let mut progress = self.progress.lock().ok()?;
        Some(change(progress.entry(*report).or_default()))
    }

    pub(super) fn forget_progress(&self, report: &Pubkey) {
        if let Ok(mut progress) = self.progress.lock() {
            progress.remove(report);
        }
    }

    /// Forgets reports that nobody may dispute any more, and says what of them nobody here could look at.
    pub(super) fn forget_closed(&self, open: &[(Pubkey, Report, Arc<WatchedModel>)], now: &Now) {
        let Ok(mut progress) = self.progress.lock() else {
            return;
        };
        progress.retain(|report, progress| {
            let is_open = open.iter().any(|(address, ..)| address == report);
            if !is_open && progress.missing > 0 && progress.window.is_past(now) {
                Metrics::count_by(&self.metrics.watcher, "answer_unseen", progress.missing);
                tracing::error!(%report, answers = progress.missing, "a report became final with answers that could not be looked at");
            }
            is_open
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_inputs_that_fail_when_the_next_is_chosen_then_the_chain_first_and_whoever_failed_least() {
        let lane = Pubkey::new_from_array([1; 32]);
        let mut progress = Progress::default();
        for (index, failures) in [(0, 2), (1, 0), (2, 1), (3, 5)] {
            for _ in 0..failures {
                progress.failed((lane, index));
            }
        }
        progress.set_demanded((lane, 3), true);
        let mut order = [0, 1, 2, 3];
        order.sort_by_key(|index| progress.turn((lane, *index)));
        assert_eq!(order, [3, 1, 2, 0]);
        progress.set_demanded((lane, 3), false);
        order.sort_by_key(|index| progress.turn((lane, *index)));
        assert_eq!(order, [1, 2, 0, 3]);
    }

    #[test]
    fn given_a_lane_that_is_done_when_counted_then_what_was_right_in_it_counts_and_its_receipts_are_let_go() {
        let lanes = [1, 2].map(|byte| Pubkey::new_from_array([byte; 32]));
        let mut progress = Progress::default();
        for index in 0..3 {
            progress.found_right((lanes[0], index));
        }
        progress.found_right((lanes[1], 0));
        progress.finish(&lanes[0]);
        assert!(progress.is_done(&lanes[0]) && !progress.is_done(&lanes[1]));
        assert!(!progress.is_right((lanes[0], 0)) && progress.is_right((lanes[1], 0)));
        assert_eq!(progress.checked(), 4);
    }
}
