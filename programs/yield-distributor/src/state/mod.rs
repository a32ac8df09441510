//! Accounts, one file each, with their seeds and the steps of the bookkeeping.

mod claim_delegation;
mod epoch_mark;
mod pool;
mod position;
mod vesting;

#[cfg(test)]
mod tests;

pub use {claim_delegation::*, epoch_mark::*, pool::*, position::*, vesting::*};
