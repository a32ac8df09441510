//! Amounts, free of accounts.

pub mod contribution;
pub mod notice;
pub mod retraction;
pub mod split;
