//! The node: an operator that serves models for money and answers for what it served, and a watcher that catches those who cheat.

pub mod chain;
pub mod gateway;
pub mod metrics;
pub mod model;
pub mod operator;
pub mod receipts;
pub mod store;
mod text;
pub mod watcher;
