//! What the gateway remembers of each lane between requests. Everything can be had again from the store and the chain.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anchor_lang::prelude::Pubkey;
use imo_client::addresses::revenue_escrow;
use opml::Frontier;

use crate::store::StoredLane;

/// Lanes that are remembered, at most.
const CAPACITY: usize = 16_384;

/// One lane. Its questions are taken one after the other, for each signs for all before it.
#[derive(Debug, Default)]
pub struct Lane {
    /// Requests that hold it or wait for it.
    users: AtomicUsize,
    pub state: tokio::sync::Mutex<State>,
    session: Mutex<Option<Session>>,
}

/// The address that follows from a credit and a session key. Deriving it takes longer than checking a signature does.
#[derive(Clone, Copy, Debug)]
struct Session {
    credit: Pubkey,
    key: Pubkey,
    address: Pubkey,
}

impl Lane {
    /// The session account of the key on the lane's credit.
    pub fn session(&self, credit: &Pubkey, key: &Pubkey) -> Pubkey {
        let derive = || revenue_escrow::session(credit, key);
        let Ok(mut known) = self.session.lock() else {
            return derive();
        };
        match *known {
            Some(session) if (session.credit, session.key) == (*credit, *key) => session.address,
            _ => {
                let address = derive();
                *known = Some(Session {
                    credit: *credit,
                    key: *key,
                    address,
                });
                address
            }
        }
    }
}

/// What follows from the questions so far.
#[derive(Debug, Default)]
pub struct State {
    pub generation: u64,
    /// Over the questions so far, in order.
    pub requests: Frontier,
    /// How often the newest question was asked again.
    pub repeated: u32,
    /// The lane as it was last written here. Another gateway on the same database may have gone on since; then nothing more can be written on top of this.
    pub stored: Option<StoredLane>,
}

#[derive(Debug, Default)]
pub struct Lanes {
    known: Mutex<HashMap<Pubkey, Arc<Lane>>>,
}

/// A place among the requests of a lane.
#[derive(Debug)]
pub struct Slot(Arc<Lane>);

impl Slot {
    pub fn lane(&self) -> &Lane {
        &self.0
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Lanes {
    /// `None` when as many requests of the lane as are allowed are there already.
    pub fn enter(&self, address: &Pubkey, allowed: usize) -> Option<Slot> {
        let mut known = self.known.lock().ok()?;
        if known.len() >= CAPACITY && !known.contains_key(address) {
            known.retain(|_, lane| lane.users.load(Ordering::Acquire) > 0);
            if known.len() >= CAPACITY {
                return None;
            }
        }
        let lane = known.entry(*address).or_default();
        if lane.users.load(Ordering::Acquire) >= allowed {
            return None;
        }
        lane.users.fetch_add(1, Ordering::AcqRel);
        Some(Slot(lane.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_lane_with_all_its_places_taken_when_entered_then_none_until_one_leaves() {
        let lanes = Lanes::default();
        let (one, other) = (Pubkey::new_unique(), Pubkey::new_unique());
        let first = lanes.enter(&one, 2).unwrap();
        let _second = lanes.enter(&one, 2).unwrap();
        assert!(lanes.enter(&one, 2).is_none());
        assert!(lanes.enter(&other, 2).is_some());
        drop(first);
        assert!(lanes.enter(&one, 2).is_some());
    }

    #[test]
    fn given_session_keys_when_looked_up_again_and_again_then_each_has_its_own_address() {
        let lane = Lane::default();
        let [credit, other] = [Pubkey::new_unique(), Pubkey::new_unique()];
        for key in [Pubkey::new_unique(), Pubkey::new_unique()] {
            for credit in [credit, credit, other] {
                assert_eq!(lane.session(&credit, &key), revenue_escrow::session(&credit, &key));
            }
        }
    }

    #[test]
    fn given_more_lanes_than_are_remembered_when_entered_then_idle_ones_make_room() {
        let lanes = Lanes::default();
        let held = Pubkey::new_unique();
        let _slot = lanes.enter(&held, 1).unwrap();
        for _ in 0..CAPACITY + 10 {
            lanes.enter(&Pubkey::new_unique(), 1).unwrap();
        }
        assert!(lanes.known.lock().unwrap().len() <= CAPACITY);
        assert!(lanes.enter(&held, 1).is_none(), "what is in use is kept");
    }
}
