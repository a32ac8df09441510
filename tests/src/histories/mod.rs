//! Random histories: several people, all instructions of what lives after a model's launch, a clock that jumps to where something comes due, restarts. After every step the chain
//! must be what a plain ledger says, and every refusal the one that it foresees.

mod audit;
pub mod ledger;
mod play;
mod run;
mod stage;
mod step;

pub use {
    run::{HISTORIES, STEPS, Totals, count, run},
    stage::{Beginning, Stage},
    step::{Kind, Step, step},
};
