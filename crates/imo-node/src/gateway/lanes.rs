//! What the gateway remembers of each lane between requests. Everything can be had again from the store and the chain.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anchor_lang::prelude::Pubkey;
use imo_client::{addresses::revenue_escrow, signature::VerifyingKey};
use opml::Frontier;

use super::payment::Payer;
use crate::{chain::AccountSet, store::StoredLane};

/// Lanes that are remembered, at most.
const CAPACITY: usize = 16_384;

/// One lane. Its questions are taken one after the other, for each signs for all before it.
#[derive(Debug, Default)]
pub struct Lane {
    /// Requests that hold it or wait for it.
    users: AtomicUsize,
    pub state: tokio::sync::Mutex<State>,
    known: Mutex<Option<Known>>,
}

/// Who signed last for a lane, and what was read about it.
#[derive(Clone, Debug)]
struct Known {
    session: Session,
    accounts: AccountSet,
    payer: Arc<Payer>,
}

/// Who signs for a lane, and what takes longer to find than a signature takes to check.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// The lane's, which follows from its address.
    pub credit: Pubkey,
    pub key: VerifyingKey,
    /// Where the session's account is.
    pub address: Pubkey,
}

impl Session {
    pub fn new(credit: Pubkey, key: VerifyingKey) -> Self {
        let address = revenue_escrow::session(&credit, &key.key());
        Self { credit, key, address }
    }
}

impl Lane {
    /// Who signed last.
    pub fn session(&self) -> Option<Session> {
        Some(self.known.lock().ok()?.as_ref()?.session)
    }

    /// What these accounts say, if they are the last that were looked into.
    pub fn payer(&self, session: &Session, accounts: &AccountSet) -> Option<Arc<Payer>> {
        let known = self.known.lock().ok()?;
        let known = known.as_ref()?;
        let same = known.session.address == session.address && Arc::ptr_eq(&known.accounts, accounts);
        same.then(|| known.payer.clone())
    }

    pub fn remember(&self, session: Session, accounts: AccountSet, payer: Arc<Payer>) {
        if let Ok(mut known) = self.known.lock() {
            *known = Some(Known {
                session,
                accounts,
                payer,
            });
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
    /// Who signed last for a lane that is remembered.
    pub fn session(&self, address: &Pubkey) -> Option<Session> {
        self.known.lock().ok()?.get(address)?.session()
    }

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
    use anchor_lang::{AccountDeserialize, Discriminator, Space};
    use imo_protocol::Now;
    use solana_keypair::{Keypair, Signer};

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

    /// An account that is zero all over.
    fn zero<T: AccountDeserialize + Discriminator + Space>() -> T {
        let data = [T::DISCRIMINATOR, &vec![0; T::INIT_SPACE]].concat();
        T::try_deserialize(&mut data.as_slice()).unwrap()
    }

    #[test]
    fn given_accounts_that_were_looked_into_when_read_anew_then_they_are_looked_into_again() {
        let lane = Lane::default();
        let [read, read_anew] = [(); 2].map(|()| AccountSet::default());
        let [session, other] = [1, 2].map(|key| {
            let key = Keypair::new_from_array([key; 32]).pubkey();
            Session::new(Pubkey::new_unique(), VerifyingKey::new(&key).unwrap())
        });
        let payer = Payer {
            lane: zero(),
            credit: zero(),
            session: zero(),
            operator: zero(),
            now: Now {
                slot: 1,
                unix: 2,
                last_restart_slot: 0,
            },
        };
        assert!(lane.payer(&session, &read).is_none());
        lane.remember(session, read.clone(), Arc::new(payer));
        assert!(lane.payer(&session, &read).is_some());
        assert!(lane.payer(&session, &read_anew).is_none(), "equal, and not the same");
        assert!(lane.payer(&other, &read).is_none());
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
