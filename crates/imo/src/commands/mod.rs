//! Everything but the demo.

mod chain;
pub mod complete;
mod earnings;
mod import;
pub mod model;
pub mod offering;
pub mod pay;
pub mod portfolio;
pub mod simulate;
pub mod status;
