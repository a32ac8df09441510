//! Amounts, free of accounts.

pub mod notice;
pub mod retraction;
pub mod split;
