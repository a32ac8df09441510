//! One file an instruction, in a folder for who may call it.

pub mod anyone;
pub mod operator;
pub mod payer;

pub use {anyone::*, operator::*, payer::*};
