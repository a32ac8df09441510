//! Accounts, one file each, with their seeds.

mod dispute;
mod equivocation;
mod operator;
mod report;
mod stake_vault;
mod trace;
mod witness;

#[cfg(test)]
mod tests;

pub use {dispute::*, equivocation::*, operator::*, report::*, stake_vault::*, trace::*, witness::*};
