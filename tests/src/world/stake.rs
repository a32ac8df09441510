//! Staked tokens.

use ::yield_distributor::state::{Pool, Position};
use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use imo_client::{accounts::Account, addresses, instructions::yield_distributor};
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Published, World};
use crate::landed::Outcome;

impl World {
    pub fn pool(&self, published: &Published) -> Pool {
        self.read(&addresses::yield_distributor::pool(&published.model))
    }

    /// A holder's position, or `None` when there is none.
    pub fn position(&self, published: &Published, owner: &Pubkey) -> Option<Position> {
        let pool = addresses::yield_distributor::pool(&published.model);
        let account = self.account(&addresses::yield_distributor::position(&pool, owner))?;
        match Account::decode(&account.owner, &account.data) {
            Ok(Account::Position(position)) => Some(*position),
            _ => None,
        }
    }

    pub fn epoch(&self, published: &Published) -> u64 {
        self.now().slot / self.pool(published).epoch_slots
    }

    /// What stakes tokens of `owner`.
    pub fn stake_of(&self, published: &Published, owner: &Pubkey, units: u64) -> Instruction {
        let position = self.position(published, owner);
        let epoch = self.epoch(published);
        yield_distributor::stake(*owner, *owner, &self.pool(published), position.as_ref(), epoch, units)
    }

    /// A holder stakes.
    pub fn given_stake(&mut self, published: &Published, owner: &Keypair, units: u64) {
        let stake = self.stake_of(published, &owner.pubkey(), units);
        self.send(&[stake], &[owner]).expect_ok();
    }

    /// Waits for the beginning of the epoch `epochs` from now.
    pub fn pass_epochs(&mut self, published: &Published, epochs: u64) {
        let (length, slot) = (self.pool(published).epoch_slots, self.now().slot);
        self.pass_slots((slot / length + epochs) * length - slot);
    }

    /// What pays a position its yield.
    pub fn claim_of(&self, published: &Published, caller: &Pubkey, owner: &Pubkey) -> Instruction {
        let position = self.position(published, owner).expect("the owner has a position");
        yield_distributor::claim(*caller, &self.pool(published), &position)
    }
}
