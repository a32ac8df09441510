//! Arithmetic without accounts, time or tokens.

pub mod allocation;
pub mod deterrence;
