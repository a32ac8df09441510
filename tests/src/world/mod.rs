//! A cluster with people, money and a protocol, and the states that scenarios begin from.

mod audit;
mod data;
mod dispute;
mod money;
mod offering;
mod protocol;
mod report;
mod service;
mod stake;
mod vesting;

use std::{
    collections::BTreeMap,
    ops::{Deref, DerefMut},
};

use anchor_lang::prelude::Pubkey;
use anchor_spl::token::spl_token::native_mint;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    books,
    cast::Cast,
    cluster::{Cluster, numbered_key},
};

pub use {
    audit::{AUDITS, Sampling},
    data::Search,
    dispute::{Duel, Tally},
    money::usdc,
    offering::{ALICE_COMMITS, AT_ONCE, BOB_COMMITS, MAX_RAISE, MIN_RAISE, OFFERING_SECONDS, SUPPLY, TAIL_SECONDS},
    protocol::{CLUSTER, PROTOCOL_BPS, SPLIT, TIMELOCK_SLOTS, terms},
    report::{Asked, BOND, Case, Question},
    service::{
        CREDIT, Customer, LANE, Published, STAKE, Service, answer_key, contributed_args, profile, sign, sign_answer,
        version_args, version_args_of_contributors,
    },
    vesting::{BUYER_VESTING, DEVELOPER_TOKENS, DEVELOPER_VESTING, TRANCHE_ASKS, TRANCHE_SECONDS},
};

/// A cluster, its payment mint, and what the scenarios do on it. When it ends, all books must balance.
pub struct World {
    cluster: Cluster,
    /// The payment mint, classic SPL Token with six decimals.
    pub usdc: Pubkey,
    mint_authority: Keypair,
    /// What was made for whom, in units.
    given: BTreeMap<Pubkey, u64>,
}

impl World {
    /// The programs, the people and the payment mint; nothing on chain yet.
    pub fn empty() -> (Self, Cast) {
        Self::on(Cluster::start)
    }

    /// The same on the virtual machine alone, which is what long histories can afford.
    pub fn empty_light() -> (Self, Cast) {
        Self::on(Cluster::start_light)
    }

    /// A world whose payment mint is wrapped SOL. The amounts of the scenarios are small enough: a whole [`usdc`] is a thousandth of a SOL.
    pub fn of_wrapped_sol() -> (Self, Cast) {
        let (mut world, cast) = Self::empty();
        world.usdc = native_mint::ID;
        world.cluster.create_native_mint();
        world.set_up(&cast);
        (world, cast)
    }

    fn on(start: impl Fn(&Pubkey) -> Cluster) -> (Self, Cast) {
        let deployer = numbered_key(0);
        let mut cluster = start(&deployer.pubkey());
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
                given: BTreeMap::new(),
            },
            cast,
        )
    }

    /// The same world once more, for another way that things can go. Only a light one can be forked.
    pub fn fork(&self) -> Option<Self> {
        Some(Self {
            cluster: self.cluster.fork()?,
            usdc: self.usdc,
            mint_authority: self.mint_authority.insecure_clone(),
            given: self.given.clone(),
        })
    }

    /// What was made for somebody so far, in units.
    pub fn given(&self, whom: &Pubkey) -> u64 {
        self.given.get(whom).copied().unwrap_or(0)
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
