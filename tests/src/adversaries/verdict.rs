//! Who owns what in the end, against what it was given in the beginning.

use anchor_lang::prelude::Pubkey;
use imo_client::accounts::Account;

use super::arena::Arena;
use crate::{books, cluster::ACTOR_LAMPORTS, world::World};

/// What became of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What all attackers together own more than when they began, in units; less than zero when they lost.
    pub gain_units: i128,
    /// The same in lamports, with the rent that comes back to them.
    pub gain_lamports: i128,
    /// The honest who lost more than they knew they would, and how much more, in units.
    pub harmed: Vec<(Pubkey, i128)>,
}

impl Verdict {
    pub fn won(&self) -> bool {
        self.gain_units > 0 || self.gain_lamports > 0
    }
}

/// Judges an attack that is over. Panics when a vault does not cover what it owes.
pub fn judge(arena: &Arena) -> Verdict {
    books::assert_balanced(&arena.world);
    let gained = |whom: &Pubkey| gain(&arena.world, whom) - arena.before.get(whom).copied().unwrap_or(0);
    let gain_units = arena.attackers.iter().map(gained).sum();
    let harmed = arena
        .honest
        .iter()
        .map(|(whom, cost)| (*whom, -gained(whom) - cost))
        .filter(|(_, loss)| *loss > 0)
        .collect();
    let gain_lamports = arena
        .attackers
        .iter()
        .map(|whom| i128::from(lamports(&arena.world, whom)) - i128::from(ACTOR_LAMPORTS))
        .sum();
    Verdict {
        gain_units,
        gain_lamports,
        harmed,
    }
}

/// What somebody owns more than was made for it, in units.
pub fn gain(world: &World, whom: &Pubkey) -> i128 {
    i128::from(wealth(world, whom)) - i128::from(world.given(whom))
}

/// All units of the payment mint that are somebody's: in its wallet, its stake, its disputes and inquiries, its credits, its earnings and
/// its yield.
fn wealth(world: &World, whom: &Pubkey) -> u64 {
    let accounts = world.touched().iter().filter_map(|address| {
        let account = world.account(address)?;
        Account::decode(&account.owner, &account.data).ok()
    });
    let held = accounts.map(|account| match account {
        Account::Operator(operator) if operator.authority == *whom => operator.stake_units,
        Account::Dispute(dispute) if dispute.challenger == *whom && dispute.settled => dispute.payout_units,
        Account::Dispute(dispute) if dispute.challenger == *whom => dispute.bond_units,
        Account::Inquiry(inquiry) if inquiry.demander == *whom && inquiry.settled => inquiry.payout_units,
        Account::Inquiry(inquiry) if inquiry.demander == *whom => inquiry.fees_units,
        Account::Equivocation(equivocation) if equivocation.prover == *whom => equivocation.payout_units,
        Account::Credit(credit) if credit.payer == *whom => {
            credit.available_units + credit.reserved_units + credit.withdrawing_units
        }
        Account::Earnings(earnings) if earnings.recipient == *whom => earnings.owed_units,
        Account::Position(position) if position.owner == *whom => position.owed_units,
        _ => 0,
    });
    held.sum::<u64>() + world.usdc_of(whom)
}

/// Lamports in somebody's account, and the rent that comes back to it.
fn lamports(world: &World, whom: &Pubkey) -> u64 {
    let rent = world.touched().iter().filter_map(|address| {
        let account = world.account(address)?;
        let decoded = Account::decode(&account.owner, &account.data).ok()?;
        (books::rent_payer(&decoded) == Some(*whom)).then_some(account.lamports)
    });
    rent.sum::<u64>() + world.lamports(whom)
}
