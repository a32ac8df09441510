//! Amounts, free of accounts.

pub mod notice;
pub mod split;
