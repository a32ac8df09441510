//! Amounts: pure functions, floors in favour of the vault.

pub mod audit_fee;
pub mod bond;
pub mod data_fee;
pub mod settlement;
