//! Accounts, one file each, with their seeds and the steps of the bookkeeping.

mod epoch_mark;
mod pool;
mod position;

#[cfg(test)]
mod tests;

pub use {epoch_mark::*, pool::*, position::*};
