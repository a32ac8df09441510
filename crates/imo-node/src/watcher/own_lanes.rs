//! Lanes of payers who let a watcher see what they asked: it can tell whether the operator answered that, and, with the session key, have private receipts and inputs shown.

use std::{path::PathBuf, sync::Arc};

use imo_client::{instructions::data::Permission, trees::RequestTree};
use imo_protocol::{Collection, Request};
use opml::Hash;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::payer::purse_requests;

/// A payer's purse, and the key that may have its questions shown.
#[derive(Clone, Debug)]
pub struct OwnLane {
    pub purse: PathBuf,
    pub session: Option<Arc<Keypair>>,
}

/// What was asked on the lane of a Collection, as its payer has it.
#[derive(Debug)]
pub struct Asked {
    requests: Vec<Request>,
    tree: RequestTree,
    session: Option<Arc<Keypair>>,
}

impl Asked {
    /// `None` when the purse is of another lane; why it does not fit when it is of this one.
    pub fn open(own: &OwnLane, collection: &Collection) -> anyhow::Result<Option<Self>> {
        let (lane, generation, requests) = purse_requests(&own.purse)?;
        if (lane, generation) != (collection.lane, collection.lane_generation) {
            return Ok(None);
        }
        let end = collection.first_sequence + u64::from(collection.count);
        let mut tree = RequestTree::default();
        for request in requests.iter().take_while(|request| request.sequence < end) {
            tree.push(request)?;
        }
        anyhow::ensure!(
            (tree.count(), tree.root()) == (end, collection.requests_root),
            "the purse {} holds other questions than those that its payer signed for",
            own.purse.display()
        );
        Ok(Some(Self {
            requests,
            tree,
            session: own.session.clone(),
        }))
    }

    /// The request at a sequence, with the siblings on its way up.
    pub fn request(&self, sequence: u64) -> Option<(&Request, Vec<Hash>)> {
        let request = self.requests.get(usize::try_from(sequence).ok()?)?;
        Some((request, self.tree.path(sequence)?))
    }

    pub fn session(&self) -> Option<&Keypair> {
        self.session.as_deref()
    }

    pub fn permission(&self) -> Option<Permission> {
        self.session().map(|session| Permission::Session(session.pubkey()))
    }
}
