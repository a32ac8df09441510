//! The game, played by honest and dishonest sides on made-up models.

mod clocks;
mod honest;
mod illegal;
mod players;
mod rules;
mod slowest;

use imo_protocol::Now;
use model_token::state::DisputeTerms;

const TERMS: DisputeTerms = DisputeTerms {
    window_slots: 10_000,
    seal_slots: 1_000,
    response_slots: 900,
    clock_slots: 5_000,
    bond_ratio_bps: 20_000,
    min_bond_units: 1,
    challenger_bond_units: 1,
    open_fee_units: 0,
    move_cost_units: 0,
    prover_share_bps: 3_000,
    cost_cap_bps: 1_000,
    unbonding_slots: 20_000,
    notice_slots: 20_000,
    epoch_slots: 20_000,
    byte_fee_units: 0,
};

/// A slot and the second it falls into, at 400 ms a slot, on a cluster that never restarted.
fn at(slot: u64) -> Now {
    Now {
        slot,
        unix: 1_700_000_000 + i64::try_from(slot * 2 / 5).unwrap(),
        last_restart_slot: 0,
    }
}
