//! A cluster with people, money and a protocol, and the states that scenarios begin from.

mod dispute;
mod money;
mod offering;
mod protocol;
mod report;
mod service;
mod stake;

use std::ops::{Deref, DerefMut};

use anchor_lang::prelude::Pubkey;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    books,
    cast::Cast,
    cluster::{Cluster, numbered_key},
};

pub use {
    dispute::{Duel, Tally},
    money::usdc,
    offering::{ALICE_COMMITS, BOB_COMMITS, MAX_RAISE, MIN_RAISE, OFFERING_SECONDS, SUPPLY},
    protocol::{CLUSTER, PROTOCOL_BPS, SPLIT, TIMELOCK_SLOTS, terms},
    report::{Asked, BOND, Case},
    service::{CREDIT, Customer, LANE, Published, STAKE, Service, profile, sign, version_args},
};

/// A cluster, its payment mint, and what the scenarios do on it. When it ends, all books must balance.
pub struct World {
    cluster: Cluster,
    /// The payment mint, classic SPL Token with six decimals.
    pub usdc: Pubkey,
    mint_authority: Keypair,
}

impl World {
    /// The programs, the people and the payment mint; nothing on chain yet.
    pub fn empty() -> (Self, Cast) {
        let deployer = numbered_key(0);
        let mut cluster = Cluster::start(&deployer.pubkey());
        cluster.set_lamports(&deployer.pubkey(), crate::cluster::ACTOR_LAMPORTS);
        let cast = Cast::hire(&mut cluster, deployer);
        let mint_authority = cluster.actor();
        let usdc = cluster.key().pubkey();
        cluster.create_mint(&usdc, &mint_authority.pubkey());
        (
            Self {
                cluster,
                usdc,
                mint_authority,
            },
            cast,
        )
    }

    /// Whose signature makes units and freezes accounts of the payment mint.
    pub fn mint_authority(&self) -> &Keypair {
        &self.mint_authority
    }
}

impl Deref for World {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            books::assert_balanced(&self.cluster);
        }
    }
}
