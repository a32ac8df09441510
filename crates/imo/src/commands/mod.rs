//! Everything but the demo.

pub mod model;
pub mod status;
