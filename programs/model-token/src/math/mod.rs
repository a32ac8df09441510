//! Arithmetic without accounts, time or tokens.

pub mod allocation;
pub mod allowlist;
pub mod deterrence;
pub mod tail;
pub mod tranches;
pub mod vesting;
