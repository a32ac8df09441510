//! Trying out what nobody would send: each instruction with another account in each place, and without each signature.

use std::collections::BTreeSet;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use solana_account::Account;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    attack::{swap_at, unsigned},
    cluster::Cluster,
    landed::instruction_units,
    programs::PROGRAMS,
};

/// Most other accounts that are tried in one place.
const CANDIDATES: usize = 6;

/// A place in an instruction where something else than what belongs there was accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepted {
    pub program: &'static str,
    pub instruction: String,
    /// Position among the instruction's accounts.
    pub position: usize,
    /// What was accepted there.
    pub substitute: Substitute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Substitute {
    /// Another account of the same owner and size.
    SameKind,
    /// Another person, who signed where a signature is asked for.
    Stranger,
    /// Nobody's signature.
    Unsigned,
}

/// Remembers all accepted substitutions.
pub struct Probe {
    stranger: Keypair,
    accepted: BTreeSet<Accepted>,
    tried: usize,
}

impl Probe {
    pub(crate) fn new(stranger: Keypair) -> Self {
        Self {
            stranger,
            accepted: BTreeSet::new(),
            tried: 0,
        }
    }

    pub fn accepted(&self) -> &BTreeSet<Accepted> {
        &self.accepted
    }

    /// Substitutions tried.
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// Tries out all substitutions in a transaction that is about to be sent. Does nothing when the transaction would be refused anyway.
    pub(crate) fn run(&mut self, cluster: &mut Cluster, instructions: &[Instruction], signers: &[&Keypair]) {
        let Ok(logs) = cluster.try_out(instructions, signers) else {
            return;
        };
        let mut names = instruction_units(&logs).into_iter().filter(|called| called.depth == 1);
        for (number, instruction) in instructions.iter().enumerate() {
            if !PROGRAMS.iter().any(|program| program.id == instruction.program_id) {
                continue;
            }
            let called = names.next().expect("each instruction of ours logs its name");
            for position in 0..instruction.accounts.len() {
                for (substitute, changed) in self.substitutions(cluster, instructions, number, position) {
                    let stranger = &self.stranger;
                    // The stranger pays the fee, because whoever pays it has signed.
                    let pool: Vec<&Keypair> = [stranger].into_iter().chain(signers.iter().copied()).collect();
                    self.tried += 1;
                    if cluster.try_out(&changed, &pool).is_ok() {
                        self.accepted.insert(Accepted {
                            program: called.program,
                            instruction: called.instruction.clone(),
                            position,
                            substitute,
                        });
                    }
                }
            }
        }
    }

    /// The transaction with each other account at a position of one of its instructions, and with that account's signature nowhere.
    fn substitutions(
        &self,
        cluster: &Cluster,
        instructions: &[Instruction],
        number: usize,
        position: usize,
    ) -> Vec<(Substitute, Vec<Instruction>)> {
        let meta = &instructions[number].accounts[position];
        let with = |other: &Pubkey| {
            let mut changed = instructions.to_vec();
            changed[number] = swap_at(&changed[number], position, other);
            changed
        };
        let mut found = vec![(Substitute::Stranger, with(&self.stranger.pubkey()))];
        if meta.is_signer {
            let changed = instructions
                .iter()
                .map(|instruction| unsigned(instruction, &meta.pubkey))
                .collect();
            found.push((Substitute::Unsigned, changed));
        }
        if let Some(account) = cluster.account(&meta.pubkey).filter(|account| !account.data.is_empty()) {
            let others = same_kind(cluster, &meta.pubkey, &account);
            found.extend(others.map(|other| (Substitute::SameKind, with(&other))));
        }
        found
    }
}

/// Other accounts of the same program and size that were seen so far.
fn same_kind<'a>(cluster: &'a Cluster, address: &'a Pubkey, account: &'a Account) -> impl Iterator<Item = Pubkey> + 'a {
    cluster
        .touched()
        .iter()
        .filter(move |other| *other != address)
        .filter(move |other| {
            let other = cluster.account(other);
            other.is_some_and(|other| other.owner == account.owner && other.data.len() == account.data.len())
        })
        .copied()
        .take(CANDIDATES)
}
