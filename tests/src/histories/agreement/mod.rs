//! Whether the chain is what the ledger says.

mod escrow;
mod lamports;
mod leftovers;
mod offering;
mod oracle;
mod roles;
mod yields;

use imo_client::addresses;
use imo_protocol::Deadline;

use super::stage::Stage;

pub use {
    lamports::Lamports,
    leftovers::{unaccounted_lamports, unaccounted_units},
};

/// Panics when an account of the chain is not what the ledger says.
pub fn assert_agrees(stage: &Stage) {
    roles::assert_roles(stage);
    offering::assert_offering(stage);
    yields::assert_pool(stage);
    yields::assert_upstream(stage);
    escrow::assert_credits(stage);
    escrow::assert_vault(stage);
    oracle::assert_oracle(stage);
    let (world, ledger) = (&stage.world, &stage.ledger);
    for (whom, units) in &ledger.wallets {
        assert_eq!(world.usdc_of(whom), *units, "the wallet of {whom}");
    }
    let mint = addresses::model_token::mint(&stage.published.model);
    for (whom, units) in &ledger.tokens {
        let held = world.tokens(&addresses::token_account(whom, &mint));
        assert_eq!(held, *units, "the tokens of {whom}");
    }
}

#[track_caller]
fn assert_due(chain: &Deadline, due_slot: Option<u64>) {
    assert_eq!(chain.is_set().then_some(chain.due_slot), due_slot, "a deadline");
}
