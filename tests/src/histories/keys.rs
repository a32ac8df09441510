//! Who acts in a history.

use solana_keypair::Keypair;
use solana_signer::Signer;

use super::ledger::{CHALLENGERS, DEVELOPERS, HOLDERS, OPERATORS, PAYERS, People};
use crate::{
    cast::Cast,
    world::{World, usdc},
};

/// What everybody who pays for something has when a history begins, in units of the payment mint.
const PURSE: u64 = usdc(1_000);

/// Everybody's keys.
pub struct Keys {
    pub cast: Cast,
    pub payers: [Keypair; PAYERS],
    pub sessions: [Keypair; PAYERS],
    pub operators: [Keypair; OPERATORS],
    pub challengers: [Keypair; CHALLENGERS],
    pub holders: [Keypair; HOLDERS],
    pub developers: [Keypair; DEVELOPERS],
    pub authorities: [Keypair; 2],
}

impl Keys {
    /// The cast of all scenarios, and a second one of each.
    pub fn of(world: &mut World, cast: Cast) -> Self {
        let own = Keypair::insecure_clone;
        Self {
            payers: [own(&cast.payer), world.actor()],
            sessions: [own(&cast.session), world.actor()],
            operators: [own(&cast.operator), world.actor()],
            challengers: [own(&cast.watcher), own(&cast.rival)],
            holders: [own(&cast.alice), own(&cast.bob)],
            developers: [own(&cast.developer), world.actor()],
            authorities: [own(&cast.authority), world.actor()],
            cast,
        }
    }

    /// Gives everybody an account for payments, and money to those who need it.
    pub fn fund(&self, world: &mut World) {
        let spend = (self.payers.iter())
            .chain(&self.operators)
            .chain(&self.challengers)
            .chain(&self.holders);
        for person in spend {
            world.given_usdc(&person.pubkey(), PURSE);
        }
        // Operators stake a part of it.
        for operator in &self.operators {
            world.given_usdc(&operator.pubkey(), PURSE);
        }
        for person in self.developers.iter().chain([&self.cast.treasury]) {
            world.given_usdc(&person.pubkey(), 0);
        }
    }

    pub fn people(&self) -> People {
        People {
            payers: self.payers.each_ref().map(Signer::pubkey),
            operators: self.operators.each_ref().map(Signer::pubkey),
            challengers: self.challengers.each_ref().map(Signer::pubkey),
            holders: self.holders.each_ref().map(Signer::pubkey),
            developers: self.developers.each_ref().map(Signer::pubkey),
            treasury: self.cast.treasury.pubkey(),
        }
    }
}
