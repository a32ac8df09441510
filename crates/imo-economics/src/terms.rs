//! The terms as numbers to calculate with.

use model_token::state::DisputeTerms;

/// Milliseconds of a slot, as every deadline counts them.
pub const SLOT_MS: f64 = 400.0;
const YEAR_MS: f64 = 365.25 * 24.0 * 3_600_000.0;
const ALL_BPS: f64 = 10_000.0;

/// Slots of so many hours.
pub const fn hours(hours: u64) -> u64 {
    hours * 9_000
}

/// So many slots as hours.
pub fn in_hours(slots: u64) -> f64 {
    slots as f64 * SLOT_MS / 3_600_000.0
}

/// A share in basis points as a part of 1.
pub fn share(bps: impl Into<f64>) -> f64 {
    bps.into() / ALL_BPS
}

/// What locking `units` for so many slots costs at this yearly interest, in units.
pub fn interest_units(units: f64, slots: u64, interest: f64) -> f64 {
    units * interest * (slots as f64 * SLOT_MS / YEAR_MS)
}

/// The bond of a report that collects `report_units`, in units.
pub fn bond_units(terms: &DisputeTerms, report_units: f64) -> f64 {
    (share(terms.bond_ratio_bps) * report_units).max(terms.min_bond_units as f64)
}

/// The part of a slashed bond that friends of the operator's may win back at most, by being the first prover and by all the costs.
pub fn recoverable(terms: &DisputeTerms) -> f64 {
    share(terms.prover_share_bps) + share(terms.cost_cap_bps)
}

/// The longest that a report's bond is locked, in slots.
pub fn longest_lock_slots(terms: &DisputeTerms) -> u64 {
    terms.seal_slots + terms.finality_slots()
}
