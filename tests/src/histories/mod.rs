//! Random histories: several people, all instructions of all programs, a clock that jumps to where something comes due, restarts. After every step the chain
//! must be what a plain ledger says, and every refusal the one that it foresees.

mod agreement;
mod beginning;
mod due;
mod keys;
mod kinds;
pub mod ledger;
mod play;
mod run;
mod served;
mod stage;
mod step;
mod tally;

pub use {
    beginning::Beginning,
    kinds::Kind,
    run::{HISTORIES, STEPS, Totals, count, run, run_all},
    tally::{Tally, Tries},
};
