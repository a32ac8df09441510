//! Accounts, one file each, with their seeds.

mod dispute;
mod equivocation;
mod inquiry;
mod operator;
mod queue;
mod report;
mod stake_vault;
mod trace;
mod witness;

#[cfg(test)]
mod tests;

pub use {dispute::*, equivocation::*, inquiry::*, operator::*, report::*, stake_vault::*, trace::*, witness::*};
