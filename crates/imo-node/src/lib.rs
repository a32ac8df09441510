//! The node: an operator that serves models for money and answers for what it served, and a watcher that catches those who cheat.
//!
//! [`gateway`] sells answers, [`operator`] reports, defends and is paid, [`watcher`] looks at what others reported, [`payer`] buys, [`index`] keeps the history.
//! [`store`] is what survives a crash, [`chain`] all that
//! they know of the cluster; [`run`] puts them together as [`config`] says.

pub mod chain;
pub mod check;
mod clock;
pub mod config;
pub mod cors;
pub mod decoder;
pub mod delegation;
pub mod gateway;
pub mod http;
pub mod index;
pub mod keys;
pub mod metrics;
pub mod model;
pub mod operator;
pub mod payer;
pub mod receipts;
mod rounds;
pub mod run;
mod sql;
pub mod store;
mod text;
pub mod watcher;
