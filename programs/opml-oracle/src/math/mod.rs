//! Amounts: pure functions, floors in favour of the vault.

pub mod bond;
pub mod data_fee;
pub mod settlement;
